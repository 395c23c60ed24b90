"""The verb ``nascore check-plugin``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs
import click

from nascore.cli.completion import complete_anything
from nascore.cli.errors import FAILED
from nascore.cli.options import json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, echo_over
from nascore.slots import SLOTS
from nascore.verbs.check_plugin import OPERATION, subjects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nascore.plugin import Selection
    from nascore.testing import Outcome
    from nascore.verbs.check_plugin import Subject


@click.command(
    "check-plugin",
    cls=Verb,
    examples=(
        "nascore check-plugin signs --with signs.py",
        "nascore check-plugin softmax --json",
        "nascore check-plugin conv_3x3",
        "nascore check-plugin file --set path=chain.yaml",
    ),
)
@click.argument("name", shell_complete=complete_anything)
@click.option(
    "--slot",
    type=click.Choice([*(slot.name for slot in SLOTS), OPERATION]),
    help="Only parts of this slot, or operations.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="SETTING=VALUE",
    help="A setting for the examined parts, if their defaults cannot work; repeatable. "
    "PART.SETTING=VALUE is for one part alone.",
)
@json_option
@plugins_option
@click.pass_context
def command(  # noqa: PLR0913 - one argument an option
    ctx: click.Context,
    name: str,
    *,
    slot: str | None,
    sets: tuple[str, ...],
    as_json: bool,
    plugins: Selection,
) -> None:
    """Test a plugin: its declarations, and each of its parts by the checks for its slot.

    NAME is the name of a plugin, a distribution, a component or an operation. The checks use small tensors
    and take seconds for each part.

    The exit code is 0 if every part was examined and all checks pass, and 1 otherwise.
    """
    results: list[tuple[Subject, list[Outcome]]] = []
    for subject in subjects(name, plugins=plugins, slot=slot, sets=sets):
        outcomes = _run_checks(subject)
        results.append((subject, outcomes))
        if not as_json:
            _echo(subject, outcomes)
    failed = sum(bool(one.failure) for _, outcomes in results for one in outcomes)
    not_examined = [_head(subject) for subject, outcomes in results if not outcomes]
    if as_json:
        echo_json([_row(subject, outcomes) for subject, outcomes in results])
    else:
        run = sum(one.looked for _, outcomes in results for one in outcomes)
        echo(
            f"{run - failed} of {run} checks passed"
            + (f", {failed} failed" if failed else "")
            + (f"; not examined: {', '.join(not_examined)}" if not_examined else "")
        )
    ctx.exit(FAILED if failed or not_examined else 0)


def _run_checks(subject: Subject) -> list[Outcome]:
    """Run the checks; in a terminal one line on stderr shows the progress, and is cleared at the end."""
    live = sys.stderr.isatty()
    outcomes: list[Outcome] = []
    for outcome in subject.outcomes():
        outcomes.append(outcome)
        if live:
            echo_over(f"{_head(subject)}  {len(outcomes)} checks, {outcome.check}")
    if live:
        echo_over()
    return outcomes


def _echo(subject: Subject, outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        echo(f"{_head(subject)}  not examined: {subject.unfit or 'its slot has no checks'}")
        return
    run = [one for one in outcomes if one.looked]
    passed = sum(not one.failure for one in run)
    echo(f"{_head(subject)}  {passed} of {len(run)} checks passed")
    _echo_failures([one for one in outcomes if one.failure])
    for one in outcomes:
        if one.excused:
            echo(f"  not run: {one.promise} {one.excused}")
    for why in dict.fromkeys(one.unseen for one in outcomes if one.unseen):
        names = ", ".join(one.check for one in outcomes if one.unseen == why)
        echo(f"  not examined, because {why}: {names}")


def _echo_failures(failed: Sequence[Outcome]) -> None:
    """Print each failure once, with the promise of its check, or with the names of several checks."""
    for failure in dict.fromkeys(one.failure for one in failed):
        echo(f"  {failure}")
        same = [one for one in failed if one.failure == failure]
        if len(same) == 1:
            echo(f"    promised: {same[0].promise}", dim=True)
        else:
            echo(f"    {len(same)} checks failed: {', '.join(one.check for one in same)}", dim=True)


def _head(subject: Subject) -> str:
    return f"{subject.kind} {subject.name}"


def _row(subject: Subject, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "kind": subject.kind,
        "name": subject.name,
        "unfit": subject.unfit,
        "checks": [attrs.asdict(one) | {"passed": not one.failure and one.looked} for one in outcomes],
    }
