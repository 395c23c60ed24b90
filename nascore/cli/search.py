"""``nascore search``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.check import echo_checked
from nascore.cli.options import out_option, recipe_options, request
from nascore.cli.outcome import echo_found, scale_said
from nascore.cli.suggested import Line, suggesting
from nascore.cli.verb import Verb, warn
from nascore.component import SLOTS
from nascore.recipe import SEARCH_RUN, watched
from nascore.run import refuse_taken
from nascore.verbs.asking import ask
from nascore.verbs.checking import check_asked
from nascore.verbs.search import run_search

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Selection


@click.command(
    "search",
    cls=Verb,
    examples=(
        "nascore search --space darts --updater darts",
        "nascore search --space darts --updater darts --set trainer.estimate=unrolled --seed 1",
        "nascore search --space file:chain.yaml --updater darts",
        "nascore search --with ops.py --space file:shuffled.yaml --updater uniform",
        "nascore search --space darts --dataset synthetic --scale mini --set space.cells=8 --dry-run",
        "nascore search --space tiny --dataset synthetic --growth random --scale mini --set growth.count=3",
        "nascore search --preset darts-cifar10 --scale mini --dataset synthetic --dry-run",
    ),
)
@recipe_options(SLOTS)
@out_option
@click.option("--dry-run", is_flag=True, help="Say what the search would be, and stop.")
def command(*, out: Path | None, dry_run: bool, plugins: Selection, **given: Any) -> None:  # noqa: ANN401
    """Search for an architecture.

    A slot that is left open is filled with the data set digits, the trainer alternating, the relaxation
    softmax, the observer terminal, and, where nascore-darts is installed, its space and its updater.

    Ends with the gallery, the best cell, the folder of the run and the command that comes next.
    """
    with suggesting(Line(plugins=plugins, out=out, dry_run=dry_run)):
        asked = ask(request(SLOTS, given), plugins=plugins, run=watched(SEARCH_RUN))
    with scale_said(asked.recipe):
        if dry_run:
            if out is not None:
                refuse_taken(out)
            echo_checked(check_asked(asked))
            return
        warn(asked.recipe.warned)
        echo_found(run_search(asked, out=out))
