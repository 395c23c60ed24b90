"""The verb ``nascore resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.completion import completing
from nascore.cli.options import (
    GIVEN,
    budget_option,
    checkpoint_option,
    json_option,
    on_nan_option,
    plugins_option,
)
from nascore.cli.output import Verb
from nascore.cli.result import CommandLine, echo_evaluation, echo_run, echo_searches, reporting
from nascore.recipe.settling.executor import ExecutorChoice
from nascore.slots import EXECUTOR
from nascore.verbs.reporter import FinishedSearches
from nascore.verbs.resume import EVALUATE, resume_as_requested

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Selection
    from nascore.run import OnNan


@click.command(
    "resume",
    cls=Verb,
    examples=(
        "nascore resume runs/stopped --budget 1job --checkpoint-every 5m",
        "nascore resume runs/stopped --accept",
        "nascore resume runs/grown --executor processes --set executor.workers=4",
    ),
)
@click.argument("run", type=GIVEN)
@click.option(
    "--accept",
    is_flag=True,
    help="Resume despite changed versions, data or device, and record the changes.",
)
@click.option(
    "--executor",
    metavar="NAME",
    help="The executor that runs the remaining jobs. Default: the one that the run began with.",
    shell_complete=completing(EXECUTOR),
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help="A setting of the executor, such as executor.workers=4; repeatable.",
)
@budget_option
@checkpoint_option
@on_nan_option
@json_option
@plugins_option
def command(  # noqa: PLR0913 - each is a flag
    run: Path,
    *,
    accept: bool,
    executor: str | None,
    sets: tuple[str, ...],
    budget: str | None,
    checkpoint_every: str | None,
    on_nan: OnNan | None,
    as_json: bool,
    plugins: Selection,
) -> None:
    """Resume a run that was stopped, from its last checkpoint.

    RUN is the folder of a search, an evaluation, a comparison of several searches or an ablation that was
    interrupted, killed, failed or stopped by its budget. Finished jobs are not repeated. The result is the
    same as if the run had never been stopped.
    """
    line = CommandLine(verb="resume", plugins=plugins)
    with reporting(
        line, as_json=as_json, budget=budget, checkpoint_every=checkpoint_every, on_nan=on_nan
    ) as reporter:
        choice = ExecutorChoice(name=executor, sets=sets)
        done = resume_as_requested(run, accept=accept, executor=choice, plugins=plugins, reporter=reporter)
        if isinstance(done, FinishedSearches):
            if not as_json:
                echo_searches(done)
        elif done.result["kind"] == EVALUATE:
            echo_evaluation(done, reporter.recipe, as_json=as_json)
        else:
            echo_run(done, as_json=as_json)
