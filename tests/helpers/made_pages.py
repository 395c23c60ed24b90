"""The parts of pages that a command prints, which stands before them in a comment.

As a script it prints them anew: ``python tests/helpers/made_pages.py``, or ``make pages``.
"""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

from click.testing import CliRunner

from nascore.cli import main

ROOT = Path(__file__).parents[2]
PAGES = ("docs/matrix.md", "docs/components.md")
MADE = re.compile(r"(<!-- made by: nascore (?P<command>.+?) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)


def texts(page: str) -> dict[str, str]:
    """Return what stands in a page, by the command that prints it."""
    found = MADE.finditer((ROOT / page).read_text(encoding="utf-8"))
    return {one["command"]: one["text"] for one in found}


def printed(command: str) -> str:
    """Return what a command prints, with an empty line before and after it."""
    result = CliRunner().invoke(main, shlex.split(command))
    assert result.exit_code == 0, result.output
    return f"\n{result.stdout.rstrip()}\n\n"


def plugins(command: str) -> tuple[str, ...]:
    """Return the distributions that a command names: without one of them it prints something else."""
    words = shlex.split(command)
    return tuple(name for flag, name in pairwise(words) if flag == "--only")


def make(page: str) -> None:
    """Print anew what commands print in a page."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    path.write_text(
        MADE.sub(lambda one: f"{one[1]}{printed(one['command'])}{one[4]}", text), encoding="utf-8"
    )


if __name__ == "__main__":
    for name in PAGES:
        make(name)
