"""``nascore compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.compared import echo_comparison
from nascore.cli.given import GIVEN
from nascore.cli.options import json_option
from nascore.cli.verb import Verb, echo_json
from nascore.verbs.compare import compare

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    "compare",
    cls=Verb,
    examples=(
        "nascore compare runs/first",
        "nascore compare runs/first runs/first --json",
    ),
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=GIVEN)
@click.option("--against", metavar="ROW", help="Compare all rows with this one, such as a control.")
@json_option
def command(runs: tuple[Path, ...], *, against: str | None, as_json: bool) -> None:
    """Compare runs: means over seeds with intervals, and which differences can be told from chance.

    RUN is the folder of a run, or of a comparison that nascore search --seeds made, which stands for all
    runs in it. Runs whose recipes differ by nothing but the seed make one row; what differs names the rows.
    """
    found = compare(*runs, against=against)
    if as_json:
        echo_json({"runs": [str(run) for run in runs], **found.plain()})
        return
    echo_comparison(found)
