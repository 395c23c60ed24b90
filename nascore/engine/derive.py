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
    final,
    fingerprint,
    reducing,
    resize,
    spread,
    with_auxiliary,
    without_auxiliary,
)
from nascore.engine.return_checks import ReturnCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts, Pooling, Search, Selecting
    from nascore.description import ChoiceGroup, Description, Pick, Picks
    from nascore.nn import ArchitectureState
    from nascore.recipe.sources.run_settings import TrainingSettings

    Close = Callable[[Mapping[str, list[list[float]]]], Description]


def selects(search: Search) -> bool:
    """Return whether the relaxation declares for its settings that it says itself what stands."""
    return "selects" in search.declared


def picks_of(description: Description, search: Search) -> Picks:
    """Return what stands: the relaxation's own picks, or what the groups' rule keeps of the strengths.

    Ranked in the numbers that were trained, 32-bit floats: in 64 bits ties fall otherwise.
    """
    state = search.state
    if selects(search):
        return {name: _selected(description, search, name) for name in state.theta}
    return choose(description, {name: value.tolist() for name, value in search.strength().items()})


def _selected(description: Description, search: Search, name: str) -> list[Pick]:
    """Return what the relaxation says stands in a group, without what its rule never keeps.

    What is never kept, such as `none` on each edge of a node, competes as one entry of a segment, with the
    sum of its weights (DATA derives so). Where nothing is left of a segment once such picks are dropped, the
    relaxation is asked again, with only what may be kept in the competition. A segment of which it picked
    nothing stays empty.

    Raises:
        PluginError: The relaxation gives something else than entries that compete, or none of the group.
    """
    relaxation = search.annealed()
    group, theta = search.state.groups[name], search.state.theta[name].detach()
    segments = search.state.segments(name)
    never = [column for column, op in enumerate(group.ops) if op in description.groups[name].never]
    pool = partial(_pooled, cast("Pooling", relaxation)) if "pools" in search.declared else _log_sum
    selecting = cast("Selecting", relaxation)
    merged = _merged(theta, segments, never, pool)
    asked = _asked(selecting, *merged, group, name)
    picks = [pick for pick in asked if pick[1] not in never]
    served = {int(segments[row, column]) for row, column in picks}
    emptied = {int(segments[row, column]) for row, column in asked if column in never} - served
    left = segments.clone()
    left[:, never] = -1
    alone = left.where(torch.isin(left, torch.tensor(sorted(emptied), device=left.device)), -1)
    if bool((alone >= 0).any()):
        picks += _asked(selecting, theta, alone, group, name)
    if not picks and bool((left >= 0).any()):
        raise ReturnCheck(relaxation, "picks", "relaxation").wrong(f"no pick for {name}", "at least one")
    return picks


def _asked(
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
    """Return theta and segments in which these columns of a segment are one entry, with their sum."""
    theta, merged = theta.clone(), segments.clone()
    marked = torch.zeros_like(segments, dtype=torch.bool)
    marked[:, columns] = True
    for segment in sorted(set(segments[marked & (segments >= 0)].tolist())):
        places = (marked & (segments == segment)).nonzero()
        rows, held = places.unbind(1)
        theta[rows[0], held[0]] = pool(theta[rows, held])
        merged[rows[1:], held[1:]] = -1
    return theta, merged


def derived(description: Description, search: Search) -> Description:
    """Return the architecture that the search would choose now, at the size that it was searched in."""
    return derive(description, picks_of(description, search))


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


ZERO = "its output is zero whatever the images are: all that reaches it is none"
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
    if selects(search):
        expected = search.expected()
        tied = {name: _equals(search, name, expected[name], kept) for name, kept in picks.items()}
    else:
        tied = _by_order(description, search.strength(), picks)
    yield from _ties(search.state, tied)


def unreached(search: Search) -> Iterator[str]:
    """Yield a sentence for each group whose mixture got no gradient in any architecture step of a search.

    In single steps that is as it must be: a sampler that runs what it drew alone may draw `none` there.
    """
    # A trainer that takes no draw of the engine's reaches none that is known.
    for name in search.state.theta if search.reached else ():
        if name not in search.reached:
            yield (
                f"group {name}: no gradient reached its choices in {search.moves} architecture steps: "
                "nothing reads its nodes, or a part detaches what they give"
            )


def undecided_child(
    parent: Description, opened: Description, child: Description, search: Search, close: Close
) -> Iterator[str]:
    """Yield a sentence for each choice of a child that fell by the order of equals, or that keeps nothing.

    A growth policy has its own rule of what it keeps, so it is asked again where the later of equals is the
    stronger, and where the earlier is: if that gives another architecture, their order decided.

    Args:
        parent: What grew.
        opened: The parent with its candidates.
        child: What was made of it.
        search: What was learned of the candidates.
        close: Gives the child for strengths, as the policy does.
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
        yield from sentences or ["equally strong candidates; in another order of them others would be kept"]
    before, after = parent.graphs(), child.graphs()
    for name in dict.fromkeys(row[0] for group in search.state.groups.values() for row in group.rows):
        if name in after and after[name] == before.get(name):
            yield f"{name}: none of the candidates is kept"
    old = set(empty_nodes(parent))
    yield from (text for text in empty_nodes(child) if text not in old)


def _without_ties(matrix: Sequence[Sequence[float]], segment: str, *, last: bool) -> list[list[float]]:
    """Return strengths in which of equals the later is the stronger, or the earlier, by as little as can be.

    Where several rows compete as one, a candidate of strength 0 is out and stays so.
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
                "and what stands is the first of equals"
            )
        else:
            yield f"group {name}: equally strong candidates; the first of them stands, on {_listed(nodes)}"


def empty_nodes(description: Description) -> Iterator[str]:
    """Yield a sentence for each graph of a closed description in which nodes keep nothing but `none`."""
    zero = set(zero_graphs(description))
    for name, graph in description.graphs().items():
        inner = [node for node in graph.nodes if node.edges and any(edge.ops for edge in node.edges)]
        empty = [node.name for node in inner if all(set(edge.ops) == {NOTHING} for edge in node.edges)]
        if name in zero:
            yield f"{name}: {ZERO}"
        elif empty:
            yield f"{name}: {_listed(empty)} keep{'s' * (len(empty) == 1)} nothing but none"


def zero_graphs(description: Description) -> list[str]:
    """Return the graphs of a closed description whose output is zero: each way to it passes a `none`."""
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
