"""Checks once, before a run begins, that a data set agrees with its facts."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from nascore.engine.memory import check_images, image_memory_warnings
from nascore.errors import PluginError, Problem
from nascore.nn.data import absent_faults, example_faults, fact_faults, normalised_faults
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.component import Component
    from nascore.contract import Dataset
    from nascore.nn import Examples
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part


def check_facts(recipe: Recipe, dataset: Dataset) -> None:
    """Refuse invalid facts, and images that do not fit in memory.

    Raises:
        PluginError: With every fault of the facts.
        RecipeError: The images take more than the memory of this machine.
    """
    part = recipe.part("dataset")
    _refuse(part.component, fact_faults(getattr(dataset, "facts", None)))
    check_images(dataset.facts)


def check_data(recipe: Recipe, dataset: Dataset, *, test: bool = False) -> Recipe:
    """Read the data set of a recipe once; return the recipe with warnings of doubtful data.

    Args:
        recipe: A settled recipe.
        dataset: Its data set, with checked facts.
        test: Whether to check the form of the test images too.

    Raises:
        PluginError: With every contradiction between the data and its facts, and every unusable value.
    """
    part = recipe.part("dataset")
    doubts = _warnings(part, dataset, test=test)
    return recipe.with_warnings(
        Problem(path="dataset", text=f"{part.name} {doubt}.", origin=part.chosen_by, verdict="warned")
        for doubt in doubts
    )


def _warnings(part: Part, dataset: Dataset, *, test: bool) -> tuple[str, ...]:
    """Read the images and refuse faulty ones; return warnings as predicates of the data set's name."""
    facts = dataset.facts
    train = call_component(part.component, "reading of train()", dataset.train)
    faults = [*example_faults(facts, train, "train")]
    if test:
        examples = call_component(part.component, "reading of test()", dataset.test)
        faults += example_faults(facts, examples, "test")
    _refuse(part.component, faults)
    doubts = (*normalised_faults(facts, train), *absent_faults(facts, train))
    return (*image_memory_warnings(facts, test=test), *doubts)


def data_fingerprint(examples: Examples) -> str:
    """Return a digest of images and labels: other data, or other types or shapes, have another."""
    digest = blake2b(digest_size=20)
    for tensor in (examples.images, examples.labels):
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{plain.dtype} {tuple(plain.shape)}".encode())
        digest.update(plain.numpy().data)  # without a copy
    return digest.hexdigest()


def _refuse(component: Component, faults: Iterable[str]) -> None:
    plugin = component.plugin or "nascore"
    hint = f"This is a fault of the plugin {plugin}."
    problems = [
        Problem(path="dataset", text=f"{component.name} {text}.", hint=hint, of_plugin=True)
        for text in faults
    ]
    if problems:
        raise PluginError(problems)
