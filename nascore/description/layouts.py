"""The choice groups of a plan."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nascore.description.names import GROWN
from nascore.description.plan import ChoiceGroup, Row, segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description.checks import Checks
    from nascore.description.op import Op
    from nascore.description.plan import State
    from nascore.description.values import Description


def lay_out(description: Description, states: Sequence[State], checks: Checks) -> dict[str, ChoiceGroup]:
    """Return what relaxations and updaters see of every group.

    Notes a problem for a group that no use reaches, that stands in two graphs, or whose edges are used
    unequally often.
    """
    offers = {
        (graph, node.name, str(edge.source)): edge.ops
        for graph, node, edge in description.edges()
        if edge.group is not None
    }
    uses = _count(states)
    return {
        name: _layout(description, name, checks, offers, uses.get(name, Counter()))
        for name in description.groups
    }


def _count(states: Sequence[State]) -> dict[str, Counter[int]]:
    """Return per group how often each of its rows is used."""
    uses: dict[str, Counter[int]] = {}
    for state in states:
        for wire in state.wires:
            if wire.group is not None:
                uses.setdefault(wire.group, Counter())[wire.row] += 1
    return uses


def _layout(
    description: Description,
    name: str,
    checks: Checks,
    offers: dict[Row, tuple[Op, ...]],
    uses: Counter[int],
) -> ChoiceGroup:
    group = description.groups[name]
    rows = tuple(checks.rows[name])
    graphs = sorted({graph for graph, _, _ in rows})
    counts = sorted({uses[row] for row in range(len(rows))})
    if not uses:
        checks.tell(f"groups.{name}", "unused", "no use in the network reaches this group.")
    elif len(graphs) > 1:
        checks.tell(f"groups.{name}", "graphs", f"its edges lie in several graphs: {', '.join(graphs)}.")
    elif len(counts) > 1:
        text = f"its edges are used unequally often: {' and '.join(str(each) for each in counts)} times."
        checks.tell(f"groups.{name}", "uses", text)
    _check_room(name, rows, offers, checks)
    mask = tuple(tuple(op in offers[row] for op in group.ops) for row in rows)
    return ChoiceGroup(
        rows=rows,
        ops=group.ops,
        mask=mask,
        segments=segments(rows, mask, group.segment),
        replicas=max(counts, default=0),
        keep=group.keep,
        segment=group.segment,
        edges=group.edges,
        never=group.never,
    )


def _check_room(name: str, rows: tuple[Row, ...], offers: dict[Row, tuple[Op, ...]], checks: Checks) -> None:
    """Check that some node offers as much as the group's rule would keep of each."""
    group = checks.description.groups[name]
    may: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        kept = sum(op not in group.never for op in offers[row])
        may[row[:2]] += min(kept, 1) if group.segment == "edge" else kept
    most = max(may.values(), default=0)
    if group.segment == "edge" and group.edges is not None and 0 < most < group.edges:
        text = f"a node cannot keep {group.edges} edges: none has more than {most} in this group."
        checks.tell(f"groups.{name}.edges", "room", text)
    if group.segment == "node" and 0 < most < group.keep and not name.startswith(GROWN):
        text = f"a node cannot keep {group.keep}: none offers more than {most} in this group."
        checks.tell(f"groups.{name}.keep", "room", text)
