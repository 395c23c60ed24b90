"""Counts earlier tests of an architecture on the same test images.

A run writes an opening to its `changes.jsonl` before it looks at the images, so evaluations that failed
afterwards count too. The run that found the architecture is over and is not written to: its neighbours are
read instead.
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
"""The event in `changes.jsonl`."""


@define
class Openings:
    """How often the test split was opened before.

    Attributes:
        found: The runs that did it, once an opening.
        unread: The runs of which it is not known, since their `changes.jsonl` cannot be read.
    """

    found: list[Path] = Factory(list)
    unread: list[Path] = Factory(list)


def openings(
    run: Path, architectures: Collection[str], images: str, *, near: Iterable[Path] = ()
) -> Openings:
    """Return the other runs that opened the test split for the same architecture and images.

    Read are the runs beside this one, where runs are kept, and beside others that are named; the jobs of
    comparisons there too. Of runs that were moved or deleted nothing is known.

    Args:
        run: The run under way, which does not count.
        architectures: Fingerprints of the architecture, as given and as trained; one in common is enough.
        images: Digest of the test images.
        near: Runs whose neighbours are read too.
    """
    own = run.resolve()
    seen = Openings()
    for folder in dict.fromkeys(_runs(run, near)):
        if folder == own:
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
    """Yield the folders of runs to read, resolved, some of them more than once."""
    roots = [default_root().resolve()]
    for one in (run, *near):
        parent = one.resolve().parent
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
