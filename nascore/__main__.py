"""Runs the command line as ``python -m nascore``."""

from __future__ import annotations

from nascore.cli import main

if __name__ == "__main__":
    main(prog_name="nascore")
