"""Settings of the growth policies, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Problem, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.api import Choice


@frozen(kw_only=True)
class EvolutionSettings:
    """Regularized evolution; the defaults are those of the paper's searches."""

    count: int = setting(20_000, "Number of architectures to train.", ge=1, le=10**6)
    population: int = setting(
        100, "Number of latest architectures that may be parents; as many are drawn at first.", ge=1
    )
    sample: int = setting(
        25, "Architectures drawn from the population; the best of them is the parent.", ge=1
    )
    wave: int = setting(1, "Children trained at a time; all see the population as it was before.", ge=1)


@frozen(kw_only=True)
class LocalSearchSettings:
    """Local search that starts again at each local optimum."""

    count: int = setting(300, "Number of architectures to train.", ge=1, le=10**6)
    starts: int = setting(
        10, "Architectures drawn at first; the search begins at the best of them.", ge=1, le=10**6
    )
    wave: int | None = setting(
        None, "Neighbours trained at a time, before the search moves to a better one; null: all.", ge=1
    )


def check_sample(settings: EvolutionSettings, choice: Choice) -> Iterator[Problem]:
    """Yield a warning if the sample is larger than the population."""
    del choice
    if settings.sample > settings.population:
        yield Problem(
            path="growth.sample",
            text=f"{settings.sample} is more than the population, {settings.population}: the best of the "
            "whole population is always the parent.",
            hint=f"Set growth.sample to {settings.population} or less.",
            slots=("growth",),
            verdict="warned",
        )
