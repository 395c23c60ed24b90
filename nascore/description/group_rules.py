"""What a choice group promises: which operations there are, which may be kept, and how many are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nascore.description.names import UNREAD
from nascore.description.problems import Found, nearest
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.description.op import Op
    from nascore.description.values import Group

_SEGMENTS = ("edge", "node")


def check_group(group: Group) -> None:
    """Check what one group declares.

    Raises:
        DescriptionError: With every problem.
    """
    found = Found()
    if not group.ops:
        found.add("ops", "a group needs operations.")
    check_unique(group.ops, "in one group", found)
    check_unique(group.never, "under never", found)
    if group.segment not in _SEGMENTS:
        found.add(
            "segment",
            f"must be edge or node, not {group.segment!r}.",
            hint=did_you_mean(str(group.segment), _SEGMENTS),
        )
    found.whole("keep", group.keep, 1)
    if group.edges is not None:
        found.whole("edges", group.edges, 1)
        if group.segment == "node":
            found.add("edges", "has no meaning where a whole node competes: keep says how many stay.")
    for op in unlisted(group.never, group.ops):
        hint = nearest(str(op), map(str, group.ops))
        found.add("never", f"{op} is not among the group's operations.", hint=hint, spot=str(op))
    _check_keeping(group, found)
    found.stop()


def check_unique(ops: Iterable[Op], where: str, found: Found) -> None:
    """Note every operation that stands twice in one place."""
    for op, count in Counter(ops).items():
        if count > 1:
            found.add("ops", f"the operation {op} stands {where} twice.")


def unlisted(ops: Iterable[Op], known: Sequence[Op]) -> Iterator[Op]:
    """Yield the operations that are not among the known ones; none where not all of those could be read."""
    if not any(op.name is UNREAD for op in known):
        yield from (op for op in ops if op not in known and op.name is not UNREAD)


def _check_keeping(group: Group, found: Found) -> None:
    """Check that as many operations as an edge keeps can be kept."""
    may = [op for op in group.ops if op not in group.never]
    if group.ops and not may:
        found.add("never", "every operation of the group is never kept, so deriving would keep nothing.")
    elif group.segment == "edge" and isinstance(group.keep, int) and group.keep > max(len(may), 1):
        count = f"{len(may)} operation{'' if len(may) == 1 else 's'}"
        found.add("keep", f"an edge cannot keep {group.keep}: {count} of the group may be kept.")
