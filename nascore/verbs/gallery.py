"""The gallery of a run, done or not, and the architectures in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.errors import Problem, RecipeError, RunFolderError
from nascore.files import given_path
from nascore.run import read
from nascore.shell import command_line
from nascore.verbs.runs import Run, description_of, state

if TYPE_CHECKING:
    from nascore.description import Description
    from nascore.gallery import Entry
    from nascore.run import Record

NEAREST = 3
"""How many ids a message names."""


@frozen(kw_only=True)
class Assessed:
    """A gallery, seen by one cost.

    Attributes:
        record: The run, with its gallery, which holds an entry at least.
        cost: The cost: `params` or `macs`.
        front: The entries that no other beats, cheapest first.
        reference: Error and cost up to which the hypervolume counts.
        hypervolume: Share of error and cost up to there that the entries dominate, 0 to 1.
    """

    record: Record
    cost: str
    front: tuple[Entry, ...]
    reference: tuple[float, float]
    hypervolume: float

    @property
    def unfinished(self) -> str:
        """What is said of a run that did not end well; empty where it did."""
        if self.record.status == "done":
            return ""
        done = len(self.record.gallery)
        architectures = "architecture is" if done == 1 else "architectures are"
        return (
            f"{self.record.path} {state(self.record)}; its {done} {architectures} what it had done by then."
        )


def assess(
    run: Run | str | Path, *, cost: str = "params", reference: tuple[float, float] | None = None
) -> Assessed:
    """Return the gallery of a run with its front and its hypervolume; the run need not be done.

    Args:
        run: A run, or its folder.
        cost: What is set against the error: `params` or `macs`.
        reference: Error and cost up to which the hypervolume counts, both above 0. None: error 1 and 1.1
            times the largest cost. Runs compare only by the same point.

    Raises:
        RunFolderError: There is no run, it cannot be read, or it has no architecture or no such cost.
    """
    record = read(run.path if isinstance(run, Run) else given_path(run))
    if not record.gallery:
        raise _without(record)
    known = record.gallery.costs
    if cost not in known:
        raise RunFolderError(
            f"{record.path}: its architectures have no cost {cost}. Known: {', '.join(known)}."
        )
    point = record.gallery.reference(cost) if reference is None else reference
    return Assessed(
        record=record,
        cost=cost,
        front=record.gallery.front(cost),
        reference=point,
        hypervolume=record.gallery.hypervolume(cost, point),
    )


def architecture_of(target: object, entry: int) -> Description:
    """Return an architecture of a run's gallery; the run need not be done.

    Args:
        target: A run, or its folder.
        entry: Id of the architecture.

    Raises:
        RunFolderError: There is no run, it cannot be read, or it has no such architecture.
        RecipeError: The target is no run.
    """
    if isinstance(target, Run):
        target = target.path
    if not isinstance(target, (str, Path)):
        text = "an entry is an architecture of a run, and this is none."
        raise RecipeError([Problem(path="entry", text=text, hint="Name the run's folder.")])
    record = read(given_path(target))
    if not record.gallery:
        raise _without(record)
    try:
        found = record.gallery[entry]
    except KeyError:
        raise RunFolderError([_unknown(record, entry)]) from None
    return description_of(record.path / found.description)


def _unknown(record: Record, entry: int) -> Problem:
    ids = sorted((one.id for one in record.gallery), key=lambda number: (abs(number - entry), number))
    near = ", ".join(map(str, sorted(ids[:NEAREST])))
    hint = f"Nearest: {near}." if len(ids) > NEAREST else f"It has {near}."
    text = f"{record.path} has no architecture {entry}."
    return Problem(
        path="entry", text=text, hint=f"{hint} See {command_line('nascore', 'gallery', record.path)}."
    )


def _without(record: Record) -> RunFolderError:
    """Return the error of a run that has no gallery, with the reason."""
    if (record.result or {}).get("kind") == "evaluate":
        return RunFolderError(
            f"{record.path} is an evaluation: it has one architecture and no gallery. "
            f"See {command_line('nascore', 'draw', record.path)}."
        )
    return RunFolderError(
        f"{record.path} {state(record)}: it has no architecture in a gallery. {record.inventory}"
    )
