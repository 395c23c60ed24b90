"""The fit check: every need of every part, each part's own rules on values, and what nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.errors import Problem
from nascore.recipe.guard import guarded, no_problem
from nascore.recipe.ineffective import ineffective
from nascore.recipe.misfit import misfit
from nascore.recipe.needs import asked, unmet

if TYPE_CHECKING:
    from nascore.description import Catalogue
    from nascore.plugin import Registry
    from nascore.recipe.recipe import Part, Recipe


def misfits(recipe: Recipe, registry: Registry) -> tuple[Problem, ...]:
    """Return a problem for every need that no part meets, refused or warned.

    Args:
        recipe: A settled recipe.
        registry: What is installed, to say what fits.
    """
    return tuple(misfit(one, recipe.parts, registry) for one in unmet(recipe.parts))


def fit(
    recipe: Recipe, registry: Registry, *, told: bool = True, written: bool = False
) -> tuple[Problem, ...]:
    """Check a finished recipe: all needs, each component's own rules on values, and what nothing reads.

    Args:
        recipe: A settled recipe.
        registry: What is installed, to say what fits.
        told: Whether misfits are explained; else they have no text.
        written: Whether the recipe's file was written by a run.

    Returns:
        Every problem, refused or warned.
    """
    problems = [*(misfits(recipe, registry) if told else _untold(recipe))]
    for part in (part for items in recipe.parts.values() for part in items):
        for need in part.component.needs:
            problems += asked(part.component, part.settings, need)[1]
        problems += recipe.placed(_checked(part, Seen(recipe=recipe, registry=registry)))
    return (*problems, *ineffective(recipe, written=written))


def _untold(recipe: Recipe) -> list[Problem]:
    return [
        Problem(path="", text="", verdict=one.need.verdict, slots=one.slots) for one in unmet(recipe.parts)
    ]


@frozen(kw_only=True)
class Seen:
    """What a component's check sees: the recipe, and the operations that are installed."""

    recipe: Recipe
    registry: Registry

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of what fills a slot."""
        return self.recipe.names(slot)

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """Return the value at a path such as ``trainer.epochs``, or None where there is none."""
        return self.recipe.setting(path)

    def operations(self) -> Catalogue:
        """Return the operations that are installed, by name."""
        return self.registry.operations()


def _checked(part: Part, recipe: Seen) -> list[Problem]:
    """What a component's own rules say."""
    check = part.component.check
    if check is None:
        return []
    found, wrong = guarded(part.component, "check", lambda: tuple(check(part.settings, recipe)), lambda: ())
    return [
        *(item if isinstance(item, Problem) else no_problem(part.component, item) for item in found),
        *wrong,
    ]
