"""The planted test: one of four candidates is useful in each of three places. Does a search find it?

It needs no accuracy to judge by: the right answer is known, chance finds a quarter of it, and a rule that
moves the wrong way none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.description import Op
from nascore.engine.loop import run_phase
from nascore.testing.searching import searching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.plugin import Registry

USEFUL: Final = Op("conv_3x3")
SEEDS: Final = (0, 1)
MARGIN: Final = 2.0
"""How often the mean weight of its segment the weight of the useful candidate must at least be."""

SETS: Final = ("space.form=chain", "trainer.epochs=10", "trainer.warm_up=0")


@frozen(kw_only=True)
class Found:
    """What one search learned.

    Attributes:
        seed: Seed of the run, and of where the useful candidates stand.
        shares: For each place the weight of the useful candidate, in mean weights of its segment.
    """

    seed: int
    shares: Mapping[str, float]

    def missed(self) -> list[str]:
        """Return the places where the useful candidate does not stand out."""
        return [place for place, share in self.shares.items() if share < MARGIN]


def planted(registry: Registry, names: Mapping[str, str], seed: int, sets: tuple[str, ...] = ()) -> Found:
    """Search once in the planted chain.

    Args:
        registry: What is installed.
        names: What fills a slot, besides space and data set.
        seed: Decides on the run, and on where the useful candidates stand.
        sets: Further settings, as ``PATH=VALUE``.

    Raises:
        RecipeError: The parts do not fit a chain of layers.
    """
    asked = (*SETS, f"space.seed={seed}", *sets)
    with searching(registry, {"space": "planted", **names}, seed=seed, sets=asked) as found:
        run_phase(found.phase, found.trainer, found.live.watch)
        expected = found.search.expected()
    groups = found.description.groups
    return Found(
        seed=seed,
        shares={name: _share(expected[name], group.ops.index(USEFUL)) for name, group in groups.items()},
    )


def _share(weights: Tensor, column: int) -> float:
    # By size: a free relaxation may weigh a candidate below zero, and then it matters as well.
    sizes = weights.abs()
    return float((weights[:, column] / sizes.mean(dim=1)).min())
