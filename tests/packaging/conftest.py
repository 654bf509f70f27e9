import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*command, cwd):
    """Run a command with nothing of the checkout in its path; return what it says, fail with all of it."""
    environ = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def tracked(*folders):
    """The files that the repository holds, as it stands: also those that are not committed yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in found.split("\0") if name and (ROOT / name).exists())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: setuptools would pick up leftovers of an older build in the checkout."""
    source = tmp_path_factory.mktemp("source")
    names = tracked("oscar_loyalty", "wagtail_club", "setup.py", "pyproject.toml", "MANIFEST.in")
    for name in [*names, "README.md", "CHANGELOG.md", "LICENSE"]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    # Without isolation: the tests ask no package index.
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", source, cwd=source)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """An environment of its own with the wheel in it; its requirements come from the running one."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = Path(run(python, "-I", "-c", where, cwd=folder).strip())
    # Comes after its own packages, and .pth files there are not read: an editable install is not seen.
    (site_packages / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
    run(*pip, "--no-index", "--no-deps", "--ignore-installed", wheel, cwd=folder)
    return SimpleNamespace(folder=folder, python=python, site_packages=site_packages)
