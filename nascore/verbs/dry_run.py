"""Works out what a search would do, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.errors import RecipeError
from nascore.files import given_path
from nascore.run import refuse_taken
from nascore.verbs.draw import count
from nascore.verbs.resolution import ask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.engine.build import Built
    from nascore.engine.handover import Span
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Recipe, Request
    from nascore.recipe.settling.recipe import Row
    from nascore.verbs.draw import Counted
    from nascore.verbs.resolution import ResolvedRequest


@frozen(kw_only=True)
class Checked:
    """A recipe that can run.

    Attributes:
        recipe: What fills each slot, and all settings.
        supernet: Weights and cost of the network that is searched in, all candidates counted; None where
            there is none, since growth begins with closed architectures.
        seeds: How many architectures growth begins with.
        remark: What growth has to say of them; empty: nothing.
        trained: What the networks cost that the search itself trains, from the cheapest architecture to the
            costliest; of what grows, those that it begins with.
        evaluated: What they cost as `evaluate` trains them.
        size: What `evaluate` scales them to: ``{"channels": 16, "cells": 4}``; empty: nothing.
    """

    recipe: Recipe
    supernet: Counted | None
    trained: Span
    evaluated: Span
    size: Mapping[str, int]
    seeds: int = 0
    remark: str = ""

    @property
    def parts(self) -> list[Row]:
        """What fills each slot, and what brought it."""
        slots = {slot.name for slot in self.recipe.slots}
        return [row for row in self.recipe.rows() if row[0] in slots]

    @property
    def changed(self) -> list[Row]:
        """The settings that are not the default, and where they came from."""
        slots = {slot.name for slot in self.recipe.slots}
        return [row for row in self.recipe.rows() if row[0] not in slots and row[2].kind != "default"]


def check(request: Request, *, plugins: Wanted = ()) -> Checked:
    """Check a request.

    Args:
        request: What was asked for.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RecipeError: Something is wrong, or does not fit; all of it at once.
        PluginError: What is wrong is that a plugin is missing or broken.
    """
    return check_search(ask(request, plugins=plugins))


def with_build_warnings(asked: ResolvedRequest, *, out: str | Path | None = None) -> ResolvedRequest:
    """Return what was asked for, built, with the warnings that only the building of its parts shows.

    Args:
        asked: A search that was asked for.
        out: The folder that it will be written to.

    Raises:
        RunFolderError: The folder is taken: said at once, before torch is imported.
        RecipeError: It could not run; carries the warnings too, one of which may say why.
    """
    if out is not None:
        refuse_taken(given_path(out))
    from nascore.engine.device import computing

    with computing(asked.recipe.run.threads):  # as the search does, which takes what is built here
        built = _built(asked).with_checked_data()
    return evolve(asked, recipe=built.recipe, built=built)


def check_search(asked: ResolvedRequest) -> Checked:
    """Work out what a settled recipe would do; nothing is trained, and no image is read but the facts.

    Raises:
        RecipeError: It could not run; carries the warnings too, one of which may say why.
    """
    from nascore.engine.device import ambient

    with ambient():
        return _checked(asked)


def _checked(asked: ResolvedRequest) -> Checked:
    from nascore.engine.handover import handover, span
    from nascore.engine.initial_architectures import remark_of

    built = _built(asked)
    recipe, dataset, parts = built.recipe, built.dataset, built.parts
    assert parts is not None
    known = handover(recipe, parts, dataset.facts, asked.registry.operations())
    image = (dataset.facts.height, dataset.facts.width)
    return Checked(
        recipe=recipe,
        supernet=None if parts.seeds else count(parts.description, asked.registry, image),
        trained=span(known.trained),
        evaluated=span(known.evaluated),
        size=known.size,
        seeds=len(parts.seeds),
        remark=remark_of(recipe, parts.growth, parts.seeds) if parts.seeds else "",
    )


def _built(asked: ResolvedRequest) -> Built:
    from nascore.engine.build import build

    recipe = asked.recipe
    try:
        return build(recipe, asked.registry)
    except RecipeError as error:
        raise type(error)([*recipe.placed(error.problems), *recipe.warned]) from error
