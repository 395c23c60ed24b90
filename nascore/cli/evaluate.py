"""The verb ``nascore evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.options import entry_option, json_option, out_option, recipe_options, request
from nascore.cli.output import Verb, echo_json, warn, warn_late
from nascore.cli.result import echo_evaluated, echo_scale_note
from nascore.cli.runs import plain_record
from nascore.files import shown_path
from nascore.recipe import EVALUATE_RUN, watched
from nascore.run import read
from nascore.verbs.evaluate import SLOTS_OF_EVALUATE, ask_evaluate, run_evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Selection


@click.command(
    "evaluate",
    cls=Verb,
    examples=(
        "nascore evaluate runs/first",
        "nascore evaluate runs/first --entry 1",
        "nascore evaluate runs/first/best/architecture.yaml --set training.epochs=5 --seed 1",
        "nascore evaluate DARTS_V2 --out runs/published",
    ),
)
@click.argument("architecture")
@entry_option
@recipe_options(SLOTS_OF_EVALUATE)
@out_option
@json_option
def command(
    architecture: str,
    *,
    entry: int | None,
    out: Path | None,
    as_json: bool,
    plugins: Selection,
    **given: Any,  # noqa: ANN401 - click's own
) -> None:
    """Train an architecture from scratch on all training images, and test it once.

    ARCHITECTURE is the folder of a run, a description in YAML, or a text or name in a notation that a
    plugin reads. A run brings its data set.
    """
    asked = ask_evaluate(
        architecture,
        request(SLOTS_OF_EVALUATE, given),
        entry=entry,
        plugins=plugins,
        run=watched(EVALUATE_RUN),
    )
    with echo_scale_note(asked.recipe, quiet=as_json):
        warn(asked.recipe.warned)
        run = run_evaluate(asked, out=out)
        warn_late(run.result, asked.recipe.warned)
        if as_json:
            echo_json(plain_record(read(shown_path(run.path))))
        else:
            echo_evaluated(run, asked.recipe.run.training)
