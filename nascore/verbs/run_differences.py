"""Compares the environment in which a run began with the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.errors import Problem, RecipeError
from nascore.recipe import saved_recipe
from nascore.run import environment, environment_of, resume_command
from nascore.slots import DATASET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from nascore.comparison import Planned
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

DECISIVE: Final = ("nascore", "torch", "numpy")
"""Packages whose version decides on the numbers of a run, beside the plugins that took part."""

NO_PLUGIN: Final = "no plugin"


@frozen
class Difference:
    """Something that is not as it was when a run began.

    Attributes:
        name: Its name: a package, the data or the device.
        before: As it was.
        now: As it is.
    """

    name: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} when the run began, {self.now} now"


def differences(recipe: Recipe, registry: Registry, begun_on: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the changes since a run began that can change its figures.

    Args:
        recipe: The recipe of the run.
        registry: The installed components.
        begun_on: The environment that the run began in.
    """
    yield from _packages(begun_on)
    brought = saved_recipe(recipe, registry).plugins
    yield from _brought(brought, begun_on)
    yield from _computed(recipe, begun_on)


def differences_of_jobs(
    path: Path, jobs: Iterable[tuple[Planned, Recipe]], registry: Registry
) -> Iterator[Difference]:
    """Yield the changes since a comparison began that can change its figures.

    Args:
        path: The folder of the comparison.
        jobs: Its jobs, each with its recipe.
        registry: The installed components.
    """
    begun_on = environment_of(path)
    yield from _packages(begun_on)
    brought: dict[str, str] = {}
    seen: list[object] = []
    for job, recipe in jobs:
        brought |= saved_recipe(recipe, registry).plugins
        part, known = recipe.part(DATASET), environment_of(path / job.folder)
        data = (part.component, part.settings)
        if known and data not in seen:  # each data set is read once
            seen.append(data)
            yield from _computed(recipe, known)
    yield from _brought(brought, begun_on)


def _packages(begun_on: Mapping[str, Any]) -> Iterator[Difference]:
    now = environment()["packages"]
    before = begun_on.get("packages", {})
    for package in DECISIVE:
        if package in before and before[package] != now.get(package):
            yield Difference(package, before[package], str(now.get(package, "not installed")))


def _brought(brought: Mapping[str, str], begun_on: Mapping[str, Any]) -> Iterator[Difference]:
    for part, source in begun_on.get("brought", {}).items():
        if brought.get(part, NO_PLUGIN) != source:
            yield Difference(part, source, brought.get(part, NO_PLUGIN))


def _computed(recipe: Recipe, begun_on: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the differences of data and device, which torch has to read."""
    from nascore.engine.build import device_name
    from nascore.engine.data_checks import data_fingerprint
    from nascore.engine.device import device_for
    from nascore.engine.proxy import build_dataset

    device = device_name(device_for(recipe))
    if "device" in begun_on and begun_on["device"] != device:
        yield Difference("device", begun_on["device"], device)
    if "data" in begun_on:
        data = data_fingerprint(build_dataset(recipe).train())
        if data != begun_on["data"]:
            yield Difference("training images, by their digest", begun_on["data"][:12], data[:12])


def refuse_differences(path: Path, found: Iterable[Difference]) -> None:
    """Raise an error if there are differences, with all of them and the command that accepts them.

    Args:
        path: The folder of the run.
        found: The differences.

    Raises:
        RecipeError: There are differences.
    """
    problems = [
        Problem(path=one.name, text=f"{one.before} when the run began, {one.now} now.") for one in found
    ]
    if problems:
        raise RecipeError([*problems, _accepting(path)])


def _accepting(path: Path) -> Problem:
    again = resume_command(path, "--accept")
    text = "with these differences the run cannot end as it would have."
    return Problem(path="", text=text, hint=f"To resume anyway, and record the differences: {again}")
