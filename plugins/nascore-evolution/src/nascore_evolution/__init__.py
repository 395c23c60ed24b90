"""Regularized evolution and local search for nascore: growth policies for any space.

This module declares the parts of the plugin and imports neither torch nor the code of the policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.api import Component, Need, hookimpl
from nascore_evolution.settings import EvolutionSettings, LocalSearchSettings, check_sample

if TYPE_CHECKING:
    from collections.abc import Iterable

UNREAD: Final = (
    "updater",
    "relaxation",
    "regularizer",
    *(
        f"trainer.{name}"
        for name in (
            "sequence",
            "epochs",
            "batch",
            "lr",
            "lr_min",
            "momentum",
            "weight_decay",
            "clip",
            "warm_up",
            "augment",
        )
    ),
)
"""Settings of a supernet, which these policies do not build."""

ALIKE: Final[dict[str, Any]] = {
    "slot": "growth",
    "needs": (
        Need(
            terms=("not updater.learns",),
            ask="an updater that learns nothing (uniform)",
            why="validation errors decide on the architectures, and the updater is never called",
            verdict="warned",
        ),
    ),
    "wishes": {"updater": "uniform"},
    "unread": dict.fromkeys(UNREAD, "architectures are trained by the settings ranking.*"),
}


@hookimpl
def nascore_growths() -> Iterable[Component]:
    """Yield the growth policies ``evolution`` and ``local-search``."""
    yield Component(
        name="evolution",
        summary="Trains mutations of good architectures, in a population that drops the oldest.",
        config=EvolutionSettings,
        build="nascore_evolution.evolution:Evolution",
        mini={"count": 8, "population": 4, "sample": 2},
        small={"count": 20, "population": 8, "sample": 3},
        check=check_sample,
        paper="arXiv 1802.01548",
        **ALIKE,
    )
    yield Component(
        name="local-search",
        summary="Moves to the best neighbour until none is better, then starts again.",
        config=LocalSearchSettings,
        build="nascore_evolution.local_search:LocalSearch",
        mini={"count": 8, "starts": 2},
        small={"count": 20, "starts": 4},
        paper="arXiv 2005.02960",
        **ALIKE,
    )
