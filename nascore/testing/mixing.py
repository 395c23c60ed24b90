"""Mixtures of a relaxation, made as the engine makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.description.derive import NOTHING
from nascore.engine.phase import Grouped
from nascore.testing.choices import generator, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Relaxation
    from nascore.description import ChoiceGroup, Op, Pick
    from nascore.nn import ArchitectureState


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


def live(state: ArchitectureState, name: str) -> Tensor:
    """Return what of a group is offered and alive, [E, O] bool."""
    return state.segments(name) >= 0


def mixtures(
    relaxation: Relaxation, state: ArchitectureState, name: str, *, draws: int = 1
) -> Iterator[tuple[str, Tensor]]:
    """Yield drawn mixtures of a group and the expected one, [E, O], each with the word for it."""
    theta, segments = state.theta[name], state.segments(name)
    relaxation = relaxation.within(state.groups[name]) if isinstance(relaxation, Grouped) else relaxation
    for seed in range(draws):
        yield "drawn", relaxation.mixture(theta, segments, generator=generator(seed)).weights.detach()
    yield "expected", relaxation.expected(theta, segments).detach()


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
