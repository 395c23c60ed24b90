"""Output of ``nascore search`` with several algorithms or seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.cli.check import plain_checked
from nascore.cli.compare import echo_comparison
from nascore.cli.output import echo, echo_json, table, warn, warn_failed, warn_late
from nascore.cli.result import echo_scale_note
from nascore.comparison import EVALUATE, spans
from nascore.errors import RunFailed
from nascore.files import shown_path
from nascore.run import read_result, refuse_taken, run_of
from nascore.shell import command_line
from nascore.verbs.dry_run import check_search
from nascore.verbs.resolution import ResolvedRequest
from nascore.verbs.runs import compare, runs
from nascore.verbs.several import run_several

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nascore.comparison import Member, Planned
    from nascore.recipe import Recipe
    from nascore.verbs.several import ResolvedSearches


def echo_several(several: ResolvedSearches, *, out: Path | None, dry_run: bool, as_json: bool) -> None:
    """Make several searches and print the comparison; or say what they would be.

    Args:
        several: The searches.
        out: Folder of all, new or empty; None: a new one where runs are kept.
        dry_run: Whether to say only what would be done.
        as_json: Whether to print JSON.
    """
    members = several.members
    with echo_scale_note(members[0].recipe, quiet=as_json):
        for note in several.notes:
            echo(note, err=True)
        warn(dict.fromkeys(problem for one in _recipes(members) for problem in one.warned))
        if dry_run:
            if out is not None:
                refuse_taken(out)
            if as_json:
                echo_json(_plain_planned(several))
            else:
                _echo_planned(several)
            return
        try:
            path = run_several(several, out=out, began=_began)
        except RunFailed as error:
            # Searches that were done are shown although nothing that was asked for came of them.
            if (kept := run_of(error)) is not None:
                _echo_made(several, kept, as_json=as_json)
            raise
        _echo_made(several, path, as_json=as_json)
        if not as_json:
            echo(f"\nrun: {shown_path(path)}")
            echo(f"next: {command_line('nascore', 'compare', shown_path(path))}")


def _echo_made(several: ResolvedSearches, path: Path, *, as_json: bool) -> None:
    """Print the comparison, and to stderr what is doubtful and what failed."""
    told = [problem for one in _recipes(several.members) for problem in one.warned]
    for record in runs(path):
        warn_late(record.result or {}, told)
    found = compare(shown_path(path))
    if as_json:
        echo_json({"runs": [str(shown_path(path))], **found.plain()})
    else:
        echo_comparison(found)
    warn_failed(read_result(path) or {})


def _began(number: int, jobs: int, job: Planned) -> None:
    what = "evaluate " if job.kind == EVALUATE else ""
    named = ", ".join(job.choice.values())
    echo(f"{number} of {jobs}: {what}{named}{', ' if named else ''}seed {job.seed}", err=True)


def _recipes(members: Iterable[Member]) -> Iterator[Recipe]:
    for member in members:
        yield member.recipe
        if member.evaluation is not None:
            yield member.evaluation


def _of_each_choice(several: ResolvedSearches) -> list[Member]:
    """Return the first search of each combination."""
    first = {tuple(member.choice.items()): member for member in reversed(several.members)}
    return [first[key] for key in dict.fromkeys(tuple(one.choice.items()) for one in several.members)]


def _plain_planned(several: ResolvedSearches) -> dict[str, Any]:
    asked = [
        (member, ResolvedRequest(recipe=member.recipe, registry=several.registry))
        for member in _of_each_choice(several)
    ]
    return {
        "seeds": list(dict.fromkeys(member.seed for member in several.members)),
        "evaluate": several.members[0].evaluation is not None,
        "notes": list(several.notes),
        "searches": [
            {"choice": dict(member.choice), **plain_checked(check_search(one))} for member, one in asked
        ],
    }


def _echo_planned(several: ResolvedSearches) -> None:
    members = _of_each_choice(several)
    slots = tuple(members[0].choice)
    rows = [(*member.choice.values(), _searched(member, several)) for member in members]
    echo(table(rows, heads=(*slots, "searched in"), prose=True))
    searches = len(several.members)
    evaluated = ", each found architecture evaluated" if several.members[0].evaluation is not None else ""
    seeds = spans(member.seed for member in several.members)
    echo(f"\n{searches} search{'es' if searches > 1 else ''}, seeds {seeds}{evaluated}")


def _searched(member: Member, several: ResolvedSearches) -> str:
    checked = check_search(ResolvedRequest(recipe=member.recipe, registry=several.registry))
    if checked.supernet is not None:
        return f"supernet: {checked.supernet}"
    return f"no supernet; architectures to begin with: {checked.seeds}"
