"""``nascore gallery``."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from nascore.cli.echo import columns, echo
from nascore.cli.gallery_said import comma_separated, gallery_table, marks, plain, plot, said_of
from nascore.cli.given import GIVEN
from nascore.cli.options import json_option
from nascore.cli.verb import Verb, echo_json
from nascore.verbs.gallery import assess

if TYPE_CHECKING:
    from pathlib import Path


class _Finite(click.FloatRange):
    """A number of a range that is a number, and not infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's own
        """Return the number."""
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value} is no finite number.", param, ctx)
        return found


ABOVE_0 = _Finite(min=0, min_open=True)


@click.command(
    "gallery",
    cls=Verb,
    examples=(
        "nascore gallery runs/first",
        "nascore gallery runs/first --front --cost macs --plot",
        "nascore gallery runs/first --reference 1 1e6 --json",
        "nascore gallery runs/first --csv",
    ),
)
@click.argument("run", type=GIVEN)
@click.option("--front", "front_only", is_flag=True, help="Only what no other beats, cheapest first.")
@click.option(
    "--cost",
    type=click.Choice(["params", "macs"]),
    default="params",
    show_default=True,
    help="What is set against the error.",
)
@click.option(
    "--reference",
    nargs=2,
    type=ABOVE_0,
    metavar="ERROR COST",
    help="Where the hypervolume ends; by the same point runs compare. Otherwise error 1 and 1.1 times the "
    "largest cost.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--plot/--no-plot", "plotted", default=None, help="Plot, or not; otherwise in a terminal.")
def command(  # noqa: PLR0913 - each is a flag
    run: Path,
    *,
    front_only: bool,
    cost: str,
    reference: tuple[float, float] | None,
    as_json: bool,
    as_csv: bool,
    plotted: bool | None,
) -> None:
    """Show the architectures of a run: accuracy with its interval, cost, and the front of both.

    RUN is the folder of a search, which need not be done. Any ID in the table can be drawn, exported and
    evaluated: nascore draw RUN --entry ID.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    found = assess(run, cost=cost, reference=reference)
    gallery = found.record.gallery
    marked = marks(gallery, found.front)
    entries = found.front if front_only else gallery.entries
    if as_json:
        echo_json(plain(found, entries))
    elif as_csv:
        echo(comma_separated(entries, marked), nl=False)
    else:
        echo(gallery_table(entries, marked))
        echo(f"\n{said_of(found)}")
        if plotted if plotted is not None else columns() is not None:
            echo(f"\n{plot(found, marked)}")
    if found.unfinished:
        echo(found.unfinished, err=True)
