import sys
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
