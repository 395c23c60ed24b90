"""The verb ``nascore ablate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.contributions import choice_text
from nascore.cli.options import (
    GIVEN,
    budget_option,
    checkpoint_option,
    entry_option,
    json_option,
    on_nan_option,
    recipe_options,
    request,
)
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.cli.result import CommandLine, echo_searches, reporting
from nascore.comparison import spans
from nascore.slots import SLOTS_OF_ABLATION
from nascore.verbs.ablate import ablate_as_requested, check_ablation
from nascore.verbs.grid import split_names
from nascore.verbs.variants import AblationRequest

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.comparison import Base
    from nascore.plugin import Selection
    from nascore.run import OnNan
    from nascore.verbs.ablate import CheckedAblation


@click.command(
    "ablate",
    cls=Verb,
    examples=(
        "nascore ablate runs/first --trick cutout:2,ema --seeds 0..1 --out runs/tricks",
        "nascore ablate runs/first --trick cutout:2,ema --seeds 0..1 --from bare --out runs/tricks",
        "nascore ablate runs/first --trick ema,recalibrate --keep ema --seeds 0..4 --dry-run",
        "nascore ablate DARTS_V2 --switch training.label_smoothing,training.clip --seeds 0..4 --dry-run",
    ),
)
@click.argument("architecture")
@entry_option
@recipe_options(SLOTS_OF_ABLATION)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="PATH",
    help="A setting that is measured beside the tricks: training.drop_path, training.auxiliary, "
    "training.label_smoothing, training.clip or training.nesterov; repeatable, or with commas.",
)
@click.option(
    "--keep",
    "kept",
    multiple=True,
    metavar="NAME",
    help="A trick that stays in every variant and is not measured; repeatable, or with commas.",
)
@click.option(
    "--from",
    "base",
    type=click.Choice(["full", "bare"]),
    default="full",
    help="full: all tricks, and without each of them. bare: none of them, and each alone. Default: full.",
)
@click.option("--seeds", metavar="A..B", help="Train each variant with each of these seeds, 0..4 or 0,1,7.")
@click.option(
    "--test",
    is_flag=True,
    help="Measure on the test images. Default: on one in five of the training images, held back.",
)
@click.option(
    "--out",
    type=GIVEN,
    metavar="DIR",
    help="Folder: new, empty, or of an earlier ablation, which is extended. Default: a new one in "
    "NASCORE_RUNS, or runs/.",
)
@budget_option
@checkpoint_option
@on_nan_option
@click.option("--dry-run", is_flag=True, help="Print the variants, and stop.")
@json_option
def command(  # noqa: PLR0913 - each is a flag
    architecture: str,
    *,
    entry: int | None,
    switches: tuple[str, ...],
    kept: tuple[str, ...],
    base: Base,
    seeds: str | None,
    test: bool,
    out: Path | None,
    budget: str | None,
    checkpoint_every: str | None,
    on_nan: OnNan | None,
    dry_run: bool,
    as_json: bool,
    plugins: Selection,
    **given: Any,  # noqa: ANN401 - click's own
) -> None:
    """Measure the contribution of each trick to the training of an architecture.

    ARCHITECTURE is that of nascore evaluate. The tricks are those of the recipe; --trick takes several, with
    commas between them. Each variant is trained with each seed. Trainings that a folder has are not repeated:
    name it with --out to add a trick, a seed, or the other direction.
    """
    asked = AblationRequest(
        request=request(SLOTS_OF_ABLATION, given),
        switch=tuple(split_names(switches)),
        keep=tuple(split_names(kept)),
        base=base,
        seeds=seeds,
        test=test,
    )
    line = CommandLine(verb="ablate", plugins=plugins, out=out, dry_run=dry_run, seeds=seeds)
    with reporting(
        line, as_json=as_json, budget=budget, checkpoint_every=checkpoint_every, on_nan=on_nan
    ) as reporter:
        if dry_run:
            checked = check_ablation(
                architecture, asked, entry=entry, out=out, plugins=plugins, reporter=reporter
            )
            _echo_checked(checked, as_json=as_json)
            return
        done = ablate_as_requested(
            architecture, asked, entry=entry, out=out, plugins=plugins, reporter=reporter
        )
        if not as_json:
            echo_searches(done)


def _echo_checked(checked: CheckedAblation, *, as_json: bool) -> None:
    """Print the variants of an ablation and the number of trainings."""
    plan, done = checked.resolved.plan, checked.done
    count = len(plan.variants) * len(plan.seeds)
    if as_json:
        finished = [[variant, seed] for variant, seed in sorted(done)]
        echo_json({**plan.plain(), "trainings": count, "finished": finished})
        return
    rows = [(variant.name, *choice_text(variant.choice)) for variant in plan.variants]
    echo(table(rows, heads=("variant", "tricks", "settings"), prose=True))
    before = f", {len(done)} of them in the folder" if done else ""
    echo(f"\n{count} trainings{before}, seeds {spans(plan.seeds)}, measured on {plan.split} images")
