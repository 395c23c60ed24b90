"""The initial architectures of a growth run."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, cast

from nascore.contract import GrowingPolicy, Remarking
from nascore.description import Description
from nascore.engine.return_checks import ReturnCheck, items_of
from nascore.errors import PluginError, Problem, RecipeError
from nascore.nn.shapes import check_shapes
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.contract import DataFacts, GrowthPolicy
    from nascore.description import Catalogue
    from nascore.recipe import Recipe


def searches_in_supernet(recipe: Recipe) -> bool:
    """Say whether the run is one search in a supernet, instead of an outer loop over architectures."""
    return "supernet" in recipe.part("growth").provides


def growth_random(recipe: Recipe, what: object) -> Random:
    """Return the random numbers of a growth policy for one purpose: ``seeds``, or the number of a wave.

    Seeded by text, so that none moves another, and a run that goes on draws what it would have drawn.
    """
    return Random(f"{recipe.run.seed}/growth/{what}")  # noqa: S311 - nothing secret


def initial_architectures(
    recipe: Recipe,
    policy: GrowthPolicy,
    description: Description,
    catalogue: Catalogue,
    facts: DataFacts,
) -> tuple[Description, ...]:
    """Return the closed descriptions that a run begins with; none for a search in a supernet.

    Raises:
        PluginError: The policy raised, gave nothing, or gave what cannot be trained.
        DescriptionError: One of them cannot be built.
        RecipeError: They are to grow, and none of them can.
    """
    if searches_in_supernet(recipe):
        return ()
    part = recipe.part("growth")
    rng = growth_random(recipe, "seeds")
    given = call_component(part.component, "seeds", lambda: items_of(policy.seeds(description, rng)))
    seeds = ReturnCheck(policy, "seeds", "growth").several(given, Description, "Descriptions")
    wrong = "gave no architecture to begin with" if not seeds else ""
    if any(seed.is_open for seed in seeds):
        wrong = "began with an architecture that still leaves a choice"
    if wrong:
        raise PluginError([Problem(path="growth", text=f"{part.name} {wrong}.", of_plugin=True)])
    for seed in seeds:
        check_shapes(seed, catalogue, (facts.height, facts.width))
    if isinstance(policy, GrowingPolicy):
        check_epochs(policy)
        # Tried before the first is trained, for minutes or hours: whether anything can grow at all.
        open_first(recipe, policy, seeds, catalogue)
    return seeds


def check_epochs(policy: GrowingPolicy) -> None:
    """Check for how many epochs a policy has its architectures trained.

    Raises:
        PluginError: It says no whole number of at least 1.
    """
    for name in ("seed_epochs", "child_epochs"):
        value: object = getattr(policy, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ReturnCheck(policy, name, "growth").wrong(repr(value), "a whole number of at least 1")


def open_first(
    recipe: Recipe, policy: GrowingPolicy, seeds: Sequence[Description], catalogue: Catalogue
) -> tuple[Description, Description]:
    """Return the first of some architectures that can grow, and what the policy opens of it.

    Raises:
        RecipeError: None of them can grow.
    """
    component = recipe.part("growth").component
    refused: list[RecipeError] = []
    for seed in seeds:
        try:
            return seed, call_component(component, "open", partial(policy.open, seed, catalogue))
        except RecipeError as error:
            refused.append(error)
    raise refused[-1]


def growth_remark(recipe: Recipe, policy: GrowthPolicy, seeds: Sequence[Description]) -> str:
    """Return what the policy has to say of its seeds; empty: nothing."""
    part = recipe.part("growth")
    if "remarks" not in part.provides:
        return ""
    remarking = cast("Remarking", policy)
    given = call_component(part.component, "remark", lambda: remarking.remark(seeds))
    return ReturnCheck(policy, "remark", "growth").expect(given, str, "a text, which may be empty")
