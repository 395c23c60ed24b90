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
    """A gallery with its front and hypervolume for one cost.

    Attributes:
        record: The run with its gallery, which holds at least one entry.
        cost: The cost: `params` or `macs`.
        front: The entries that no other dominates, cheapest first.
        reference: Error and cost of the reference point.
        hypervolume: Share of the rectangle up to the reference point that the entries dominate, 0 to 1.
    """

    record: Record
    cost: str
    front: tuple[Entry, ...]
    reference: tuple[float, float]
    hypervolume: float

    @property
    def unfinished(self) -> str:
        """The note on a run that is not `done`; empty for one that is."""
        if self.record.status == "done":
            return ""
        done = len(self.record.gallery)
        architectures = "architecture" if done == 1 else "architectures"
        text = f"{self.record.path} {state(self.record)}; the table shows the {done} {architectures} so far."
        if self.record.gallery_cut:
            text += " The last line of gallery.jsonl was cut off, so the last event is missing."
        return text


def assess(
    run: Run | str | Path, *, cost: str = "params", reference: tuple[float, float] | None = None
) -> Assessed:
    """Return the gallery of a run with its front and its hypervolume; the run need not be finished.

    Args:
        run: A run, or its folder.
        cost: The second objective beside the error: `params` or `macs`.
        reference: Error and cost of the hypervolume's reference point, both above 0. None: error 1 and 1.1
            times the largest cost. Use the same point to compare runs.

    Raises:
        RunFolderError: The folder is not a run, cannot be read, or has no architecture or no such cost.
    """
    record = read(run.path if isinstance(run, Run) else given_path(run))
    if not record.gallery:
        raise without_gallery(record)
    known = record.gallery.costs
    if cost not in known:
        raise RunFolderError(
            f"the architectures of {record.path} have no cost {cost}. Known: {', '.join(known)}."
        )
    point = record.gallery.reference(cost) if reference is None else reference
    return Assessed(
        record=record,
        cost=cost,
        front=record.gallery.front(cost),
        reference=point,
        hypervolume=record.gallery.hypervolume(cost, point),
    )
