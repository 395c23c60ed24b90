"""Checks before a run whether networks fit the images, the batches and the memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from attrs import evolve

from nascore.contract import Demand, GrowingPolicy
from nascore.description import Description, choose, derive, expand
from nascore.description.edits import CELLS
from nascore.description.text import located
from nascore.engine.derive import prepared
from nascore.engine.factory import build_component
from nascore.engine.memory import check_weights
from nascore.engine.return_checks import ReturnCheck
from nascore.errors import DescriptionError, Problem, RecipeError
from nascore.nn.shapes import check_shapes, single_image_error
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nascore.contract import DataFacts, Space
    from nascore.description import Catalogue
    from nascore.engine.factory import SearchParts
    from nascore.recipe import Recipe
    from nascore.recipe.sources.run_settings import TrainingSettings


SIZES: Final = {"channels": "channels", "repeat": "cells", CELLS: "cells"}
"""By where a description has a size the name of the setting that gives it."""


@runtime_checkable
class FileSpace(Protocol):
    """A space whose description is written in a file.

    Attributes:
        file: The YAML file; None: the description is from no file.
    """

    file: Path | None


@contextmanager
def locate_problems(space: object) -> Iterator[None]:
    """Give the problems of a space's description their places in the file that it is from, if it is from one.

    Raises:
        DescriptionError: What was raised inside, with places.
    """
    try:
        yield
    except DescriptionError as error:
        path = space.file if isinstance(space, FileSpace) else None
        if path is None:
            raise
        text = path.read_text(encoding="utf-8")
        raise DescriptionError(located(error.problems, text, where=str(path))) from error


@contextmanager
def collect_problems() -> Iterator[Callable[..., None]]:
    """Give what calls checks, one by one; at the end all that they refuse is raised together.

    Raises:
        RecipeError: With all problems, none twice; a DescriptionError where all are of descriptions.
    """
    errors: list[RecipeError] = []

    def check(call: Callable[..., object], *given: object) -> None:
        try:
            call(*given)
        except RecipeError as error:
            errors.append(error)

    yield check
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else RecipeError
        raise kind(dict.fromkeys(problem for error in errors for problem in error.problems))


@contextmanager
def blame_settings(group: str, settings: object) -> Iterator[None]:
    """Give problems of a description's size the path of the setting that it is made of, where there is one.

    Args:
        group: What the paths of the settings begin with.
        settings: Say which sizes can be set; None is not set.

    Raises:
        RecipeError: What was raised inside, of the same type.
    """
    try:
        yield
    except RecipeError as error:
        given = {at: name for at, name in SIZES.items() if getattr(settings, name, None) is not None}
        raise type(error)(
            evolve(one, path=f"{group}.{given[one.path]}") if one.path in given else one
            for one in error.problems
        ) from error


def check_space(space: Space, given: object, facts: DataFacts, catalogue: Catalogue) -> Description:
    """Return what a space gave for these data, if networks of it can run on them.

    Raises:
        PluginError: It is no description, or one for other data.
        DescriptionError: It cannot be built, fails on images of this size, or does not end in logits.
    """
    returned = ReturnCheck(space, "describe", "space")
    description: Description = returned.expect(given, Description, "a Description")
    for name, due in (("in_channels", facts.channels), ("classes", facts.classes)):
        value = getattr(description, name)
        if value != due:
            told = f"a network with {name}={value}"
            raise returned.wrong(told, f"{due}, as the data have it")
    with locate_problems(space):
        params = check_shapes(description, catalogue, (facts.height, facts.width))
    check_weights(params)
    return description


def check_parts(parts: SearchParts) -> None:
    """Check what the parts of a search say of themselves.

    Raises:
        PluginError: One says something else than its slot asks for.
    """
    demanding = ReturnCheck(parts.trainer, "demand", "trainer")
    demand = demanding.expect(getattr(parts.trainer, "demand", None), Demand, "a Demand")
    for name, least in (("epochs", 1), ("batch", 1), ("warm_up", 0)):
        value: object = getattr(demand, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise demanding.wrong(f"{name}={value!r}", f"a whole number of at least {least}")
    for name, allowed in (("gradient", ("theta", "mixture", None)), ("granularity", ("batch", "sample"))):
        value = getattr(parts.updater, name, "nothing")
        if value not in allowed:
            due = " or ".join(map(repr, allowed))
            raise ReturnCheck(parts.updater, name, "updater").wrong(repr(value), due)


def check_networks(recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue) -> None:
    """Check all networks of a search that are known before it begins, with the batches of each.

    Raises:
        RecipeError: With everything that would keep one from being trained.
    """
    training = recipe.run.training
    searched = {"trainer.batch": parts.trainer.demand.batch}
    with collect_problems() as check:
        if isinstance(parts.growth, GrowingPolicy):
            batches = {"training.batch": training.batch, **searched}
            for seed in parts.seeds:
                check(check_single_image_batches, seed, catalogue, facts, batches)
            return
        if not parts.seeds:
            check(check_single_image_batches, parts.description, catalogue, facts, searched)
        for one in parts.seeds or (parts.description,):
            check(check_first_candidates, one, catalogue, facts, training)


def check_single_image_batches(
    description: Description, catalogue: Catalogue, facts: DataFacts, batches: Mapping[str, int]
) -> None:
    """Refuse a batch of one image where a network cannot be trained on it.

    Args:
        description: The network as it is trained.
        catalogue: Its operations.
        facts: What is known of the data.
        batches: Images of a batch, by the path of the setting that says so.

    Raises:
        RecipeError: Some are of one image, and batch norm would see one value per channel.
    """
    single = [path for path, size in batches.items() if size == 1]
    why = single_image_error(description, catalogue, (facts.height, facts.width)) if single else ""
    if why:
        text = f"a batch of 1 is too small for this network: {why}"
        raise RecipeError([Problem(path=path, text=text, hint="Set 2 or more.") for path in single])


def check_first_candidates(
    description: Description, catalogue: Catalogue, facts: DataFacts, training: TrainingSettings
) -> Description:
    """Check an architecture of a space in the form in which what is found will be trained.

    Which one will be found is not known: the first candidates of all stand in for it.

    Returns:
        The architecture.

    Raises:
        RecipeError: It cannot be made as large as the settings say, or not trained with their batch.
    """
    if description.is_open:
        groups = expand(description).layouts
        even = {name: [[1.0] * len(group.ops)] * len(group.rows) for name, group in groups.items()}
        description = derive(description, choose(description, even))
    return check_trained(description, catalogue, facts, training)


def check_trained(
    description: Description, catalogue: Catalogue, facts: DataFacts, training: TrainingSettings
) -> Description:
    """Return a closed description in the form in which it is trained, if it can be.

    Raises:
        RecipeError: It cannot be made as large as the settings say, or not trained with their batch.
        DescriptionError: It fails on images of this size, or does not end in logits.
    """
    with blame_settings("training", training):
        ready = prepared(description, training, facts)
    check_weights(check_shapes(ready, catalogue, (facts.height, facts.width)))
    check_single_image_batches(ready, catalogue, facts, {"training.batch": training.batch})
    return ready


def describe_space(recipe: Recipe, facts: DataFacts, catalogue: Catalogue) -> Description:
    """Return the description that the space gives for these data, if networks of it can run on them.

    Raises:
        PluginError: The space raised, or gave something else than a description for these data.
        DescriptionError: The description cannot be built, or does not end in logits.
    """
    part = recipe.part("space")
    with blame_settings("space", part.settings):
        space: Space = build_component(recipe, "space")
        given = call_component(part.component, "describing", lambda: space.describe(facts))
        return check_space(space, given, facts, catalogue)
