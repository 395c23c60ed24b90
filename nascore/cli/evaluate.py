"""The verb ``nascore evaluate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from nascore.cli.options import (
    GIVEN,
    budget_option,
    checkpoint_option,
    entry_option,
    json_option,
    on_nan_option,
    out_option,
    recipe_options,
    request,
)
from nascore.cli.output import Verb
from nascore.cli.result import CommandLine, echo_evaluation, reporting
from nascore.slots import SLOTS_OF_EVALUATE
from nascore.verbs.evaluate import evaluate_as_requested, refuse_two_weights, weights_settings

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Selection
    from nascore.run import OnNan


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
@click.option(
    "--weights",
    type=GIVEN,
    metavar="FILE",
    help="Begin the training with weights of a safetensors file, or of a state dict that torch saved. "
    "Default: new weights.",
)
@click.option(
    "--pretrained",
    is_flag=True,
    help="Begin the training with the published weights of a network of timm or torchvision. Their file has "
    "to be on this machine; nothing is downloaded.",
)
@recipe_options(SLOTS_OF_EVALUATE)
@out_option
@budget_option
@checkpoint_option
@on_nan_option
@json_option
def command(  # noqa: PLR0913 - each is a flag
    architecture: str,
    *,
    entry: int | None,
    weights: Path | None,
    pretrained: bool,
    out: Path | None,
    budget: str | None,
    checkpoint_every: str | None,
    on_nan: OnNan | None,
    as_json: bool,
    plugins: Selection,
    **given: Any,  # noqa: ANN401 - click's own
) -> None:
    """Train an architecture on all training images, by default from scratch, and test it once.

    ARCHITECTURE is the folder of a run, a description in YAML, or a text or name in a notation that a
    plugin reads, or FILE.py:FUNCTION for a function that returns a torch module. For a run, the default data
    set is the one of its search.
    """
    typed = request(SLOTS_OF_EVALUATE, given)
    if weights is not None:
        refuse_two_weights(pretrained=pretrained)
        values = (f"{path}={json.dumps(value)}" for path, value in weights_settings(weights).items())
        typed = evolve(typed, sets=(*values, *typed.sets))
    with reporting(
        CommandLine(verb="evaluate", plugins=plugins, out=out),
        as_json=as_json,
        budget=budget,
        checkpoint_every=checkpoint_every,
        on_nan=on_nan,
    ) as reporter:
        run = evaluate_as_requested(
            architecture,
            typed,
            entry=entry,
            pretrained=pretrained,
            out=out,
            plugins=plugins,
            reporter=reporter,
        )
        echo_evaluation(run, reporter.recipe, as_json=as_json)
