"""Prints help with examples, tables, and text that is escaped for a terminal.

Escape sequences, carriage returns and marks of writing direction can hide or forge lines, so they are printed
as codes, like bytes of paths that are not UTF-8. In a terminal, lines are wrapped between words.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import IO, TYPE_CHECKING, Any, Final

import click
from attrs import frozen

from nascore.cli.mistyped import bad_value, extra_words, given_twice, unknown_option
from nascore.plugin import discover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.plugin import Registry


INDENT: Final = "    "
READABLE: Final = 30
"""Smallest number of columns for readable prose."""

_LINES: Final = "\n\t"
_OPTION: Final = r"--[a-z][\w-]*(?:[= ](?:'[^']*'|[^\s'-]\S*))?"
_WORD: Final = rf"{_OPTION}|'[^']*'|[A-Z]{{2}}\S*|\S*/\S*"
_COMMAND: Final = re.compile(rf"nascore(?: [a-z][a-z-]+)?(?: (?:{_WORD}))*|{_OPTION}|\[\w+ \w+\]")
"""Text that is not wrapped: a command or an option with its value, which users paste, and a remark of a
drawing: ``[reduction 2]``."""

_UNBROKEN: Final = "\xa0"
"""Replacement for a space in such a text; :func:`printable` escapes those of the text itself."""


def echo(
    text: object = "", *, err: bool = False, nl: bool = True, dim: bool = False, file: IO[Any] | None = None
) -> None:
    """Print a text with its lines; characters that are not printable are escaped.

    Args:
        text: The text.
        err: Whether to print to stderr, wrapped to the width of a terminal. Default: to stdout, not wrapped.
        nl: Whether to print a line end after the text.
        dim: Whether to print dim characters in a terminal.
        file: A file to print to, in place of stdout.
    """
    shown = printable(str(text))
    shown = wrapped(shown, err=True) if err else shown
    click.echo(click.style(shown, dim=True) if dim else shown, err=err, nl=nl, file=file)


def echo_over(text: str = "") -> None:
    """Replace the current line of the terminal on stderr; an empty text clears it."""
    click.echo(f"\r\x1b[K{inline(text)}", nl=False, err=True)


def wrapped(text: str, *, err: bool = False) -> str:
    """Return printable lines, wrapped to the width of the terminal if there is one.

    Args:
        text: The lines; each keeps its indent.
        err: Whether the lines are for stderr.
    """
    across = columns(err=err)
    return text if across is None else "\n".join(_narrowed(line, across) for line in text.split("\n"))


def columns(*, err: bool = False) -> int | None:
    """Return the width of the terminal on stdout or stderr; None if it is not a terminal."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return None
    across = get_terminal_size().columns  # COLUMNS, or else the width of stdout
    if err and not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        across = os.get_terminal_size(stream.fileno()).columns or across
    return across


def filled(text: str, across: int, *, first: str = "", rest: str = "") -> str:
    """Return prose wrapped to a number of columns; longer words are not broken.

    Commands, options and paths are not broken either, since users paste them.

    Args:
        text: The prose.
        across: The number of columns.
        first: Indent of the first line.
        rest: Indent of the other lines.
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
        return line  # users paste whole commands
    indent = line[: len(line) - len(bare)]
    return filled(bare, max(across, READABLE), first=indent, rest=indent + INDENT)


def printable(text: str) -> str:
    r"""Return a text with codes for unprintable characters other than line ends: ``\x1b``, ``\u202e``."""
    if all(part.isprintable() for line in text.split("\n") for part in line.split("\t")):
        return text
    return "".join(one if one.isprintable() or one in _LINES else _code(one) for one in text)


def inline(value: object) -> str:
    r"""Return a value as one line: line ends become ``\n``, so that no name can forge a row of a table."""
    return printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def open_streams() -> None:
    """Redirect a closed stdout or stderr to the null device.

    Otherwise the next opened file would get the descriptor of the closed stream, and all output with it.
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


_ANSWER: Final = "nascore.answer"
_REGISTRY: Final = "nascore.registry"
"""Key of the stdout of a verb that prints JSON, in the context."""

GAP = "  "

_FIGURE: Final = r"[-+<]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?[kMGT]?%?"
_FIGURES: Final = re.compile(rf"{_FIGURE}(?:(?: to |-|\.\.){_FIGURE})?")
"""A number, or an interval of two."""

_NONE: Final = {"", "-"}
"""Cells without a number."""


