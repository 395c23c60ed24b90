"""The verb ``nascore search``: one search, or several that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.check import echo_check, plain_checked
from nascore.cli.options import (
    budget_option,
    checkpoint_option,
    json_option,
    on_nan_option,
    out_option,
    proxy_option,
    recipe_options,
    request,
)
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.cli.result import CommandLine, echo_run, echo_searches, reporting
from nascore.comparison import spans
from nascore.slots import SLOTS
from nascore.verbs.dry_run import check
from nascore.verbs.grid import EVALUATION, varies
from nascore.verbs.search import search_as_requested
from nascore.verbs.several import check_several, search_several_as_requested

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Selection
    from nascore.run import OnNan
    from nascore.verbs.several import CheckedSearches


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
        "nascore search --space tiny --updater sgd,uniform --set sgd:updater.lr=0.1,0.01 --dry-run",
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
@proxy_option
@out_option
@budget_option
@checkpoint_option
@on_nan_option
@click.option("--dry-run", is_flag=True, help="Print what the search would do, and stop.")
@json_option
def command(  # noqa: PLR0913 - each is a flag
    *,
    seeds: str | None,
    evaluate: bool,
    out: Path | None,
    budget: str | None,
    checkpoint_every: str | None,
    on_nan: OnNan | None,
    dry_run: bool,
    as_json: bool,
    plugins: Selection,
    **given: Any,  # noqa: ANN401 - click's own
) -> None:
    """Search for an architecture.

    A slot that you do not name gets a default: the data set digits, the trainer alternating, the relaxation
    softmax, the observer terminal, and, if nascore-darts is installed, its space and its updater.

    It prints the gallery, the best cell, the folder of the run and the next command.

    Several component names, values of a setting or seeds, separated by commas, are searched in one run and
    compared as by nascore compare. --set NAME:PATH=VALUE sets a value for the component NAME only.
    """
    typed = request(SLOTS, given)
    flags = tuple(name for name, is_on in (("evaluate", evaluate), ("json", as_json)) if is_on)
    # A suggested request is that of the search: it has no settings of the evaluation.
    of_evaluation = tuple(text for text in typed.sets if evaluate and text.startswith(EVALUATION))
    line = CommandLine(
        plugins=plugins, out=out, dry_run=dry_run, seeds=seeds, sets=of_evaluation, flags=flags
    )
    several = seeds is not None or evaluate or varies(typed)
    with reporting(
        line, as_json=as_json, budget=budget, checkpoint_every=checkpoint_every, on_nan=on_nan
    ) as reporter:
        if several and dry_run:
            checked = check_several(
                typed, seeds=seeds, evaluate=evaluate, out=out, plugins=plugins, reporter=reporter
            )
            _echo_checked_searches(checked, as_json=as_json)
        elif several:
            searches = search_several_as_requested(
                typed, seeds=seeds, evaluate=evaluate, out=out, plugins=plugins, reporter=reporter
            )
            if not as_json:
                echo_searches(searches)
        elif dry_run:
            echo_check(check(typed, out=out, plugins=plugins, reporter=reporter), as_json=as_json)
        else:
            run = search_as_requested(typed, out=out, plugins=plugins, reporter=reporter)
            echo_run(run, as_json=as_json)


def _echo_checked_searches(searches: CheckedSearches, *, as_json: bool) -> None:
    """Print what several searches would do."""
    members = searches.members
    evaluated = members[0].evaluation is not None
    if as_json:
        echo_json(
            {
                "seeds": list(dict.fromkeys(member.seed for member in members)),
                "evaluate": evaluated,
                "notes": list(searches.notes),
                "searches": [
                    {"choice": dict(choice), **plain_checked(checked)} for choice, checked in searches.checked
                ],
            }
        )
        return
    paths = list(dict.fromkeys(path for choice, _ in searches.checked for path in choice))
    rows = [
        (*(choice.get(path, "-") for path in paths), checked.beginning)
        for choice, checked in searches.checked
    ]
    echo(table(rows, heads=(*paths, "searched in"), prose=True))
    count = len(members)
    evaluations = ", each found architecture evaluated" if evaluated else ""
    seeds = spans(member.seed for member in members)
    echo(f"\n{count} search{'es' if count > 1 else ''}, seeds {seeds}{evaluations}")
