"""Resolves a request to a recipe that can run; a refusal ends with the nearest request that works."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.errors import Origin, PluginError, Problem, RecipeError, did_you_mean, refusal
from nascore.files import given_path
from nascore.plugin import Selection, discover
from nascore.plugin.plugin import named
from nascore.recipe import SEARCH_RUN, Request, Values
from nascore.recipe.advice.nearest_mix import unfit
from nascore.recipe.settling.request import resolved
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.component import Component
    from nascore.engine.build import Built
    from nascore.plugin import Plugin, Registry
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Recipe
    from nascore.slots import Slot
    from nascore.verbs.reporter import Reporter


@frozen(kw_only=True)
class ResolvedRequest:
    """A recipe that can run, and its source.

    Attributes:
        recipe: The settled recipe.
        registry: The installed plugins and the files that the request names.
        built: The parts that were built to check the recipe; its first search takes them. None: none were.
    """

    recipe: Recipe
    registry: Registry
    built: Built | None = None


def resolve_request(
    request: Request,
    *,
    plugins: Wanted = (),
    run: Component = SEARCH_RUN,
    slots: Sequence[Slot] = SLOTS,
    reporter: Reporter | None = None,
) -> ResolvedRequest:
    """Return the recipe of a request.

    Args:
        request: The request.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        run: The component of the run itself, a search or an evaluation.
        slots: The slots that play a part.
        reporter: Writes the suggestion that ends the text of a misfit. None: there is no suggestion.

    Raises:
        RecipeError: The request has problems; the error has all of them.
        UnfitError: Parts do not fit, and there is no other problem.
        PluginError: A file of `plugins` cannot be used.
    """
    registry = installed(plugins)
    recipe = resolved(request, registry, run=run, slots=slots)
    if recipe.refused:
        misfit = unfit(recipe, request, registry, run=run, slots=tuple(slots))
        if misfit is not None and reporter is not None:
            reporter.add_suggestion(misfit)
        raise misfit or refusal(recipe.problems)
    return ResolvedRequest(recipe=recipe, registry=registry)


def requested(
    *,
    names: Mapping[str, str | Path | Sequence[str | Path] | None],
    recipe: str | Path | None,
    preset: str | None,
    scale: str | None,
    settings: Mapping[str, Any] | None,
    **run: Any,  # noqa: ANN401 - as the settings of the run declare them
) -> Request:
    """Return the request of a call from Python; None stands for an argument that was left out.

    Args:
        names: The named components of each slot.
        recipe: A recipe file.
        preset: The name of a preset.
        scale: ``mini``, ``small`` or ``paper``.
        settings: Values by their ``--set`` path.
        run: Settings of the run that are arguments of their own.

    Raises:
        RecipeError: A component is not given by name, or `settings` is not a dictionary.
    """
    _refuse_objects(names)
    if not isinstance(settings, (Mapping, type(None))):
        raise RecipeError("settings must be a dictionary of values by path, such as {'trainer.epochs': 5}.")
    return Request(
        recipe=None if recipe is None else given_path(recipe),
        preset=preset,
        scale=scale,
        names={
            slot: [_name(named)] if isinstance(named, (str, Path)) else [*map(_name, named)] or ["none"]
            for slot, named in names.items()
            if named is not None
        },
        run={name: plain(value) for name, value in run.items() if value is not None},
        settings={path: plain(value) for path, value in (settings or {}).items()},
        from_python=True,
    )


def _refuse_objects(names: Mapping[str, Any]) -> None:
    """Raise an error if a component is given as a class or an object, and not by name."""
    origin = Origin(kind="python", what="an argument")
    problems = [
        Problem(
            path=slot,
            text=f"{type(one).__name__} is not the name of a component.",
            origin=origin,
            hint=f"Give a name. A plugin adds your own: {slot}='NAME', plugins=['mine.py'].",
        )
        for slot, named in names.items()
        for one in (named if isinstance(named, (list, tuple, set)) else [named])
        if not isinstance(one, (str, Path, type(None)))
    ]
    if problems:
        raise RecipeError(problems)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a caller has
    """Return a value whose numbers of NumPy and torch, at any depth, are those of Python."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, Values):
        return Values([plain(each) for each in value.values])
    if isinstance(value, list):
        return [plain(each) for each in value]
    # Recognized by attributes, so that neither package is imported.
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


def _name(named: str | Path) -> str:
    """Return the name of a component; a path becomes ``file:PATH``."""
    return f"file:{named}" if isinstance(named, Path) else named


def installed(plugins: Wanted = ()) -> Registry:
    """Return the selected plugins with their components; each must be usable if the caller names it.

    Args:
        plugins: A selection of plugins, or files with plugins that are not installed.

    Raises:
        PluginError: A named file, or a plugin that `only` names, cannot be used, or no plugin has the name.
    """
    selection = Selection.of(plugins)
    registry = found(selection)
    files = {str(given_path(file)) for file in selection.files}
    required = [
        one for one in registry.plugins if one.value in files or one.is_network or named(one, selection.only)
    ]
    problems = [
        Problem(path="", text=f"{_called(one)} cannot be used: {one.reason.rstrip('.')}.", hint=one.cure)
        for one in required
        if one.status != "ready"
    ]
    if problems:
        raise PluginError(problems)
    return registry


def found(plugins: Wanted = ()) -> Registry:
    """Return the selected plugins with their components, whether or not the plugins can be used.

    Raises:
        PluginError: A name of the selection stands for no plugin.
    """
    selection = Selection.of(plugins)
    registry = discover(selection)
    flags = (("--without", selection.without), ("--only", selection.only))
    problems = [
        _not_installed(flag, name, registry)
        for flag, names in flags
        for name in names
        if not any(named(one, [name]) for one in registry.plugins)
    ]
    if problems:
        raise PluginError(problems)
    return registry


def _called(plugin: Plugin) -> str:
    if plugin.is_network:
        return f"the network {plugin.name}"
    return plugin.value if plugin.is_file else f"plugin {plugin.name}"


def _not_installed(flag: str, name: str, registry: Registry) -> Problem:
    """Return the problem of a name that no plugin has; those of NASCORE_WITHOUT are not checked."""
    hint = did_you_mean(name, registry.words()) or "See nascore plugins list."
    origin = Origin(kind="flag", flag=flag, value=name)
    return Problem(path="", text=f"no plugin is called {name}.", hint=hint, origin=origin)
