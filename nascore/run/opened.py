"""Counts earlier tests of an architecture on the same test images.

A run records the event in its `changes.jsonl` before it reads the images, so evaluations that fail
afterwards count too. The run that found the architecture is finished and is not written to: the runs beside
it are read instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import Factory, define

from nascore.errors import RunFolderError
from nascore.run.folder import default_root
from nascore.run.layout import CHANGES, COMPARISON, JOBS, is_file, lines_of
from nascore.run.reading import entries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

OPENED: Final = "test split opened"
"""Name of the event in `changes.jsonl`."""


@define
class Openings:
    """Earlier runs that opened the test split.

    Attributes:
        found: The runs that opened it, once for each event.
        unread: Runs whose `changes.jsonl` cannot be read.
    """

    found: list[Path] = Factory(list)
    unread: list[Path] = Factory(list)


def openings(
    run: Path, architectures: Collection[str], images: str, *, near: Iterable[Path] = ()
) -> Openings:
    """Return the other runs that opened the test split for the same architecture and images.

    It reads the runs beside this one, in the default folder of runs, and beside the runs in `near`, with
    the jobs of comparisons there. Runs that were moved or deleted are missed.

    Args:
        run: The current run, which does not count.
        architectures: Fingerprints of the architecture, as given and as trained; one in common is enough.
        images: Digest of the test images.
        near: Runs whose neighbours are read too.
    """
    current = run.resolve()
    seen = Openings()
    for folder in dict.fromkeys(_runs(run, near)):
        if folder == current:
            continue
        try:
            seen.found += [
                folder
                for line in lines_of(folder / CHANGES)
                if line.get("event") == OPENED and line.get("data") == images
                if not set(architectures).isdisjoint(_texts(line.get("architecture")))
            ]
        except RunFolderError:
            seen.unread.append(folder)
    return seen


def _runs(run: Path, near: Iterable[Path]) -> Iterator[Path]:
    """Yield the resolved folders of the runs to read, some of them more than once."""
    roots = [default_root().resolve()]
    for neighbour in (run, *near):
        parent = neighbour.resolve().parent
        roots.append(parent)
        if parent.name == JOBS and is_file(parent.parent / COMPARISON):
            roots.append(parent.parent.parent)
    for root in dict.fromkeys(roots):
        for folder in _inside(root):
            yield folder
            if is_file(folder / COMPARISON):
                yield from _inside(folder / JOBS)


def _inside(folder: Path) -> list[Path]:
    try:
        return entries(folder)
    except RunFolderError:
        return []


def _texts(value: object) -> set[str]:
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
