"""Derives a closed description from a finished search, ready for training."""

from __future__ import annotations

from collections import Counter
from functools import partial
from math import inf, nextafter
from typing import TYPE_CHECKING, cast

import torch
from attrs import evolve

from nascore.description import (
    NOTHING,
    choose,
    derive,
    expand,
    final,
    fingerprint,
    reducing,
    resize,
    spread,
    with_auxiliary,
    without_auxiliary,
)
from nascore.engine.return_checks import ReturnCheck
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts, Pooling, Search, Selecting
    from nascore.description import ChoiceGroup, Description, Pick, Picks
    from nascore.errors import PluginError
    from nascore.nn import ArchitectureState
    from nascore.recipe.sources.run_settings import TrainingSettings

    Close = Callable[[Mapping[str, list[list[float]]]], Description]


def selects(search: Search) -> bool:
    """Return whether the relaxation selects the architecture itself: it declares `selects`."""
    return "selects" in search.declared


def picks_of(description: Description, search: Search) -> Picks:
    """Return the selected entries by group: the relaxation's own picks, or those of the groups' rule.

    The rule ranks the 32-bit strengths of the training, since conversion to 64 bits would change ties.
    """
    state = search.state
    if selects(search):
        return {name: _selected(description, search, name) for name in state.theta}
    return choose(description, {name: value.tolist() for name, value in search.strength().items()})


def _selected(description: Description, search: Search, name: str) -> list[Pick]:
    """Return the relaxation's picks in a group, without operations in `never` of the group's rule.

    The entries of `never`, such as `none` on each edge of a node, compete as one entry of a segment, with the
    sum of their weights (as in DATA). If a segment has only such picks, the relaxation picks again among the
    other entries. A segment without any pick stays empty.

    Raises:
        PluginError: The relaxation did not return live entries, or no entry of the group.
    """
    relaxation = search.annealed()
    group, theta = search.state.groups[name], search.state.theta[name].detach()
    segments = search.state.segments(name)
    never = [column for column, op in enumerate(group.ops) if op in description.groups[name].never]
    pool = partial(_pooled, cast("Pooling", relaxation)) if "pools" in search.declared else _log_sum
    selecting = cast("Selecting", relaxation)
    merged = _merged(theta, segments, never, pool)
    found = _call_picks(selecting, *merged, group, name)
    picks = [pick for pick in found if pick[1] not in never]
    served = {int(segments[row, column]) for row, column in picks}
    emptied = {int(segments[row, column]) for row, column in found if column in never} - served
    left = segments.clone()
    left[:, never] = -1
    alone = left.where(torch.isin(left, torch.tensor(sorted(emptied), device=left.device)), -1)
    if bool((alone >= 0).any()):
        picks += _call_picks(selecting, theta, alone, group, name)
    if not picks and bool((left >= 0).any()):
        raise ReturnCheck(relaxation, "picks", "relaxation").wrong(f"no pick for {name}", "at least one")
    return picks


def _call_picks(
    relaxation: Selecting, theta: Tensor, segments: Tensor, group: ChoiceGroup, name: str
) -> list[Pick]:
    given = relaxation.picks(theta, segments, group)
    return ReturnCheck(relaxation, "picks", "relaxation").picks(given, segments, name)


def _pooled(relaxation: Pooling, theta: Tensor) -> Tensor:
    return ReturnCheck(relaxation, "pooled", "relaxation").tensor(relaxation.pooled(theta), ())


def _log_sum(theta: Tensor) -> Tensor:
    return theta.logsumexp(0)


