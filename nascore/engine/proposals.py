"""Asks a growth policy for proposals, and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import evolve

from nascore.config import Node, SettingsOwner, merge, structure, wrap
from nascore.contract import History, Proposal, Remarking
from nascore.description import Description
from nascore.engine.factory import policy_grows, policy_searches
from nascore.engine.memory import MOST_COUNTED
from nascore.engine.network_checks import describe_space, first_candidates
from nascore.engine.results import costs_of
from nascore.engine.return_checks import ReturnCheck, describe_value, items_of
from nascore.errors import Origin, PluginError, Problem, RecipeError
from nascore.files.schema import SETTING, map_of
from nascore.gallery import Entry, Gallery
from nascore.nn.shapes import check_shapes
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.contract import DataFacts, GrowthPolicy
    from nascore.description import Catalogue
    from nascore.recipe import Recipe


FIRST_WAVE = 1
"""The wave of the initial architectures."""

VALUES: Final = map_of(SETTING)
"""The values of a proposal."""

EVEN = 0.5
"""The error of every initial architecture in the second wave that is proposed before the run."""


def searches_in_supernet(recipe: Recipe) -> bool:
    """Return whether the run is one search in a supernet, not an outer loop over architectures."""
    return "supernet" in recipe.part("growth").provides


def growth_random(recipe: Recipe, wave: int) -> Random:
    """Return the random generator of a growth policy for a wave.

    Each wave has its own seed, so that no draw depends on the number of draws in another wave.
    """
    purpose = "seeds" if wave == FIRST_WAVE else wave
    return Random(f"{recipe.run.seed}/growth/{purpose}")  # noqa: S311 - nothing secret


def wave_proposals(
    recipe: Recipe, policy: GrowthPolicy, description: Description, history: History, wave: int
) -> tuple[Proposal, ...]:
    """Return the proposals of a policy for a wave; none if the run is over.

    Raises:
        RecipeError: The policy can make no architecture from those in the gallery.
        PluginError: The policy raised another error, or returned wrong proposals.
    """
    component, rng = recipe.part("growth").component, growth_random(recipe, wave)
    value = call_component(
        component, "propose", lambda: items_of(policy.propose(description, history, wave, rng))
    )
    check = ReturnCheck(policy, "propose", "growth")
    proposals = check.several(value, Proposal, "Proposals")
    for proposal in proposals:
        _check_proposal(proposal, check, history.gallery)
        if proposal.description.is_open and not (policy_grows(recipe) or policy_searches(recipe)):
            raise fault_of_policy(
                recipe, "proposed an open description, but does not declare grows or searches."
            )
    return proposals


def _check_proposal(proposal: Proposal, check: ReturnCheck, gallery: Gallery) -> None:
    """Check the values of a proposal.

    Raises:
        PluginError: One of them is wrong.
    """
    values: dict[str, object] = {
        name: getattr(proposal, name) for name in ("description", "epochs", "parent")
    }
    if not isinstance(values["description"], Description):
        raise check.wrong(f"a proposal of {describe_value(values['description'])}", "a Description")
    if values["parent"] is not None and not _holds(gallery, values["parent"]):
        raise check.wrong("a proposal with a parent that is not in the gallery", "an entry of it, or None")
    if proposal.inherits and proposal.parent is None:
        raise check.wrong("a proposal that inherits, but has no parent", "an entry of the gallery")
    epochs = values["epochs"]
    if epochs is not None and (not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1):
        raise check.wrong(f"a proposal with epochs {epochs!r}", "a whole number of at least 1, or None")
    if not isinstance(proposal.values, Mapping) or not VALUES.fits(dict(proposal.values)):
        raise check.wrong(f"a proposal with values {proposal.values!r}", "a map of values for JSON, by path")


def _holds(gallery: Gallery, parent: object) -> bool:
    """Return whether something is an entry of a gallery."""
    return isinstance(parent, Entry) and any(entry.id == parent.id and entry == parent for entry in gallery)


def first_proposals(
    recipe: Recipe,
    policy: GrowthPolicy,
    description: Description,
    catalogue: Catalogue,
    facts: DataFacts,
) -> tuple[Proposal, ...]:
    """Return the proposals with which a growth run begins; none for a search in a supernet.

    Raises:
        PluginError: The policy raised an error, or did not propose closed descriptions.
        DescriptionError: A description cannot be built.
    """
    if searches_in_supernet(recipe):
        return ()
    history = _history((), catalogue, describe=space_with(recipe, catalogue, facts))
    proposals = wave_proposals(recipe, policy, description, history, FIRST_WAVE)
    if not proposals:
        raise fault_of_policy(recipe, "proposed no initial architecture.")
    if any(proposal.description.is_open for proposal in proposals) and not policy_searches(recipe):
        raise fault_of_policy(recipe, "proposed an initial architecture with open choices.")
    for proposal in proposals:
        check_shapes(proposal.description, catalogue, (facts.height, facts.width))
    return proposals


def second_proposals(  # noqa: PLR0913, PLR0917 - those of the first wave, and the wave itself
    recipe: Recipe,
    policy: GrowthPolicy,
    description: Description,
    first: Sequence[Proposal],
    catalogue: Catalogue,
    facts: DataFacts,
) -> tuple[Proposal, ...]:
    """Return the proposals of a second wave, if the initial architectures were trained and equally good.

    They show before the first training, which takes minutes or hours, whether any architecture can grow, and
    what a search of its candidates needs.

    Raises:
        PluginError: The policy raised an error, or returned wrong proposals.
        RecipeError: None of the initial architectures can grow.
    """
    if not first:
        return ()
    seeds = tuple(first_candidates(proposal.description) for proposal in first[:MOST_COUNTED])
    history = _history(seeds, catalogue, facts, describe=space_with(recipe, catalogue, facts))
    return wave_proposals(recipe, policy, description, history, FIRST_WAVE + 1)


def space_with(
    recipe: Recipe, catalogue: Catalogue, facts: DataFacts
) -> Callable[[Mapping[str, Any]], Description]:
    """Return a function that describes the space of a recipe with other values of some settings.

    It raises a RecipeError for values that the space does not allow.
    """
    part = recipe.part("space")
    origin = Origin(kind="default", what="growth policy")

    def describe(settings: Mapping[str, Any]) -> Description:
        owner = SettingsOwner(owner=part.name, path="space")
        reading = structure(
            part.component.config, merge(wrap(part.settings, origin), _nested(settings, origin)), owner
        )
        if reading.problems:
            raise RecipeError(evolve(problem, origin=None) for problem in reading.problems)
        changed = evolve(part, settings=reading.settings)
        return describe_space(evolve(recipe, parts={**recipe.parts, "space": (changed,)}), facts, catalogue)

    return describe


def _nested(settings: Mapping[str, Any], origin: Origin) -> Node:
    """Return values by dotted path as a map of maps."""
    node = wrap({}, origin)
    for path, value in settings.items():
        inner = wrap(value, origin)
        for word in reversed(path.split(".")):
            inner = wrap({word: inner}, origin)
        node = merge(node, inner)
    return node


def _history(
    seeds: Sequence[Description],
    catalogue: Catalogue,
    facts: DataFacts | None = None,
    *,
    describe: Callable[[Mapping[str, Any]], Description],
) -> History:
    """Return a history of architectures that are not trained yet."""
    entries = tuple(
        Entry(
            id=number,
            wave=FIRST_WAVE,
            description=f"architectures/{number:04d}.yaml",
            error=EVEN,
            count=1,
            costs={} if facts is None else costs_of(seed, catalogue, facts),
        )
        for number, seed in enumerate(seeds, start=1)
    )
    return History(
        gallery=Gallery(entries),
        catalogue=catalogue,
        read=lambda entry: seeds[entry.id - 1],
        holds=lambda description: description in seeds,
        describe=describe,
    )


def growth_remark(recipe: Recipe, policy: GrowthPolicy, seeds: Sequence[Description]) -> str:
    """Return the remark of the policy on its initial architectures; empty if it has none."""
    part = recipe.part("growth")
    if "remarks" not in part.provides:
        return ""
    remarking = cast("Remarking", policy)
    given = call_component(part.component, "remark", lambda: remarking.remark(seeds))
    return ReturnCheck(policy, "remark", "growth").expect(given, str, "a text, which may be empty")


def fault_of_policy(recipe: Recipe, text: str) -> PluginError:
    """Return the error of a growth policy that broke a rule of its slot; the text is a verb phrase."""
    name = recipe.part("growth").name
    return PluginError([Problem(path="growth", text=f"{name} {text}", of_plugin=True)])
