"""What is printed: nothing from a file, a plugin or a path reaches the terminal as a command to it.

Escape sequences, carriage returns and marks of writing direction can hide or forge lines; they are shown by
their codes, as are the bytes of paths that are no UTF-8.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, Any, Final

import click

_LINES: Final = "\n\t"


def echo(text: object = "", *, err: bool = False, nl: bool = True, file: IO[Any] | None = None) -> None:
    """Print a text, to stdout unless said otherwise; its lines stay, what else is not printable is escaped.

    Args:
        text: What is printed.
        err: Whether to stderr.
        nl: Whether a line end follows.
        file: Where to, instead.
    """
    click.echo(printable(str(text)), err=err, nl=nl, file=file)


def printable(text: str) -> str:
    r"""Return a text with the codes of what is not printable: ``\x1b``, ``\u202e``; its lines stay."""
    if all(part.isprintable() for line in text.split("\n") for part in line.split("\t")):
        return text
    return "".join(one if one.isprintable() or one in _LINES else _code(one) for one in text)


def inline(value: object) -> str:
    r"""Return a value as one line: line ends are shown as ``\n``, so that a name forges no row of a table."""
    return printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def open_streams() -> None:
    """Give what is printed a place to go where stdout or stderr is closed: it goes nowhere.

    Else the next file that is opened would get the number of the closed one, and with it what is printed.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as the process


def _code(letter: str) -> str:
    number = ord(letter)
    if 0xDC80 <= number <= 0xDCFF:  # noqa: PLR2004 - how Python reads a byte of a path that is no UTF-8
        number -= 0xDC00
    if number <= 0xFF:  # noqa: PLR2004 - two digits
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - four digits
