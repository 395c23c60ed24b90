"""Small choice groups and their states for the checks: equal and unequal sizes, masks, node segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from attrs import evolve

from nascore.description import ChoiceGroup, Op
from nascore.description.derive import NOTHING
from nascore.description.plan import segments
from nascore.nn import ArchitectureState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Relaxation
    from nascore.description import Pick
    from nascore.description.values import Segment


SIZES: Final = (0.5, 4.0, 2.0, 0.05, 0.2, 1.0, 0.02)
"""Sizes of slopes that vary: large ones, whose momentum outweighs the small ones that follow."""


def group(  # noqa: PLR0913 - a group's facts, each by name
    rows: int,
    columns: int,
    *,
    out: Iterable[Pick] = (),
    segment: Segment = "edge",
    replicas: int = 1,
    keep: int = 1,
) -> ChoiceGroup:
    """Return a choice group; two rows each lead to the same node, and the first operation is `none`.

    Args:
        rows: E.
        columns: O.
        out: (row, column) pairs that are masked.
        segment: The entries that compete: those of an edge, or of a node.
        replicas: K.
        keep: How many of a segment must survive.
    """
    masked = set(out)
    names = tuple(("cell", f"n{row // 2}", f"in{row}") for row in range(rows))
    mask = tuple(tuple((row, column) not in masked for column in range(columns)) for row in range(rows))
    return ChoiceGroup(
        rows=names,
        ops=(NOTHING, *(Op(f"op{column}") for column in range(1, columns))),
        mask=mask,
        segments=segments(names, mask, segment),
        replicas=replicas,
        keep=keep,
    )


def alike() -> dict[str, ChoiceGroup]:
    """Return two groups of one size, without a mask."""
    return {"first": group(2, 3, replicas=2), "second": group(2, 3, replicas=2)}


def masked() -> dict[str, ChoiceGroup]:
    """Return one group with two masked entries."""
    return {"masked": group(3, 4, out=((0, 3), (2, 0)))}


def unlike() -> dict[str, ChoiceGroup]:
    """Return groups of different size: some masked, used several times, or competing by node."""
    return {
        "narrow": group(1, 2),
        "node": group(4, 3, segment="node", keep=2),
        "used": group(2, 4, replicas=3),
        "wide": group(3, 5, out=((0, 4), (2, 1), (2, 2))),
    }


def ruled() -> dict[str, ChoiceGroup]:
    """Return the groups of :func:`unlike`, and one whose rule keeps one edge a node and never `none`."""
    edges = evolve(group(4, 3), segment="edge", edges=1, never=(NOTHING,))
    return {"edges": edges, **unlike()}


def state_of(
    groups: Mapping[str, ChoiceGroup],
    *,
    theta: Mapping[str, Tensor] | None = None,
    dead: Mapping[str, Iterable[Pick]] | None = None,
) -> ArchitectureState:
    """Return a state of groups: theta at zero, and all alive that is offered, unless it is said otherwise."""
    alive = {name: torch.tensor(one.mask) for name, one in groups.items()}
    for name, picks in (dead or {}).items():
        for row, column in picks:
            alive[name][row, column] = False
    return ArchitectureState(
        groups=groups,
        theta=theta or {name: torch.zeros(len(one.rows), len(one.ops)) for name, one in groups.items()},
        alive=alive,
    )


def generator(seed: int) -> torch.Generator:
    """Return a generator on the CPU."""
    return torch.Generator().manual_seed(seed)


def scattered(groups: Mapping[str, ChoiceGroup], seed: int, *, size: float = 0.5) -> dict[str, Tensor]:
    """Return by group [E, O] numbers from -size to size, no two of them equal, in an order by the seed."""
    drawing = generator(seed)
    numbers = {}
    for name in sorted(groups):
        count = len(groups[name].rows) * len(groups[name].ops)
        order = torch.randperm(count, generator=drawing)
        numbers[name] = torch.linspace(-size, size, count)[order].reshape(-1, len(groups[name].ops))
    return numbers


def varying(groups: Mapping[str, ChoiceGroup], seed: int, step: int) -> dict[str, Tensor]:
    """Return by group [E, O] the slopes of one step, whose signs and sizes change from step to step.

    A rule that follows signs moves alike on constant slopes, with its momentum and without: lost state would
    not show.

    Args:
        groups: The groups.
        seed: Of the whole sequence.
        step: Number of the step, from 0.
    """
    return scattered(groups, 1000 * seed + step, size=SIZES[step % len(SIZES)])


def leaders(values: Tensor, competing: Tensor) -> dict[int, int]:
    """Return by segment the flat place of its largest value.

    Args:
        values: [E, O].
        competing: [E, O], segments; -1 stands outside.
    """
    flat, kinds = values.flatten(), competing.flatten()
    found = {}
    for segment in sorted(set(kinds[kinds >= 0].tolist())):
        places = torch.nonzero(kinds == segment).flatten()
        found[segment] = int(places[flat[places].argmax()])
    return found


def states(
    relaxation: Relaxation,
    groups: Mapping[str, ChoiceGroup],
    theta: Mapping[str, Tensor],
    *,
    dead: Mapping[str, Iterable[Pick]] | None = None,
) -> Iterator[tuple[str, ArchitectureState]]:
    """Yield the name of each group and a state of all, segmented as the relaxation asks.

    Args:
        relaxation: The relaxation.
        groups: The choices.
        theta: By group [E, O].
        dead: By group what is not alive, though offered.
    """
    if relaxation.segment is not None:
        groups = {name: one.segmented(relaxation.segment) for name, one in groups.items()}
    state = state_of(groups, theta=theta, dead=dead)
    for name in groups:
        yield name, state


def of_group(state: ArchitectureState, name: str) -> tuple[Tensor, Tensor, ChoiceGroup]:
    """Return the arguments of a relaxation for a group: theta, segments and the group."""
    return state.theta[name], state.segments(name), state.groups[name]


def offered_and_alive(state: ArchitectureState, name: str) -> Tensor:
    """Return which entries of a group are offered and alive, [E, O] bool."""
    return state.segments(name) >= 0


def mixtures(
    relaxation: Relaxation,
    state: ArchitectureState,
    name: str,
    *,
    draws: int = 1,
) -> Iterator[tuple[str, Tensor]]:
    """Yield drawn mixtures of a group and the expected one, [E, O], each with the word for it.

    Args:
        relaxation: Gives them.
        state: Holds theta.
        name: Of the group.
        draws: How many are drawn.
    """
    given = of_group(state, name)
    for seed in range(draws):
        yield "drawn", relaxation.mixture(*given, generator=generator(seed)).weights.detach()
    yield "expected", relaxation.expected(*given).detach()


def shortfall(weights: Tensor, segments: Tensor, ops: Sequence[Op]) -> float:
    """Return by how much the weights of a segment fail to sum to 1, the most of all segments.

    With `none` or without it: what it gives is zero, so that its weight decides on nothing.
    """
    acts = torch.tensor([op != NOTHING for op in ops], device=weights.device).expand(weights.shape)
    lacks = [0.0]
    for number in sorted(set(segments[segments >= 0].tolist())):
        inside = segments == number
        totals = [float(weights[held].double().sum()) for held in (inside, inside & acts)]
        lacks.append(min(abs(total - 1) for total in totals))
    return max(lacks)
