"""Reads the gallery of a finished or unfinished run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.errors import RunFolderError
from nascore.files import given_path
from nascore.run import read
from nascore.verbs.runs import Run, state, without_gallery

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.gallery import Entry
    from nascore.run import Record


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
        raise without_gallery(record)
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
