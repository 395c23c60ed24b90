"""Checks before a run whether its networks suit the images, the batches and the memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from attrs import evolve

from nascore.contract import Demand
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


SIZES: Final = {"channels": "channels", "repeat": "cells", CELLS: "cells"}
"""By the path of a size in a description, the name of its setting."""


@runtime_checkable
class FileSpace(Protocol):
    """A space whose description comes from a file.

    Attributes:
        file: The YAML file; None: the description is from no file.
    """

    file: Path | None


@contextmanager
def locate_problems(space: object) -> Iterator[None]:
    """Add lines of the file to the problems of a description, if the space comes from a file.

    Raises:
        DescriptionError: The error from inside, with lines.
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
    """Yield a function that calls a check and collects its problems; raise all problems at the end.

    Raises:
        RecipeError: With all problems, without duplicates; a DescriptionError if all are of this type.
    """
    errors: list[RecipeError] = []

    def check(call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except RecipeError as error:
            errors.append(error)

    yield check
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else RecipeError
        raise kind(dict.fromkeys(problem for error in errors for problem in error.problems))


@contextmanager
def blame_settings(group: str, settings: object) -> Iterator[None]:
    """Replace the path of a problem about a size by the path of the setting of this size, if it is set.

    Args:
        group: Prefix of the paths of the settings.
        settings: The settings; a size that is None is not set.

    Raises:
        RecipeError: The error from inside, of the same type.
    """
    try:
        yield
    except RecipeError as error:
        names = {path: name for path, name in SIZES.items() if getattr(settings, name, None) is not None}
        raise type(error)(
            evolve(one, path=f"{group}.{names[one.path]}") if one.path in names else one
            for one in error.problems
        ) from error


def check_space(space: Space, value: object, facts: DataFacts, catalogue: Catalogue) -> Description:
    """Return the description that a space returned, after checking that its networks run on these data.

    Raises:
        PluginError: The value is not a description, or a description for other data.
        DescriptionError: It cannot be built, fails on images of this size, or does not end in logits.
    """
    returned = ReturnCheck(space, "describe", "space")
    description: Description = returned.expect(value, Description, "a Description")
    for name, expected in (("in_channels", facts.channels), ("classes", facts.classes)):
        actual = getattr(description, name)
        if actual != expected:
            raise returned.wrong(f"a network with {name}={actual}", f"{expected}, as in the data set's facts")
    with locate_problems(space):
        params = check_shapes(description, catalogue, (facts.height, facts.width))
    check_weights(params)
    return description


def check_parts(parts: SearchParts) -> None:
    """Check the attributes of the components of a search.

    Raises:
        PluginError: An attribute does not conform to its slot.
    """
    demanding = ReturnCheck(parts.trainer, "demand", "trainer")
    demand = demanding.expect(getattr(parts.trainer, "demand", None), Demand, "a Demand")
    for name, least in (("epochs", 1), ("batch", 1), ("warm_up", 0)):
        value: object = getattr(demand, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise demanding.wrong(f"a Demand with {name}={value!r}", f"a whole number of at least {least}")
    for name, allowed in (("gradient", ("theta", "mixture", None)), ("granularity", ("batch", "sample"))):
        value = getattr(parts.updater, name, "nothing")
        if value not in allowed:
            expected = " or ".join(map(repr, allowed))
            raise ReturnCheck(parts.updater, name, "updater").wrong(repr(value), expected)


def check_networks(recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue) -> None:
    """Check all networks of a search that are known before it begins, with their batch sizes.

    Raises:
        RecipeError: With every reason why one of them cannot be trained.
    """
    searched = {"trainer.batch": parts.trainer.demand.batch}
    with collect_problems() as check:
        if parts.grows:
            batches = {f"{recipe.training_group}.batch": recipe.training.batch, **searched}
            for seed in parts.seeds:
                check(check_single_image_batches, seed, catalogue, facts, batches)
            return
        if not parts.seeds:
            check(check_single_image_batches, parts.description, catalogue, facts, searched)
        for one in parts.seeds or (parts.description,):
            check(check_first_candidates, one, catalogue, facts, recipe)


def check_single_image_batches(
    description: Description, catalogue: Catalogue, facts: DataFacts, batches: Mapping[str, int]
) -> None:
    """Refuse a batch of one image for a network that cannot be trained on it.

    Args:
        description: The network in the form in which it is trained.
        catalogue: Its operations.
        facts: Facts of the data set.
        batches: Batch sizes by the paths of their settings.

    Raises:
        RecipeError: A batch size is 1, and batch norm would see one value per channel.
    """
    single = [path for path, size in batches.items() if size == 1]
    why = single_image_error(description, catalogue, (facts.height, facts.width)) if single else ""
    if why:
        text = f"a batch of 1 is too small for this network: {why}"
        raise RecipeError([Problem(path=path, text=text, hint="Set 2 or more.") for path in single])


def check_first_candidates(
    description: Description, catalogue: Catalogue, facts: DataFacts, recipe: Recipe
) -> Description:
    """Check the architecture of the first candidates of a space in the form in which it is trained.

    It stands in for the architecture that the search will find, which is not known yet.

    Returns:
        The architecture in the form in which it is trained.

    Raises:
        RecipeError: It cannot be scaled to the size of the settings, or not trained with their batch.
    """
    return check_trained(first_candidates(description), catalogue, facts, recipe)


def first_candidates(description: Description) -> Description:
    """Return the architecture of the first candidates of an open description; a closed one is unchanged."""
    if not description.is_open:
        return description
    groups = expand(description).layouts
    even = {name: [[1.0] * len(group.ops)] * len(group.rows) for name, group in groups.items()}
    return derive(description, choose(description, even))


def check_trained(
    description: Description, catalogue: Catalogue, facts: DataFacts, recipe: Recipe
) -> Description:
    """Return a closed description in the form in which it is trained, after checking that it can be trained.

    Raises:
        RecipeError: It cannot be scaled to the size of the settings, or not trained with their batch.
        DescriptionError: It fails on images of this size, or does not end in logits.
    """
    training, group = recipe.training, recipe.training_group
    with blame_settings(group, training):
        ready = prepared(description, training, facts)
    check_weights(check_shapes(ready, catalogue, (facts.height, facts.width)))
    check_single_image_batches(ready, catalogue, facts, {f"{group}.batch": training.batch})
    return ready


def describe_space(recipe: Recipe, facts: DataFacts, catalogue: Catalogue) -> Description:
    """Return the description of the space for these data, after checking that its networks run on them.

    Raises:
        PluginError: The space raised an error, or did not return a description for these data.
        DescriptionError: The description cannot be built, or does not end in logits.
    """
    part = recipe.part("space")
    with blame_settings("space", part.settings):
        space: Space = build_component(recipe, "space")
        value = call_component(part.component, "describing", lambda: space.describe(facts))
        return check_space(space, value, facts, catalogue)
