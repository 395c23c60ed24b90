"""Galleries that are made up: no architecture of them was ever trained."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.gallery import Entry, Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nascore.contract import GrowingPolicy

HELD: Final = 200
"""Validation images."""

FIRST_COSTS: Final[Mapping[str, float]] = {"params": 1_000, "macs": 20_000}
DEARER: Final = 1.25
"""What a child costs of its parent's costs."""


def entry(number: int, error: float, *, parent: Entry | None = None, wave: int = 1) -> Entry:
    """Return an entry with costs above those of its parent."""
    costs = FIRST_COSTS if parent is None else {name: DEARER * cost for name, cost in parent.costs.items()}
    return Entry(
        id=number,
        parent=None if parent is None else parent.id,
        wave=wave,
        description=f"architectures/{number:04d}.yaml",
        weights=f"jobs/{number:04d}-grow/weights.safetensors",
        error=error,
        count=HELD,
        costs=costs,
        steps=100,
    )


def gallery_of(errors: Sequence[float]) -> Gallery:
    """Return a gallery with these validation errors; each entry grew from the one before it."""
    entries: list[Entry] = []
    for wave, error in enumerate(errors, start=1):
        parent = entries[-1] if entries else None
        entries.append(entry(wave, error, parent=parent, wave=wave))
    return Gallery(tuple(entries))


def disguised(gallery: Gallery) -> Gallery:
    """Return a gallery with the same errors, costs and parents, in which all else is other.

    What is fitted best comes last by error: who ranks by a figure of the training is led astray.
    """
    worst_first = sorted(gallery, key=lambda one: -one.error)
    return Gallery(
        tuple(
            evolve(
                one,
                description=f"else/{one.id}.yaml",
                weights=None,
                steps=1000 - 100 * worst_first.index(one),
                costs={**one.costs, "training_error": 0.01 * (1 + worst_first.index(one))},
            )
            for one in gallery
        )
    )


def chosen(policy: GrowingPolicy, gallery: Gallery, seed: int) -> tuple[Entry, ...]:
    """Return the parents of the wave that comes next."""
    wave = 1 + max(one.wave for one in gallery)
    return tuple(policy.next_parents(gallery, wave, _rng(seed, wave)))


def waves(policy: GrowingPolicy, child_error: Callable[[float], float], *, most: int) -> int:
    """Run growth without training anything; returns how many waves it took, `most` if that was no end.

    Args:
        policy: The policy.
        child_error: What the error of a child is, by that of its parent.
        most: Waves after which it is stopped.
    """
    gallery = Gallery((entry(1, 0.5),))
    for wave in range(2, most + 2):
        parents = policy.next_parents(gallery, wave, _rng(0, wave))
        if not parents:
            return wave - 2
        for parent in parents:
            child = entry(len(gallery) + 1, child_error(parent.error), parent=parent, wave=wave)
            gallery = gallery.added(child)
    return most


def _rng(seed: int, wave: int) -> Random:
    return Random(f"{seed}/growth/{wave}")  # noqa: S311 - nothing secret
