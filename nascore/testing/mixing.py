"""Mixtures of a relaxation, made as the engine makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.testing.choices import generator, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torch import Tensor

    from nascore.contract import Relaxation
    from nascore.description import ChoiceGroup, Pick
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
    for seed in range(draws):
        yield "drawn", relaxation.mixture(theta, segments, generator=generator(seed)).weights.detach()
    yield "expected", relaxation.expected(theta, segments).detach()


def sums(weights: Tensor, segments: Tensor) -> list[float]:
    """Return the sum of the weights of each segment."""
    numbers = sorted(set(segments[segments >= 0].tolist()))
    return [float(weights[segments == number].double().sum()) for number in numbers]
