"""What the verbs share: help that ends with examples, and tables on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from nascore.config import write_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.errors import Problem


class Verb(click.Command):
    """A command whose help ends with examples that can be pasted.

    Args:
        examples: Whole command lines, beginning with ``nascore``. A test runs each.
        kwargs: What :class:`click.Command` takes.
    """

    def __init__(self, *, examples: Sequence[str] = (), **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed, unwrapped."""
        del ctx
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")


def table(rows: Sequence[Sequence[object]], *, heads: Sequence[str] = ()) -> str:
    """Return rows as aligned columns, readable in a terminal and by ``awk`` alike.

    Args:
        rows: Cells; all rows are equally long.
        heads: Names of the columns, in capitals above them.
    """
    lines = [[str(cell) for cell in row] for row in rows]
    if heads:
        lines.insert(0, [head.upper() for head in heads])
    if not lines:
        return ""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_typed(value: object) -> str:
    """Return a value as one types it after ``--set``."""
    return write_scalar(value) if isinstance(value, bool | int | float | str | None) else str(value)


def echo_json(value: object) -> None:
    """Print a value to stdout as JSON."""
    click.echo(json.dumps(value, indent=2, default=str))


def warn(problems: Sequence[Problem]) -> None:
    """Print to stderr what is allowed and doubtful."""
    for problem in problems:
        click.echo(f"warned: {problem}", err=True)