class Verb(click.Command):
    """A command whose help ends with examples to paste.

    Args:
        examples: Whole command lines, beginning with ``nascore``. A test runs each of them.
        kwargs: Arguments of :class:`click.Command`.
    """

    def __init__(self, *, examples: Sequence[str] = (), **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**kwargs)
        self.examples = tuple(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse options and arguments; the error for an unknown one suggests the right one."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        typed, ctx.allow_extra_args = tuple(args), True
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name == "--debug":
                raise  # `exiting` explains that this option comes before the verb
            raise unknown_option(error, ctx, typed, registry_of(ctx)) from None
        except click.BadParameter as error:
            raise bad_value(error, typed, registry_of(ctx)) from None
        if rest:
            raise extra_words(ctx, rest, registry_of(ctx))
        given_twice(ctx, typed)
        return rest

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; with ``--json``, output of a plugin's code goes to stderr."""
        if not ctx.params.get("as_json"):
            return super().invoke(ctx)
        ctx.meta[_ANSWER] = sys.stdout
        with redirect_stdout(sys.stderr):
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples without wrapping."""
        del ctx
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")


def table(
    rows: Sequence[Sequence[object]], *, heads: Sequence[str] = (), prose: bool = False, keys: int = 0
) -> str:
    """Return rows as aligned columns, readable in a terminal and by ``awk`` alike.

    Args:
        rows: Cells; all rows have the same length.
        heads: Names of the columns, printed above them in capitals.
        prose: Whether the last column is text, which is wrapped in a narrow terminal. Outside a terminal
            each row is one line.
        keys: Number of first columns that name a row. In a narrow terminal the columns are split into
            several tables, each of which begins with these. 0: never split.
    """
    lines = [[inline(cell) for cell in row] for row in rows]
    across = columns() if prose or keys else None
    shape = _shape(lines, heads, prose=prose)
    if heads:
        lines.insert(0, [head.upper() for head in heads])
    if not lines:
        return ""
    if across is None or _across(shape) <= across:
        return "\n".join(_aligned(line, shape) for line in lines)
    if prose:
        return "\n".join(_wrapped(lines, shape, across, heads))
    return "\n\n".join(_split(lines, shape, across, keys))


def markdown_table(rows: Sequence[Sequence[object]], *, heads: Sequence[str]) -> str:
    """Return rows as a table in Markdown.

    Args:
        rows: Cells; all rows have the length of the heads.
        heads: Names of the columns.
    """
    lines = [
        [inline(cell).replace("|", "\\|") for cell in row] for row in (heads, ["---"] * len(heads), *rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@frozen
class _Column:
    """The width of a column, and whether it holds numbers, which are aligned to the right."""

    width: int
    numbers: bool

    def padded(self, cell: str) -> str:
        return cell.rjust(self.width) if self.numbers else cell.ljust(self.width)


def _shape(rows: Sequence[Sequence[str]], heads: Sequence[str], *, prose: bool) -> list[_Column]:
    lines = [*([heads] if heads else []), *rows]
    shape = [_Column(max(map(len, cells)), _are_numbers(cells[1:])) for cells in zip(*lines, strict=True)]
    if not heads:  # names and values of different kinds
        return [_Column(one.width, numbers=False) for one in shape]
    return [*shape[:-1], _Column(shape[-1].width, numbers=False)] if prose else shape


def _are_numbers(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if cell not in _NONE]
    return bool(known) and all(map(_FIGURES.fullmatch, known))


def _across(shape: Sequence[_Column]) -> int:
    return sum(one.width for one in shape) + len(GAP) * (len(shape) - 1)


def _aligned(cells: Sequence[str], shape: Sequence[_Column]) -> str:
    return GAP.join(one.padded(cell) for cell, one in zip(cells, shape, strict=False)).rstrip()


def _wrapped(
    lines: Sequence[Sequence[str]], shape: Sequence[_Column], across: int, heads: Sequence[str]
) -> Iterator[str]:
    """Yield lines whose last cell is wrapped beside the others, or below them if too few columns are left.

    Further cells that do not fit are printed below too, with the names of their columns.
    """
    first = shape[:-1]
    indent = _across(first) + len(GAP)
    if across - indent >= READABLE:
        for *cells, text in lines:
            start = _aligned(cells, first).ljust(indent)
            yield filled(text, across, first=start, rest=" " * indent).rstrip()
        return
    fitting = [number for number in range(1, len(shape)) if _across(first[:number]) <= across]
    beside = max(fitting, default=1)
    for number, line in enumerate(lines):
        yield _aligned(line[:beside], shape)
        if heads and number == 0:  # the other heads are printed with their cells
            continue
        others = [
            f"{heads[at]}: {line[at]}" if heads else line[at] for at in range(beside, len(first)) if line[at]
        ]
        for text in ("; ".join(others), line[-1]):
            if text:
                yield filled(text, max(across, READABLE), first=INDENT, rest=INDENT)


def _split(lines: Sequence[Sequence[str]], shape: Sequence[_Column], across: int, keys: int) -> Iterator[str]:
    """Yield tables with the columns that name a row and as many others as fit, at least one."""
    named = list(range(keys))
    parts: list[list[int]] = []
    for column in range(keys, len(shape)):
        if parts and _across([shape[at] for at in (*parts[-1], column)]) <= across:
            parts[-1].append(column)
        else:
            parts.append([*named, column])
    for part in parts:
        chosen = [shape[at] for at in part]
        yield "\n".join(_aligned([line[at] for at in part], chosen) for line in lines)


def echo_json(value: object, *, indent: int | None = 2) -> None:
    """Print a value to stdout as JSON.

    Args:
        value: The value.
        indent: Spaces for each level; None: the value is one line.
    """
    echo(json.dumps(value, indent=indent, default=str), file=click.get_current_context().meta.get(_ANSWER))


def registry_of(ctx: click.Context) -> Registry:
    """Return the registry of installed plugins, which is built at the first call."""
    found: Registry = ctx.meta.setdefault(_REGISTRY, None) or discover()
    ctx.meta[_REGISTRY] = found
    return found
