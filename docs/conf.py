import ast
import inspect
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from oscar_loyalty import __version__  # noqa: E402

project = "django-oscar-loyalty"
author = "the django-oscar-loyalty contributors"
copyright = f"2026, {author}"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
# Links to headings, as GitHub makes them.
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"django-oscar-loyalty {release}"


def default_of(setting):
    """Return what a property of ``oscar_loyalty.defaults.Conf`` falls back to, as Python writes it; "" where that is
    worked out, which its docstring tells."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(setting.fget)))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and getattr(one.func, "attr", "") == "_get"]
    default = calls[0].args[1] if calls else None
    try:
        ast.literal_eval(default)
    except (TypeError, ValueError):
        return ""
    return ast.unparse(default)


def say_default(app, what, name, thing, options, lines):
    if what == "property" and name.startswith("oscar_loyalty.defaults."):
        default = default_of(thing)
        lines.extend(["", f"Default: ``{default}``"] if default else [])


def setup(app):
    app.connect("autodoc-process-docstring", say_default)
