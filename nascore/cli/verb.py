"""What the verbs share: help that ends with examples, and tables on stdout."""

from __future__ import annotations

import json
import re
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import frozen

from nascore.cli.echo import INDENT, READABLE, columns, echo, filled, inline
from nascore.cli.found import registry_of
from nascore.cli.mistyped import bad_value, extra_words, given_twice, unknown_option
from nascore.config import write_scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.errors import Problem


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
