"""Make the project's virtual environment and install the package into it with the extras asked for.

    python3 scripts/venv.py .venv test,docs

Needs nothing but Python's standard library. A stamp in the environment remembers what was
installed, so that a second call takes no time until ``setup.py`` changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOWEST = (3, 11)


def say(text):
    print(f"==> {text}", flush=True)


def interpreter():
    """This Python if it is new enough, else the newest one found next to it."""
    if sys.version_info >= LOWEST:
        return sys.executable
    for name in ("python3.13", "python3.12", "python3.11"):
        if shutil.which(name):
            return shutil.which(name)
    sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0])


def as_root():
    """The words that make a command run as root, or None where we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def install_ensurepip(python):
    """Debian ships Python without ``ensurepip``; its package python3-venv has it."""
    version = subprocess.check_output(
        [python, "-c", "import platform; print(*platform.python_version_tuple()[:2], sep='.')"], text=True
    )
    package = f"python{version.strip()}-venv"
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        sys.exit(f"This Python cannot make virtual environments. Install it first: apt-get install {package}")
    say(f"This Python has no ensurepip: installing Debian's {package}")
    environ = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    install = [*environ, "apt-get", "install", "-y", "-q", "--no-install-recommends", package]
    if subprocess.run(install).returncode != 0:
        subprocess.run([*environ, "apt-get", "update", "-q"], check=True)
        subprocess.run(install, check=True)


def make(venv):
    python = interpreter()
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode != 0:
        install_ensurepip(python)
    say(f"Making {venv} with {python}")
    subprocess.run([python, "-m", "venv", str(venv)], check=True)


def main():
    venv, extras = Path(sys.argv[1]).absolute(), sys.argv[2]
    if not (venv / "bin" / "python").exists():
        make(venv)
    wanted = hashlib.sha256((ROOT / "setup.py").read_bytes()).hexdigest()
    stamp = venv / f".installed-{extras}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"Installing .[{extras}] into {venv}")
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "-e", f"{ROOT}[{extras}]"]
    subprocess.run(command, check=True, cwd=ROOT)
    stamp.write_text(wanted)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"Failed with code {error.returncode}: {' '.join(map(str, error.cmd))}")
