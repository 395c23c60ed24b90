"""The planted test: one of four candidates is useful in each of three places. Does a search find it?

It needs no accuracy to judge by: the right answer is known, chance finds a quarter of it, and a rule that
moves the wrong way none. A relaxation that draws at random, or leaves candidates unrun, searches in the form
`residual` of the space, where a wrong operation hides nothing from later places; any other in `chain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.description import Op
from nascore.engine.derive import picks_of
from nascore.engine.loop import run_phase
from nascore.testing.searching import searched_with, searching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.plugin import Registry

USEFUL: Final = Op("conv_3x3")
SEEDS: Final = (0, 1)
MARGIN: Final = 2.0
"""How often the mean weight of its segment the weight of the useful candidate must at least be."""

EPOCHS: Final = {"chain": 10, "residual": 16}
"""Passes over the images, by form of the space: where one operation of each is run, a step tells less."""


@frozen(kw_only=True)
class Found:
    """What one search learned.

    Attributes:
        seed: Seed of the run, and of where the useful candidates stand.
        form: The form of the space.
        shares: For each place the weight of the useful candidate, in mean weights of its segment.
        kept: For each place the operation that would be kept; of several the strongest, of none none.
    """

    seed: int
    form: str
    shares: Mapping[str, float]
    kept: Mapping[str, Op]

    def missed(self) -> list[str]:
        """Return the places where the useful candidate does not stand out."""
        return [place for place, share in self.shares.items() if share < MARGIN]

    def lost(self) -> list[str]:
        """Return the places where the useful candidate would not be kept."""
        return [place for place in self.shares if self.kept.get(place) != USEFUL]


def form_for(registry: Registry, names: Mapping[str, str], sets: tuple[str, ...] = ()) -> str:
    """Return the form of the space for the relaxation with which these parts search, by what it declares.

    Raises:
        RecipeError: The parts do not fit.
    """
    recipe = searched_with(registry, {"space": "planted", **names}, sets=sets)
    provides = recipe.part("relaxation").provides
    return "chain" if "deterministic" in provides and "sparse" not in provides else "residual"


def planted(registry: Registry, names: Mapping[str, str], seed: int, sets: tuple[str, ...] = ()) -> Found:
    """Search once in the planted space, in the form that fits the relaxation.

    Args:
        registry: What is installed.
        names: What fills a slot, besides space and data set.
        seed: Decides on the run, and on where the useful candidates stand.
        sets: Further settings, as ``PATH=VALUE``.

    Raises:
        RecipeError: The parts do not fit such a space.
    """
    form = form_for(registry, names, sets)
    own = (f"space.form={form}", f"trainer.epochs={EPOCHS[form]}", "trainer.warm_up=0", f"space.seed={seed}")
    with searching(registry, {"space": "planted", **names}, seed=seed, sets=(*own, *sets)) as found:
        run_phase(found.phase, found.trainer, found.live.watch)
        expected = found.search.expected()
        picks = picks_of(found.description, found.search)
    groups = found.description.groups
    return Found(
        seed=seed,
        form=form,
        shares={name: _share(expected[name], group.ops.index(USEFUL)) for name, group in groups.items()},
        kept={name: group.ops[picks[name][0][1]] for name, group in groups.items() if picks[name]},
    )


def _share(weights: Tensor, column: int) -> float:
    # By size: a free relaxation may weigh a candidate below zero, and then it matters as well.
    sizes = weights.abs()
    return float((weights[:, column] / sizes.mean(dim=1)).min())
