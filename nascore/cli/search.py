"""The verb ``nascore search``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.check import echo_checked, plain_checked
from nascore.cli.options import json_option, out_option, recipe_options, request
from nascore.cli.output import Verb, echo_json, warn, warn_failed, warn_late
from nascore.cli.result import CommandLine, echo_result, echo_scale_note, suggesting
from nascore.cli.runs import plain_record
from nascore.cli.several import echo_several
from nascore.files import shown_path
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, watched
from nascore.run import read, refuse_taken
from nascore.slots import SLOTS
from nascore.verbs.dry_run import check_search, with_build_warnings
from nascore.verbs.grid import EVALUATION, varies
from nascore.verbs.resolution import ask
from nascore.verbs.search import run_search
from nascore.verbs.several import ask_several

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Selection
    from nascore.verbs.resolution import ResolvedRequest
    from nascore.verbs.runs import Run


@click.command(
    "search",
    cls=Verb,
    examples=(
        "nascore search --space darts --updater darts",
        "nascore search --space darts --updater darts --set trainer.estimate=unrolled --seed 1",
        "nascore search --space file:chain.yaml --updater darts",
        "nascore search --with ops.py --space file:shuffled.yaml --updater uniform",
        "nascore search --space darts --dataset synthetic --scale mini --set space.cells=8 --dry-run",
        "nascore search --space tiny --updater sgd,uniform --seeds 0..1 --evaluate",
        "nascore search --space tiny --dataset synthetic --growth random --scale mini --set growth.count=3",
        "nascore search --preset darts-cifar10 --scale mini --dataset synthetic --dry-run",
    ),
)
@recipe_options(SLOTS)
@click.option(
    "--seeds",
    metavar="A..B",
    help="Search with each of these seeds, 0..4 or 0,1,7, and compare.",
)
@click.option(
    "--evaluate", is_flag=True, help="Train each resulting architecture from scratch, test it, and compare."
)
@out_option
@click.option("--dry-run", is_flag=True, help="Print what the search would do, and stop.")
@json_option
def command(  # noqa: PLR0913 - each is a flag
    *,
    seeds: str | None,
    evaluate: bool,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
    plugins: Selection,
    **given: Any,  # noqa: ANN401 - click's own
) -> None:
    """Search for an architecture.

    A slot that you do not name gets a default: the data set digits, the trainer alternating, the relaxation
    softmax, the observer terminal, and, if nascore-darts is installed, its space and its updater.

    Prints the gallery, the best cell, the folder of the run and the next command.

    Several names separated by commas, for any slot that holds one component, or several seeds, make several
    searches in one run. All are checked before the first begins. The table of nascore compare follows them.
    """
    asked_for = request(SLOTS, given)
    flags = tuple(name for name, is_on in (("evaluate", evaluate), ("json", as_json)) if is_on)
    theirs = tuple(text for text in asked_for.sets if evaluate and text.startswith(EVALUATION))
    line = CommandLine(plugins=plugins, out=out, dry_run=dry_run, seeds=seeds, sets=theirs, flags=flags)
    if seeds is not None or evaluate or varies(asked_for):
        with suggesting(line):
            several = ask_several(
                asked_for,
                seeds=seeds,
                evaluate=evaluate,
                plugins=plugins,
                run=watched(SEARCH_RUN),
                evaluation_run=watched(EVALUATE_RUN),
            )
        echo_several(several, out=out, dry_run=dry_run, as_json=as_json)
        return
    with suggesting(line):
        asked = ask(asked_for, plugins=plugins, run=watched(SEARCH_RUN))
    with echo_scale_note(asked.recipe, quiet=as_json):
        if dry_run:
            _echo_dry(asked, out, as_json=as_json)
            return
        run = _run(asked, out)
        if as_json:
            echo_json(plain_record(read(shown_path(run.path))))
        else:
            echo_result(run)


def _echo_dry(asked: ResolvedRequest, out: Path | None, *, as_json: bool) -> None:
    """Print what the search would be."""
    if out is not None:
        refuse_taken(out)
    checked = check_search(asked)
    if as_json:
        echo_json(plain_checked(checked))
    else:
        echo_checked(checked)


def _run(asked: ResolvedRequest, out: Path | None) -> Run:
    """Search, and say before it what is doubtful."""
    asked = with_build_warnings(asked, out=out)
    warn(asked.recipe.warned)
    run = run_search(asked, out=out)
    warn_late(run.result, asked.recipe.warned)
    warn_failed(run.result)
    return run
