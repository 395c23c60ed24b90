"""Prints help with examples, tables, and text that is escaped for a terminal.

Escape sequences, carriage returns and marks of writing direction can hide or forge lines; they are shown by
their codes, as are the bytes of paths that are no UTF-8. In a terminal lines are broken between words.
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
from nascore.cli.registry import registry_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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


_ANSWER: Final = "nascore.answer"
"""Where the standard output of a verb that prints JSON is kept."""

GAP = "  "

_FIGURE: Final = r"[-+<]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?[kMGT]?%?"
_FIGURES: Final = re.compile(rf"{_FIGURE}(?:(?: to |-|\.\.){_FIGURE})?")
"""A number, or an interval of two."""

_NONE: Final = {"", "-"}
"""What stands where there is no number."""


class Verb(click.Command):
    """A command whose help ends with examples that can be pasted.

    Args:
        examples: Whole command lines, beginning with ``nascore``. A test runs each.
        kwargs: What :class:`click.Command` takes.
    """

    def __init__(self, *, examples: Sequence[str] = (), **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**kwargs)
        self.examples = tuple(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read options and arguments; whatever is none is answered with the right one."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        typed, ctx.allow_extra_args = tuple(args), True
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name == "--debug":
                raise  # it stands before the verb, and that is said there
            raise unknown_option(error, ctx, typed, registry_of(ctx)) from None
        except click.BadParameter as error:
            raise bad_value(error, typed, registry_of(ctx)) from None
        if rest:
            raise extra_words(ctx, rest, registry_of(ctx))
        given_twice(ctx, typed)
        return rest

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; beside JSON, stdout is kept free of what a plugin's code prints meanwhile."""
        if not ctx.params.get("as_json"):
            return super().invoke(ctx)
        ctx.meta[_ANSWER] = sys.stdout
        with redirect_stdout(sys.stderr):
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed, unwrapped."""
        del ctx
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")


def table(
    rows: Sequence[Sequence[object]], *, heads: Sequence[str] = (), prose: bool = False, keys: int = 0
) -> str:
    """Return rows as aligned columns, readable in a terminal and by ``awk`` alike.

    Args:
        rows: Cells; all rows are equally long.
        heads: Names of the columns, in capitals above them.
        prose: Whether the last column is text, which is wrapped for a terminal that is too narrow. What is
            piped stays one line a row.
        keys: How many of the first columns name a row. In a terminal that is too narrow the columns are
            split over several tables, and each begins with these. 0: nothing is split.
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
        rows: Cells; all rows are as long as the heads.
        heads: Names of the columns.
    """
    lines = [
        [inline(cell).replace("|", "\\|") for cell in row] for row in (heads, ["---"] * len(heads), *rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@frozen
class _Column:
    """The width of a column, and whether it holds numbers, which end at its right side."""

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
    """Yield lines whose last cell is wrapped: beside the others, or beneath them where too little is left.

    Beneath them are also other cells, with the names of their columns, where these alone are too wide.
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
        if heads and number == 0:  # the heads of columns that are none any more
            continue
        others = [
            f"{heads[at]}: {line[at]}" if heads else line[at] for at in range(beside, len(first)) if line[at]
        ]
        for text in ("; ".join(others), line[-1]):
            if text:
                yield filled(text, max(across, READABLE), first=INDENT, rest=INDENT)


def _split(lines: Sequence[Sequence[str]], shape: Sequence[_Column], across: int, keys: int) -> Iterator[str]:
    """Yield tables that hold as many columns as fit, at least one, beside those that name a row."""
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


def echo_json(value: object) -> None:
    """Print a value to stdout as JSON."""
    echo(json.dumps(value, indent=2, default=str), file=click.get_current_context().meta.get(_ANSWER))