def _merged(
    theta: Tensor, segments: Tensor, columns: list[int], pool: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return theta and segments; in each segment these columns are one entry, whose theta is pooled."""
    theta, merged = theta.clone(), segments.clone()
    marked = torch.zeros_like(segments, dtype=torch.bool)
    marked[:, columns] = True
    for segment in sorted(set(segments[marked & (segments >= 0)].tolist())):
        places = (marked & (segments == segment)).nonzero()
        rows, held = places.unbind(1)
        theta[rows[0], held[0]] = pool(theta[rows, held])
        merged[rows[1:], held[1:]] = -1
    return theta, merged


def derived(description: Description, search: Search, picks: Picks | None = None) -> Description:
    """Return the architecture that the search would choose now, at the size that it was searched in.

    Args:
        description: The open description.
        search: The search.
        picks: The selected entries by group; None: they are selected now.

    Raises:
        PluginError: No architecture can be built from the picks of a relaxation that selects.
    """
    picks = picks_of(description, search) if picks is None else picks
    found = derive(description, picks)
    if selects(search):
        try:
            expand(found)
        except DescriptionError as error:
            raise _unbuildable(search, picks, error) from error
    return found


def _unbuildable(search: Search, picks: Picks, error: DescriptionError) -> PluginError:
    """Return the error of picks that make no architecture, with the edges on which nothing is picked."""
    empty = [
        f"{'/'.join(row)} ({name})"
        for name, kept in picks.items()
        if search.state.groups[name].edges is None
        for row in _rows_without(search.state.groups[name], kept)
    ]
    without = f"; without a pick: {_listed(empty)}" if empty else ""
    reason = error.problems[0].text.rstrip(".")
    text = f"picks from which no architecture can be built ({error.problems[0].path}: {reason}{without})"
    due = "an operation on every edge of a group whose `edges` is None, as the space's rule keeps"
    return ReturnCheck(search.annealed(), "picks", "relaxation").wrong(text, due)


def _rows_without(group: ChoiceGroup, kept: Sequence[Pick]) -> Iterator[tuple[str, str, str]]:
    """Yield the edges of a group that offer operations, and on which none is picked."""
    picked = {row for row, _ in kept}
    for row, offered in enumerate(group.mask):
        if row not in picked and any(offered):
            yield group.rows[row]


def prepared(description: Description, training: TrainingSettings, facts: DataFacts) -> Description:
    """Return a closed description in the form in which it is trained from scratch on these data.

    Args:
        description: A closed description of any size.
        training: Gives width, depth, and whether there is an auxiliary head.
        facts: Gives channels and classes.
    """
    description = evolve(final(description), in_channels=facts.channels, classes=facts.classes)
    repeats = {} if training.cells is None else spread(description, training.cells)
    description = resize(description, channels=training.channels, repeats=repeats)
    if not training.auxiliary:
        return without_auxiliary(description)
    source = reducing(description) if description.auxiliary is None else None
    return description if source is None else with_auxiliary(description, source)


ZERO = "its output is zero for all images, since every path to it passes a none"
MOST_NAMED = 4
"""Number of nodes that a warning names."""


def undecided(description: Description, search: Search, picks: Picks) -> Iterator[str]:
    """Yield a warning for each group whose picks were decided by ties.

    A tie decided if a candidate that is not picked is exactly as strong as one that is, and would be picked
    in another order of rows and columns.

    Args:
        description: The open description.
        search: The finished search.
        picks: The selected entries by group.
    """
    if selects(search):
        expected = search.expected()
        tied = {name: _equals(search, name, expected[name], kept) for name, kept in picks.items()}
    else:
        tied = _by_order(description, search.strength(), picks)
    yield from _ties(search.state, tied)


def unreached(search: Search) -> Iterator[str]:
    """Yield a warning for each group whose mixture received no gradient in any architecture step.

    In a single step this is normal: a sampler that runs only the sampled operations may sample `none` there.
    """
    # For a trainer that does not use the engine's draws, reached groups are unknown.
    for name in search.state.theta if search.reached else ():
        if name not in search.reached:
            yield (
                f"group {name}: no gradient reached its choices in {search.moves} architecture steps: "
                "no node reads its nodes, or a component detaches their outputs"
            )


def undecided_child(
    parent: Description, opened: Description, child: Description, search: Search, close: Close
) -> Iterator[str]:
    """Yield a warning for each choice of a child that was decided by ties, or that keeps no candidate.

    A growth policy has its own rule, so it closes the parent again with ties broken towards later, and
    towards earlier candidates. If the result differs, ties decided.

    Args:
        parent: The parent.
        opened: The parent with its candidates.
        child: The child that the policy returned.
        search: The finished search over the candidates.
        close: Returns the policy's child for strengths.
    """
    strength = search.strength()
    ranked: dict[str, list[list[float]]] = {name: value.tolist() for name, value in strength.items()}
    segments = {name: opened.groups[name].segment for name in ranked}
    orders = [
        {name: _without_ties(matrix, segments[name], last=last) for name, matrix in ranked.items()}
        for last in (True, False)
    ]
    mark = fingerprint(child)
    if any(order != ranked and fingerprint(close(order)) != mark for order in orders):
        sentences = list(_ties(search.state, _by_order(opened, strength, choose(opened, ranked))))
        yield from sentences or ["equally strong candidates; in another order the child would keep others"]
    before, after = parent.graphs(), child.graphs()
    for name in dict.fromkeys(row[0] for group in search.state.groups.values() for row in group.rows):
        if name in after and after[name] == before.get(name):
            yield f"{name}: none of the candidates is kept"
    old = set(empty_nodes(parent))
    yield from (text for text in empty_nodes(child) if text not in old)


def _without_ties(matrix: Sequence[Sequence[float]], segment: str, *, last: bool) -> list[list[float]]:
    """Return strengths with ties broken towards the later, or the earlier entry, by the smallest amounts.

    In segments of a node a candidate of strength 0 is never kept, so it stays at 0.
    """
    seen: Counter[float] = Counter()
    found = [list(row) for row in matrix]
    places = [(row, column) for row, values in enumerate(found) for column in range(len(values))]
    for row, column in places if last else reversed(places):
        value = found[row][column]
        if value > 0 or segment == "edge":
            for _ in range(seen[value]):
                found[row][column] = nextafter(found[row][column], inf)
            seen[value] += 1
    return found


def _ties(state: ArchitectureState, tied: Mapping[str, set[int]]) -> Iterator[str]:
    for name, rows in tied.items():
        group = state.groups[name]
        nodes = _nodes(group, rows)
        if not nodes:
            continue
        live = state.theta[name].detach()[state.segments(name) >= 0]
        if live.numel() > 1 and bool((live == live[0]).all()):
            yield (
                f"group {name}: nothing was learned of its choices: all architecture parameters are equal, "
                "and the first candidates were picked"
            )
        else:
            yield f"group {name}: equally strong candidates; the first was picked, on {_listed(nodes)}"


def empty_nodes(description: Description) -> Iterator[str]:
    """Yield a warning for each graph of a closed description in which nodes have no operation but `none`."""
    zero = set(zero_graphs(description))
    for name, graph in description.graphs().items():
        inner = [node for node in graph.nodes if node.edges and any(edge.ops for edge in node.edges)]
        empty = [node.name for node in inner if all(set(edge.ops) == {NOTHING} for edge in node.edges)]
        if name in zero:
            yield f"{name}: {ZERO}"
        elif empty:
            verb = "has" if len(empty) == 1 else "have"
            yield f"{name}: {_listed(empty)} {verb} no operation but none"


def zero_graphs(description: Description) -> list[str]:
    """Return the graphs of a closed description whose output is zero: each path to it passes a `none`."""
    return [name for name in description.graphs() if _zero_states(description, name)]


def _zero_states(description: Description, name: str) -> bool:
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
    """Return by group the rows whose picks differ if the later of equal candidates wins."""
    values = {name: value.tolist() for name, value in strength.items()}
    other = choose(description, values, last=True)
    return {name: {row for row, _ in set(kept) ^ set(other[name])} for name, kept in picks.items()}


def _equals(search: Search, name: str, expected: Tensor, kept: Sequence[tuple[int, int]]) -> set[int]:
    """Return the rows with an entry that is not picked but as probable as a picked one of its segment."""
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
