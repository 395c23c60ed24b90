"""The picks of an architecture, recovered from its closed description, and those of its neighbours."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from nascore.description.derive import NOTHING
from nascore.description.expand import expand
from nascore.description.problems import ProblemCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nascore.description.derive import Pick, Picks
    from nascore.description.graph import Description
    from nascore.description.plan import ChoiceGroup
    from nascore.description.values import Edge, Group, Node, Op


Change: TypeAlias = "tuple[list[Pick], list[Pick]]"
"""Picks of a group that are replaced, and the picks that replace them."""

Changes: TypeAlias = "Callable[[ChoiceGroup, Group, Sequence[Pick]], Iterator[Change]]"


def recover_picks(space: Description, closed: Description) -> Picks:
    """Return the picks from which an architecture of a space was derived.

    It is the inverse of :func:`derive`, also after an edit of the closed description that keeps the names of
    its nodes: :func:`final`, :func:`resize` and :func:`with_auxiliary`.

    Args:
        space: The open description of the space.
        closed: An architecture of it.

    Raises:
        DescriptionError: The closed description is not an architecture of the space.
    """
    found = ProblemCollector()
    layouts = expand(space).layouts
    rows = {row: (name, at) for name, layout in layouts.items() for at, row in enumerate(layout.rows)}
    picks: Picks = {name: [] for name in layouts}
    for graph, node in dict.fromkeys(row[:2] for row in rows):
        opened, closed_node = space.graphs()[graph].node(node), _node_of(closed, graph, node)
        if opened is None or closed_node is None:
            found.add(f"{graph}/{node}", "the architecture has no such node.")
            continue
        for edge in _chosen_edges(opened, closed_node):
            place = rows.get((graph, node, str(edge.source)))
            if place is None:
                found.add(f"{graph}/{node}", f"the space has no choice on an edge from {edge.source}.")
                continue
            name, row = place
            picks[name] += _picks_of_edge(edge, row, layouts[name], space.groups[name], found)
    found.stop()
    return picks


def neighbours(space: Description, picks: Mapping[str, Sequence[Pick]]) -> list[Picks]:
    """Return the picks that differ by one operation or one edge, and that the rules of the groups may keep.

    Args:
        space: The open description of the space.
        picks: The picks of one of its architectures.
    """
    return [*operation_changes(space, picks), *edge_moves(space, picks)]


def operation_changes(space: Description, picks: Mapping[str, Sequence[Pick]]) -> list[Picks]:
    """Return the picks in which one operation of an edge is replaced by another of the same edge."""
    return _changed(space, picks, _operation_changes)


def edge_moves(space: Description, picks: Mapping[str, Sequence[Pick]]) -> list[Picks]:
    """Return the picks in which one edge of a node is replaced by an edge from another source.

    The new edge has the operations of the old one, as far as it offers them.
    """
    return _changed(space, picks, _edge_moves)


def _node_of(description: Description, graph: str, node: str) -> Node | None:
    graphs = description.graphs()
    return graphs[graph].node(node) if graph in graphs else None


def _chosen_edges(opened: Node, closed: Node) -> list[Edge]:
    """Return the edges of a closed node that were chosen, without those that the space fixes."""
    fixed = {str(edge.source) for edge in opened.edges if edge.group is None}
    return [edge for edge in closed.edges if str(edge.source) not in fixed]


def _plain(ops: Sequence[Op]) -> list[Op]:
    """Return operations without the settings that :func:`final` removes."""
    return [op.without("affine", "pool_norm") for op in ops]


def _picks_of_edge(
    edge: Edge, row: int, layout: ChoiceGroup, group: Group, found: ProblemCollector
) -> Iterator[Pick]:
    names = _plain(layout.ops)
    for op in _plain(edge.ops):
        columns = [at for at in _offered(layout, group, row) if names[at] == op]
        if columns:
            yield row, columns[0]
        elif op.name != NOTHING.name:  # the operation of a node without a pick
            found.add("/".join(layout.rows[row][:2]), f"the space offers no {op} from {edge.source}.")


def _offered(layout: ChoiceGroup, group: Group, row: int) -> list[int]:
    """Return the columns that a row offers and the rule may keep."""
    return [
        column
        for column, there in enumerate(layout.mask[row])
        if there and layout.ops[column] not in group.never
    ]


def _changed(space: Description, picks: Mapping[str, Sequence[Pick]], changes: Changes) -> list[Picks]:
    """Return the picks after each single change of a group."""
    found: list[Picks] = []
    for name, layout in expand(space).layouts.items():
        kept = list(picks[name])
        for old, new in changes(layout, space.groups[name], kept):
            at = kept.index(old[0])
            rest = [pick for pick in kept if pick not in old]
            place = sum(pick not in old for pick in kept[:at])
            changed = [*rest[:place], *new, *rest[place:]]
            found.append({**{other: list(each) for other, each in picks.items()}, name: changed})
    return found


def _operation_changes(layout: ChoiceGroup, group: Group, kept: Sequence[Pick]) -> Iterator[Change]:
    for row, column in kept:
        for other in _offered(layout, group, row):
            if (row, other) not in kept:
                yield [(row, column)], [(row, other)]


def _edge_moves(layout: ChoiceGroup, group: Group, kept: Sequence[Pick]) -> Iterator[Change]:
    rows = dict.fromkeys(row for row, _ in kept)
    for row in rows:
        columns = [column for at, column in kept if at == row]
        for other, node in enumerate(layout.rows):
            if other == row or node[:2] != layout.rows[row][:2]:
                continue
            offered = _offered(layout, group, other)
            if group.segment == "node":
                # The entries of a node compete as one: a single one moves, also to an edge that has others.
                free = [to for to in offered if (other, to) not in kept]
                yield from (([(row, column)], [(other, to)]) for column in columns for to in free)
            elif other not in rows:
                old = [(row, column) for column in columns]
                yield from ((old, new) for new in _moved(columns, offered, other, group.keep))


def _moved(columns: Sequence[int], offered: Sequence[int], row: int, keep: int) -> Iterator[list[Pick]]:
    """Yield the picks of a moved edge: its operations, and any others for those that the new row lacks."""
    shared = [column for column in columns if column in offered]
    others = [column for column in offered if column not in shared]
    for more in combinations(others, min(keep, len(offered)) - len(shared)) if offered else ():
        yield [(row, column) for column in (*shared, *more)]
