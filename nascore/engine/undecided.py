"""What a search did not decide: choices that fell by the order of equals, and nodes that keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description import NOTHING, choose
from nascore.engine.derive import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.description import ChoiceGroup, Description, Picks
    from nascore.engine.phase import Search

MOST_NAMED = 4
"""How many nodes a warning names."""


def undecided(description: Description, search: Search, picks: Picks) -> Iterator[str]:
    """Yield a sentence for each group in which what stands was decided by the order of equals.

    A choice fell so if something that does not stand is exactly as strong as something that does, and would
    stand in another order of rows and columns.

    Args:
        description: The open description.
        search: What was learned of its choices.
        picks: What stands.
    """
    expected, state = search.expected(), search.state
    if selects(search):
        tied = {name: _equals(search, name, expected[name], kept) for name, kept in picks.items()}
    else:
        tied = _by_order(description, search.updater.strength(state, expected), picks)
    for name, rows in tied.items():
        group = state.groups[name]
        nodes = _nodes(group, rows)
        if not nodes:
            continue
        live = state.theta[name].detach()[state.segments(name) >= 0]
        if live.numel() > 1 and bool((live == live[0]).all()):
            yield (
                f"group {name}: nothing was learned of its choices: all architecture parameters are equal, "
                "and what stands is the first of equals"
            )
        else:
            yield f"group {name}: equally strong candidates; the first of them stands, on {_listed(nodes)}"


def empty_nodes(description: Description) -> Iterator[str]:
    """Yield a sentence for each graph of a closed description in which nodes keep nothing but `none`."""
    for name, graph in description.graphs().items():
        inner = [node for node in graph.nodes if node.edges and any(edge.ops for edge in node.edges)]
        empty = [node.name for node in inner if all(set(edge.ops) == {NOTHING} for edge in node.edges)]
        zero = _zero_states(description, name)
        if zero:
            yield f"{name}: its output is zero whatever the images are: all that reaches it is none"
        elif empty:
            yield f"{name}: {_listed(empty)} keep{'s' * (len(empty) == 1)} nothing but none"


def _zero_states(description: Description, name: str) -> bool:
    """Return whether the output of a graph is zero, since each way to it passes a `none`."""
    graph = description.graphs()[name]
    zero: set[str] = set()
    for placed in graph.scope.placed:
        edges = zip(placed.node.edges, placed.sources, strict=True)
        if (
            placed.node.cell is None
            and all(source in zero or set(edge.ops) == {NOTHING} for edge, source in edges)
        ) or (placed.node.cell is not None and all(source in zero for source in placed.sources)):
            zero.add(placed.name)
    return str(graph.scope.names.get(graph.output, graph.output)) in zero


def _by_order(description: Description, strength: Mapping[str, Tensor], picks: Picks) -> dict[str, set[int]]:
    """Return by group the rows whose choice differs where of equals the later stands."""
    values = {name: value.tolist() for name, value in strength.items()}
    other = choose(description, values, last=True)
    return {name: {row for row, _ in set(kept) ^ set(other[name])} for name, kept in picks.items()}


def _equals(search: Search, name: str, expected: Tensor, kept: Sequence[tuple[int, int]]) -> set[int]:
    """Return the rows in which something that does not stand is as probable as something that does."""
    segments, group = search.state.segments(name).tolist(), search.state.groups[name]
    shares, stands = expected.tolist(), set(kept)
    weakest: dict[int, set[float]] = {}
    for row, column in kept:
        weakest.setdefault(segments[row][column], set()).add(shares[row][column])
    return {
        row
        for row, owners in enumerate(segments)
        for column, owner in enumerate(owners)
        if owner >= 0
        and (row, column) not in stands
        and group.ops[column] != NOTHING
        and shares[row][column] in weakest.get(owner, ())
    }


def _nodes(group: ChoiceGroup, rows: Iterable[int]) -> list[str]:
    return list(dict.fromkeys(f"{group.rows[row][0]}.{group.rows[row][1]}" for row in sorted(rows)))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
