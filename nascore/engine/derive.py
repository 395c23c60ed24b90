"""From what a search has learned to a closed description, ready for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from attrs import evolve

from nascore.description import (
    choose,
    derive,
    final,
    reducing,
    resize,
    spread,
    with_auxiliary,
    without_auxiliary,
)
from nascore.engine.returned import Returned

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from nascore.contract import DataFacts
    from nascore.description import Description, Pick, Picks
    from nascore.engine.phase import Search
    from nascore.recipe.run_settings import TrainingSettings


@runtime_checkable
class Pooling(Protocol):
    """A relaxation whose theta is no logarithm, so that it says itself what several entries are as one."""

    def pooled(self, theta: Tensor) -> Tensor:
        """Return the parameter, a scalar, of entries [n] that compete as one."""
        ...


@runtime_checkable
class Selecting(Protocol):
    """A relaxation that says itself which entries stand (the capability `selects`)."""

    def picks(self, theta: Tensor, segments: Tensor) -> list[Pick]:
        """Return the (row, column) pairs that stand, strongest first."""
        ...


def selects(search: Search) -> bool:
    """Return whether the relaxation says itself what stands: it can, and declares it for its settings."""
    return search.selects and isinstance(search.relaxation, Selecting)


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
    sum of its weights (DATA derives so). Where a segment would have nothing left, it is asked again, with
    only what may be kept in the competition.

    Raises:
        PluginError: The relaxation gives something else than entries that compete, or none of the group.
    """
    relaxation = search.relaxing(name)
    assert isinstance(relaxation, Selecting)
    group, theta = search.state.groups[name], search.state.theta[name].detach()
    segments = search.state.segments(name)
    never = [column for column, op in enumerate(group.ops) if op in description.groups[name].never]
    pool = relaxation.pooled if isinstance(relaxation, Pooling) else _log_sum
    merged = _merged(theta, segments, never, pool)
    picks = [pick for pick in _asked(relaxation, *merged, name) if pick[1] not in never]
    left = segments.clone()
    left[:, never] = -1
    served = {int(segments[row, column]) for row, column in picks}
    empty = [one for one in sorted(set(left[left >= 0].tolist())) if one not in served]
    if not empty:
        return picks
    alone = left.where(torch.isin(left, torch.tensor(empty, device=left.device)), -1)
    picks += _asked(relaxation, theta, alone, name)
    if not picks:
        raise Returned(relaxation, "picks", "relaxation").wrong(f"no pick for {name}", "at least one")
    return picks


def _asked(relaxation: Selecting, theta: Tensor, segments: Tensor, name: str) -> list[Pick]:
    return Returned(relaxation, "picks", "relaxation").picks(
        relaxation.picks(theta, segments), segments, name
    )


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
