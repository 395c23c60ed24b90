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
    """Return whether the run is one search in a supernet, not an outer loop over architectures."""
    return "supernet" in recipe.part("growth").provides


def growth_random(recipe: Recipe, purpose: object) -> Random:
    """Return the random generator of a growth policy for one purpose: ``seeds``, or the number of a wave.

    Each purpose has its own seed, so that no draw depends on the number of draws for another purpose.
    """
    return Random(f"{recipe.run.seed}/growth/{purpose}")  # noqa: S311 - nothing secret


def initial_architectures(
    recipe: Recipe,
    policy: GrowthPolicy,
    description: Description,
    catalogue: Catalogue,
    facts: DataFacts,
) -> tuple[Description, ...]:
    """Return the closed descriptions with which a growth run begins; none for a search in a supernet.

    Raises:
        PluginError: The policy raised an error, or did not return closed descriptions.
        DescriptionError: A description cannot be built.
        RecipeError: The policy grows architectures, but can grow none of these.
    """
    if searches_in_supernet(recipe):
        return ()
    part = recipe.part("growth")
    rng = growth_random(recipe, "seeds")
    value = call_component(part.component, "seeds", lambda: items_of(policy.seeds(description, rng)))
    seeds = ReturnCheck(policy, "seeds", "growth").several(value, Description, "Descriptions")
    fault = "returned no initial architecture" if not seeds else ""
    if any(seed.is_open for seed in seeds):
        fault = "returned an initial architecture with open choices"
    if fault:
        raise PluginError([Problem(path="growth", text=f"{part.name} {fault}.", of_plugin=True)])
    for seed in seeds:
        check_shapes(seed, catalogue, (facts.height, facts.width))
    if isinstance(policy, GrowingPolicy):
        check_epochs(policy)
        # Tried before the first training, which takes minutes or hours: can any of them grow?
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
    """Return the first architecture that can grow, and its open description.

    Raises:
        RecipeError: None of the architectures can grow.
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
    """Return the remark of the policy on its initial architectures; empty if it has none."""
    part = recipe.part("growth")
    if "remarks" not in part.provides:
        return ""
    remarking = cast("Remarking", policy)
    given = call_component(part.component, "remark", lambda: remarking.remark(seeds))
    return ReturnCheck(policy, "remark", "growth").expect(given, str, "a text, which may be empty")
