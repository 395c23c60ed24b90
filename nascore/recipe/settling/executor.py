"""The executor of a recipe, which a run records beside its recipe: it has no say in results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import Factory, evolve, frozen

from nascore.errors import Problem, RecipeError
from nascore.recipe.settling.recipe import flat_settings
from nascore.slots import EXECUTOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.recipe.settling.recipe import Recipe
    from nascore.recipe.settling.request import Request


def without_executor(recipe: Recipe) -> Recipe:
    """Return a recipe without its executor, which is the same wherever its jobs are done."""
    return evolve(recipe, parts={slot: parts for slot, parts in recipe.parts.items() if slot != EXECUTOR})


def plain_executor(recipe: Recipe) -> dict[str, Any]:
    """Return the executor of a recipe as values for JSON."""
    part = recipe.part(EXECUTOR)
    settings = {
        path: str(value.absolute()) if isinstance(value, Path) else value
        for path, value in flat_settings(part.settings)
    }
    return {"name": part.label, "settings": settings}


@frozen(kw_only=True)
class ExecutorChoice:
    """The executor with which a run is resumed.

    Attributes:
        recorded: The executor with which it began, as :func:`plain_executor` returned it; None: unknown.
        name: Another executor; None: the recorded one, or else the default.
        sets: ``executor.PATH=VALUE`` texts, which override recorded settings.
        settings: Values by the same paths.
    """

    recorded: Mapping[str, Any] | None = None
    name: str | None = None
    sets: Sequence[str] = ()
    settings: Mapping[str, Any] = Factory(dict)

    def __attrs_post_init__(self) -> None:
        """Refuse settings of other slots.

        Raises:
            RecipeError: There are some.
        """
        text = "is no setting of the executor: the other settings of a run are those that it began with."
        wrong = [path for path in self._paths() if not path.startswith(f"{EXECUTOR}.")]
        if wrong:
            raise RecipeError([Problem(path=path, text=text) for path in wrong])

    def applied(self, request: Request) -> Request:
        """Return a request that names this executor."""
        recorded, settings = self.recorded, dict(self.settings)
        if recorded is not None and self.name in {None, recorded["name"]}:
            known = {f"{EXECUTOR}.{path}": value for path, value in recorded["settings"].items()}
            overridden = set(self._paths())
            settings |= {path: value for path, value in known.items() if path not in overridden}
        name = self.name or (None if recorded is None else recorded["name"])
        if name is None and not settings and not self.sets:
            return request
        return evolve(
            request,
            names=request.names if name is None else {**request.names, EXECUTOR: [name]},
            settings={**request.settings, **settings},
            sets=(*request.sets, *self.sets),
            from_python=not self.sets,
        )

    def _paths(self) -> list[str]:
        return [*self.settings, *(text.partition("=")[0] for text in self.sets)]
