#!/usr/bin/env python
"""Runs Django's commands for the sandbox, from any directory."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts this file's folder first on the path; the packages are found from the one above it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
