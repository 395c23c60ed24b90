"""The state of a phase as one value, of tensors and plain values only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.contract import Trainer
    from nascore.engine.phase import Phase, Search


@runtime_checkable
class Remembering(Protocol):
    """A regularizer with a state, such as a weight that grows; most have none."""

    def state_dict(self) -> dict[str, Any]:
        """Return all state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


def capture(phase: Phase, trainer: Trainer) -> dict[str, Any]:
    """Return all that decides how the phase goes on; `torch.load(weights_only=True)` can read it back."""
    state: dict[str, Any] = {
        "network": {name: value.clone() for name, value in phase.network.state_dict().items()},
        "trainer": trainer.state_dict(),
        "batches": {name: batches.state_dict() for name, batches in phase.batches.items()},
        "streams": phase.streams.state_dict(),
    }
    if phase.search is not None:
        state["architecture"] = phase.search.state.state_dict()
        state["updater"] = phase.search.updater.state_dict()
        state["regularizers"] = {place: one.state_dict() for place, one in _remembering(phase.search).items()}
    return state


def restore(phase: Phase, trainer: Trainer, state: Mapping[str, Any]) -> None:
    """Take over a state.

    Args:
        phase: A phase built like the one that was captured.
        trainer: Its trainer, already started on it.
        state: What :func:`capture` returned.
    """
    phase.network.load_state_dict(state["network"])
    if phase.search is not None:
        phase.search.state.load_state_dict(state["architecture"])
        phase.search.updater.load_state_dict(state["updater"])
        for place, regularizer in _remembering(phase.search).items():
            regularizer.load_state_dict(state["regularizers"][place])
    trainer.load_state_dict(state["trainer"])
    for name, batches in phase.batches.items():
        batches.load_state_dict(state["batches"][name])
    # Last, since building objects draws.
    phase.streams.load_state_dict(state["streams"])


def _remembering(search: Search) -> dict[int, Remembering]:
    """Return the regularizers that have a state, by their place in the recipe."""
    return {place: one for place, one in enumerate(search.regularizers) if isinstance(one, Remembering)}
