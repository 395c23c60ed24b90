"""What is printed: nothing from a file, a plugin or a path reaches the terminal as a command to it.

Escape sequences, carriage returns and marks of writing direction can hide or forge lines; they are shown by
their codes, as are the bytes of paths that are no UTF-8. In a terminal lines are broken between words.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import IO, Any, Final

import click

INDENT: Final = "    "
READABLE: Final = 30
"""Columns that prose needs at least, to be read."""

_LINES: Final = "\n\t"
_OPTION: Final = r"--[a-z][\w-]*(?:[= ](?:'[^']*'|[^\s'-]\S*))?"
_WORD: Final = rf"{_OPTION}|'[^']*'|[A-Z]{{2}}\S*|\S*/\S*"
_COMMAND: Final = re.compile(rf"nascore(?: [a-z][a-z-]+)?(?: (?:{_WORD}))*|{_OPTION}|\[\w+ \w+\]")
"""A command, or an option with its value, as texts name them: it is pasted, so no line end stands in it. Nor
does one stand in the remarks of a drawing: ``[reduction 2]``."""

_UNBROKEN: Final = "\xa0"
"""Stands for a space at which no line is broken; :func:`printable` lets no text have one of its own."""


def echo(
    text: object = "", *, err: bool = False, nl: bool = True, dim: bool = False, file: IO[Any] | None = None
) -> None:
    """Print a text, to stdout unless said otherwise; its lines stay, what else is not printable is escaped.

    Args:
        text: What is printed.
        err: Whether to stderr; in a terminal it is wrapped between words.
        nl: Whether a line end follows.
        dim: Whether it is dim in a terminal.
        file: Where to, instead.
    """
    shown = printable(str(text))
    shown = wrapped(shown, err=True) if err else shown
    click.echo(click.style(shown, dim=True) if dim else shown, err=err, nl=nl, file=file)


def echo_over(text: str = "") -> None:
    """Print one line over the line of the terminal that stderr is at; nothing: that line is cleared."""
    click.echo(f"\r\x1b[K{inline(text)}", nl=False, err=True)


def wrapped(text: str, *, err: bool = False) -> str:
    """Return printable lines, in a terminal wrapped between words to its width.

    Args:
        text: The lines; the indent of each stays.
        err: Whether they go to stderr.
    """
    across = columns(err=err)
    return text if across is None else "\n".join(_narrowed(line, across) for line in text.split("\n"))


def columns(*, err: bool = False) -> int | None:
    """Return the width of the terminal that stdout, or stderr, is; None where it is none."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return None
    across = get_terminal_size().columns  # of stdout, unless COLUMNS says it
    if err and not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        across = os.get_terminal_size(stream.fileno()).columns or across
    return across


def filled(text: str, across: int, *, first: str = "", rest: str = "") -> str:
    """Return prose as lines that are no longer than some columns, where no word is longer.

    Flags, names and paths are pasted: they are broken nowhere.

    Args:
        text: The prose.
        across: The columns.
        first: What stands before the first line.
        rest: What stands before the others.
    """
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _UNBROKEN), text)
    lines = fill(
        whole,
        across,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.replace(_UNBROKEN, " ")


def _narrowed(line: str, across: int) -> str:
    bare = line.lstrip()
    if len(line) <= across or bare.startswith("nascore "):
        return line  # a whole command is pasted
    indent = line[: len(line) - len(bare)]
    return filled(bare, max(across, READABLE), first=indent, rest=indent + INDENT)


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
