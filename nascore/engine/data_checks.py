"""Checks once, before a run begins, that a data set agrees with its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.engine.data_digest import ImageDigest
from nascore.engine.factory import build_task
from nascore.engine.memory import check_images, image_memory_warnings
from nascore.engine.sources import read_in_order, source_of
from nascore.errors import PluginError, Problem, RecipeError
from nascore.nn import Examples
from nascore.nn.data import absent_faults, example_faults, fact_faults, labels_of, normalised_faults
from nascore.plugin.guard import call_component
from nascore.slots import DATASET, TASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.component import Component
    from nascore.contract import DataFacts, Dataset, StreamedExamples
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
        RecipeError: The task cannot learn the targets.
    """
    part = recipe.part(DATASET)
    examples = _sound_examples(part, dataset, test=test)
    _refuse_unlearnable(recipe, dataset.facts, examples)
    doubts = (
        *image_memory_warnings(dataset.facts, test=test),
        *_doubts(part, dataset.facts, examples["train"]),
    )
    return recipe.with_warnings(
        Problem(path="dataset", text=f"{part.name} {doubt}.", origin=part.chosen_by, verdict="warned")
        for doubt in doubts
    )


def _sound_examples(part: Part, dataset: Dataset, *, test: bool) -> dict[str, Examples | StreamedExamples]:
    """Read the images and refuse faulty ones; return them by the name of the method that returned them."""
    readers = {"train": dataset.train, **({"test": dataset.test} if test else {})}
    found = {
        name: call_component(part.component, f"reading of {name}()", read) for name, read in readers.items()
    }
    faults = [
        fault for name, examples in found.items() for fault in _faults(part, dataset.facts, examples, name)
    ]
    _refuse(part.component, faults)
    return found


def _refuse_unlearnable(
    recipe: Recipe, facts: DataFacts, found: Mapping[str, Examples | StreamedExamples]
) -> None:
    """Refuse targets that the task of a recipe cannot learn."""
    if not recipe.parts.get(TASK):
        return  # another verb than a run
    used, data, task = recipe.part(TASK), recipe.part(DATASET), build_task(recipe)
    texts = [
        f"{data.name} {fault} in {name}()"
        for name, examples in found.items()
        for fault in task.target_faults(labels_of(examples), facts)
    ]
    problems = [
        Problem(
            path=TASK,
            text=f"{text}, which {used.name} cannot learn.",
            origin=used.chosen_by,
            hint=f"Correct the data, or use another --{TASK} or --{DATASET}.",
            slots=(TASK, DATASET),
        )
        for text in texts
    ]
    if problems:
        raise RecipeError(problems)


def _faults(part: Part, facts: DataFacts, examples: object, name: str) -> list[str]:
    """Return the faults of images; a streamed data set reads some of them only here."""
    return call_component(
        part.component, f"reading of {name}()", lambda: [*example_faults(facts, examples, name)]
    )


def _doubts(part: Part, facts: DataFacts, train: Examples | StreamedExamples) -> list[str]:
    return call_component(
        part.component,
        "reading of train()",
        lambda: [*normalised_faults(facts, train), *absent_faults(facts, train)],
    )


def data_fingerprint(examples: Examples | StreamedExamples) -> str:
    """Return a digest of images and labels: other data, or other types or shapes, have another.

    That of streamed images is the same as in memory, unless the data set has a `fingerprint` of its own.
    """
    known = getattr(examples, "fingerprint", None)
    if known is not None:
        return str(known)
    labels = labels_of(examples)
    digest = ImageDigest(len(labels))
    if isinstance(examples, Examples):
        digest.add(examples.images)
    else:
        for images, _ in read_in_order(source_of(examples)):
            digest.add(images)
    return digest.finish(labels)


def _refuse(component: Component, faults: Iterable[str]) -> None:
    plugin = component.plugin or "nascore"
    hint = f"This is a fault of the plugin {plugin}."
    problems = [
        Problem(path="dataset", text=f"{component.name} {text}.", hint=hint, of_plugin=True)
        for text in faults
    ]
    if problems:
        raise PluginError(problems)
