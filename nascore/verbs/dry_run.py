"""Reports what a search would do, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from nascore.errors import RecipeError
from nascore.files import given_path
from nascore.recipe import SEARCH_RUN
from nascore.run import refuse_taken
from nascore.slots import TRICK
from nascore.verbs.draw import count
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import resolve_request

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


PLACES: Final = {
    "network": "network",
    "parameters": "groups of weights",
    "optimizer": "optimizer",
    "transform": "each image",
    "examples": "each batch",
    "schedule": "learning rate",
    "loss": "loss",
    "gradients": "gradient",
    "after-step": "after each step",
    "evaluates": "evaluated network",
}
"""The places in a training where tricks act, by the capability, in the order in which they come."""


@frozen(kw_only=True)
class Checked:
    """A recipe that can run.

    Attributes:
        recipe: The components of all slots, and all settings.
        supernet: Weights and cost of the searched network with all candidates; None where growth begins with
            closed architectures.
        seeds: The number of architectures that growth begins with.
        searched: The number of them that are supernets, each of which is searched.
        remark: The remark of growth about them; empty where it has none.
        trained: Cost of the networks that the search itself trains, from the cheapest architecture to the
            costliest; in an outer loop, of those that it begins with.
        evaluated: Their cost as `evaluate` trains them.
        size: The size that `evaluate` scales them to: ``{"channels": 16, "cells": 4}``; empty: their own.
    """

    recipe: Recipe
    supernet: Counted | None
    trained: Span
    evaluated: Span
    size: Mapping[str, int]
    seeds: int = 0
    searched: int = 0
    remark: str = ""

    @property
    def beginning(self) -> str:
        """The networks that the run begins with, in words."""
        if self.supernet is not None:
            return f"supernet: {self.supernet}"
        closed = self.seeds - self.searched
        texts = [f"supernets, each searched by itself: {self.searched}"] if self.searched else []
        if closed or not texts:
            texts.append(f"architectures to begin with, each trained by itself: {closed}")
        return "; ".join(texts if self.searched else ["no supernet", *texts])

    @property
    def parts(self) -> list[Row]:
        """The component of each slot, and its origin."""
        slots = {slot.name for slot in self.recipe.slots}
        return [row for row in self.recipe.rows() if row[0] in slots]

    @property
    def tricks(self) -> dict[str, list[str]]:
        """The tricks by the place in a training where they act, in the order in which they act."""
        tricks = self.recipe.parts.get(TRICK, ())
        found = {
            place: [part.name for part in tricks if capability in part.provides]
            for capability, place in PLACES.items()
        }
        return {place: names for place, names in found.items() if names}

    @property
    def changed(self) -> list[Row]:
        """The settings that differ from the default, with their origins."""
        slots = {slot.name for slot in self.recipe.slots}
        return [row for row in self.recipe.rows() if row[0] not in slots and row[2].kind != "default"]


def check(
    request: Request,
    *,
    out: str | Path | None = None,
    plugins: Wanted = (),
    reporter: Reporter | None = None,
) -> Checked:
    """Return what the search of a request would do; its warnings are those of the recipe.

    Args:
        request: The request.
        out: The folder that the search would be written to.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        reporter: Receives the recipe before it is checked. None: that of a call from Python.

    Raises:
        RecipeError: The request has problems, or its parts do not fit; the error has all of them.
        PluginError: A plugin is missing or broken, and there is no other problem.
        RunFolderError: The folder is taken.
    """
    reporter = reporter or Reporter()
    run = reporter.run_component(SEARCH_RUN)
    resolved = resolve_request(request, plugins=plugins, run=run, reporter=reporter)
    reporter.resolved(resolved.recipe)
    if out is not None:
        refuse_taken(given_path(out))
    return check_search(resolved)


def with_build_warnings(resolved: ResolvedRequest, *, out: str | Path | None = None) -> ResolvedRequest:
    """Return a resolved search with its parts built, and with the warnings that only building shows.

    Args:
        resolved: The search.
        out: The folder that it will be written to.

    Raises:
        RunFolderError: The folder is taken; raised before torch is imported.
        RecipeError: The search could not run. The error has the warnings too, one of which may be the reason.
    """
    if out is not None:
        refuse_taken(given_path(out))
    from nascore.engine.device import computing

    with computing(resolved.recipe.run.threads):  # as the search does, which takes what is built here
        built = _built(resolved).with_checked_data()
    return evolve(resolved, recipe=built.recipe, built=built)


def check_search(resolved: ResolvedRequest) -> Checked:
    """Return what a settled recipe would do; nothing is trained, and of the data only the facts are read.

    Raises:
        RecipeError: The search could not run. The error has the warnings too, one of which may be the reason.
    """
    from nascore.engine.device import ambient

    with ambient():
        return _checked(resolved)


def _checked(resolved: ResolvedRequest) -> Checked:
    from nascore.engine.handover import handover, span
    from nascore.engine.proposals import growth_remark
    from nascore.engine.proxy import whole_facts

    built = _built(resolved)
    recipe, dataset, parts = built.recipe, built.dataset, built.parts
    assert parts is not None
    operations = resolved.registry.operations()
    known = handover(recipe, parts, dataset.facts, operations, whole_facts(dataset))
    image = (dataset.facts.height, dataset.facts.width)
    return Checked(
        recipe=recipe,
        supernet=None if parts.seeds else count(parts.description, resolved.registry, image),
        trained=span(known.trained),
        evaluated=span(known.evaluated),
        size=known.size,
        seeds=len(parts.seeds),
        searched=sum(seed.is_open for seed in parts.seeds),
        remark=growth_remark(recipe, parts.growth, parts.seeds) if parts.seeds else "",
    )


def _built(resolved: ResolvedRequest) -> Built:
    from nascore.engine.build import build

    recipe = resolved.recipe
    try:
        return build(recipe, resolved.registry)
    except RecipeError as error:
        raise type(error)([*recipe.with_origins(error.problems), *recipe.warned]) from error
