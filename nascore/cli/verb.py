"""What the verbs share: help that ends with examples, and tables on stdout."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from functools import partial
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

import click

from nascore.cli.echo import echo, inline
from nascore.cli.found import registry_of
from nascore.cli.mistyped import bad_value, extra_words, given_twice, unknown_option
from nascore.config import write_scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.errors import Problem


_ANSWER: Final = "nascore.answer"
"""Where the standard output of a verb that prints JSON is kept."""

GAP = "  "
INDENT = "    "
READABLE = 30
"""Columns that prose needs at least, to be read."""

# Flags, names and paths are pasted: they are broken nowhere.
_filled = partial(fill, break_on_hyphens=False, break_long_words=False)


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
    if heads:
        lines.insert(0, [head.upper() for head in heads])
    if not lines:
        return ""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    across = columns() if prose or keys else None
    if across is None or _across(widths) <= across:
        return "\n".join(_aligned(line, widths) for line in lines)
    if prose:
        return "\n".join(_wrapped(lines, widths, across, beneath=bool(heads)))
    return "\n\n".join(_split(lines, widths, across, keys))


def wrapped(text: str) -> str:
    """Return a sentence, in a terminal wrapped between words to its width."""
    across = columns()
    if across is None:
        return text
    return _filled(text, max(across, READABLE), subsequent_indent=INDENT, break_long_words=False)


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


def columns() -> int | None:
    """Return the width of the terminal; None where stdout is none."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


def _across(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()


def _wrapped(
    lines: Sequence[Sequence[str]], widths: Sequence[int], across: int, *, beneath: bool
) -> Iterator[str]:
    """Yield lines whose last cell is wrapped: beside the others, or beneath them where too little is left."""
    indent = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    if across - indent >= READABLE:
        for *first, text in lines:
            start = _aligned(first, widths).ljust(indent)
            yield _filled(text, across, initial_indent=start, subsequent_indent=" " * indent).rstrip()
        return
    for number, (*first, text) in enumerate(lines):
        yield _aligned(first, widths)
        if text and not (beneath and number == 0):  # the head of a column that is none any more
            yield _filled(text, max(across, READABLE), initial_indent=INDENT, subsequent_indent=INDENT)


def _split(lines: Sequence[Sequence[str]], widths: Sequence[int], across: int, keys: int) -> Iterator[str]:
    """Yield tables that hold as many columns as fit, at least one, beside those that name a row."""
    named = list(range(keys))
    parts: list[list[int]] = []
    for column in range(keys, len(widths)):
        if parts and _across([widths[at] for at in (*parts[-1], column)]) <= across:
            parts[-1].append(column)
        else:
            parts.append([*named, column])
    for part in parts:
        chosen = [widths[at] for at in part]
        yield "\n".join(_aligned([line[at] for at in part], chosen) for line in lines)


def as_typed(value: object) -> str:
    """Return a value as one types it after ``--set``."""
    return write_scalar(value) if isinstance(value, bool | int | float | str | None) else str(value)


def echo_json(value: object) -> None:
    """Print a value to stdout as JSON."""
    echo(json.dumps(value, indent=2, default=str), file=click.get_current_context().meta.get(_ANSWER))


def warn_late(result: Mapping[str, Any], told: Iterable[Problem]) -> None:
    """Print to stderr what a run warns of in its result, beside what was told before it began."""
    before = set(map(str, told))
    for text in result.get("warnings", ()):
        if text not in before:
            echo(text, err=True)


def warn_failed(result: Mapping[str, Any]) -> None:
    """Print to stderr how many jobs of a run failed, and why: a line for each reason."""
    jobs = result.get("jobs", {})
    planned = jobs.get("planned", jobs.get("done", 0) + jobs.get("failed", 0))
    reasons: dict[str, list[str]] = {}
    for job, error in result.get("failures", {}).items():
        reasons.setdefault(str(error).partition("\n")[0], []).append(job)
    for reason, names in reasons.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        echo(f"failed: {len(names)} of {planned} jobs ({inline(names[0])}{more}): {inline(reason)}", err=True)


def warn(problems: Iterable[Problem]) -> None:
    """Print to stderr what is allowed and doubtful."""
    for problem in problems:
        echo(str(problem), err=True)
