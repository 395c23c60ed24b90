"""The fit check: needs of parts, their own rules on values, and settings that nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.config import settings_of
from nascore.description import reducing
from nascore.errors import Problem
from nascore.plugin.guard import guarded, no_problem
from nascore.recipe.settling.misfit import misfit
from nascore.recipe.settling.needs import need_applies, unmet
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.description import Catalogue, Description
    from nascore.errors import Origin, OriginKind
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Part, Recipe, Row
    from nascore.recipe.sources.layers import Stack, Value


TYPED: Final[tuple[OriginKind, ...]] = ("flag", "set", "python")


def ineffective(recipe: Recipe, *, written: bool = False) -> list[Problem]:
    """Return a warning for every value that somebody gave and that a component declares as unread.

    They say nothing of how parts fit, so that no choice of another component is their cure.

    Args:
        recipe: A settled recipe.
        written: Whether its file was written by a run: then the file holds every value, whoever gave it.
    """
    layers = TYPED if written else (*TYPED, "recipe")
    rows: list[Row] | None = None
    problems = []
    for part in (part for items in recipe.parts.values() for part in items):
        for unread, instead in part.component.unread.items():
            rows = recipe.rows() if rows is None else rows
            problems += [
                _warning(row, part, instead)
                for row in rows
                if row[2].kind in layers and _is_below(row[0], unread) and row[0] not in recipe.parts
            ]
    return problems


def _warning(row: Row, part: Part, instead: str) -> Problem:
    path, _value, origin = row
    text = f"nothing reads it with {part.slot} {part.name}: {instead}."
    return Problem(path=path, text=text, origin=origin, verdict="warned")


def _is_below(path: str, unread: str) -> bool:
    return path == unread or path.startswith(f"{unread}.")


def misfits(recipe: Recipe, registry: Registry) -> tuple[Problem, ...]:
    """Return a problem for every need that no part meets, refused or warned.

    Args:
        recipe: A settled recipe.
        registry: What is installed, to say what fits.
    """
    return tuple(misfit(one, recipe.parts, registry) for one in unmet(recipe.parts))


def fit(
    recipe: Recipe, registry: Registry, *, explain: bool = True, written: bool = False
) -> tuple[Problem, ...]:
    """Check a finished recipe: all needs, each component's own rules on values, and what nothing reads.

    Args:
        recipe: A settled recipe.
        registry: What is installed, to say what fits.
        explain: Whether misfits are explained; else they have no text.
        written: Whether the recipe's file was written by a run.

    Returns:
        Every problem, refused or warned.
    """
    problems = [*(misfits(recipe, registry) if explain else _untold(recipe))]
    for part in (part for items in recipe.parts.values() for part in items):
        for need in part.component.needs:
            problems += need_applies(part.component, part.settings, need)[1]
        problems += recipe.placed(_checked(part, ChoiceView(recipe=recipe, registry=registry)))
    return (*problems, *ineffective(recipe, written=written))


def _untold(recipe: Recipe) -> list[Problem]:
    return [
        Problem(path="", text="", verdict=one.need.verdict, slots=one.slots) for one in unmet(recipe.parts)
    ]


@frozen(kw_only=True)
class ChoiceView:
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


def _checked(part: Part, recipe: ChoiceView) -> list[Problem]:
    """What a component's own rules say."""
    check = part.component.check
    if check is None:
        return []
    found, wrong = guarded(part.component, "check", lambda: tuple(check(part.settings, recipe)), lambda: ())
    return [
        *(item if isinstance(item, Problem) else no_problem(part.component, item) for item in found),
        *wrong,
    ]


def leftovers(recipe: Recipe, stack: Stack) -> Iterator[Problem]:
    """Yield a problem for every value given by path that no part took."""
    slots = {slot.name: slot for slot in recipe.slots}
    for value in (*stack.below, *stack.above):
        by_path = value.node.origin.kind in ("set", "python")
        if not by_path or value.slot == RUN:
            continue
        if value.slot not in slots:
            text = f"{value.slot} plays no part here."
            yield Problem(path=value.slot, text=text, origin=value.node.origin, hint=_of_run(value, recipe))
        elif value.component is not None and value.component.name not in recipe.names(value.slot):
            yield _not_there(value, recipe)


def _of_run(value: Value, recipe: Recipe) -> str:
    """Return the hint for a setting that a group of the run has too: ``training.epochs``."""
    given = value.node.value if isinstance(value.node.value, dict) else {}
    groups = settings_of(type(recipe.run))
    paths = [
        f"{group}.{name}"
        for name in given
        for group, declared in groups.items()
        if declared.nested and name in settings_of(declared.type)
    ]
    return f"Did you mean {' or '.join(paths)}?" if paths else "Leave it out."


def _not_there(value: Value, recipe: Recipe) -> Problem:
    assert value.component is not None
    name, slot = value.component.name, value.slot
    filled = ", ".join(recipe.names(slot)) or "empty"
    return Problem(
        path=f"{slot}.{name}",
        text=f"{name} is not in this recipe ({slot}: {filled}).",
        origin=value.node.origin,
        hint=f"Add --{slot} {name}.",
    )


CELLS, AUXILIARY = "training.cells", "training.auxiliary"


def unused_size_warnings(
    recipe: Recipe, descriptions: Sequence[Description], *, grow: bool = False
) -> Recipe:
    """Return a recipe with a warning for every typed size that has no effect on any of some architectures.

    What stands in files and scales is for all architectures, and says nothing of these. What is warned of
    already is not warned of again.

    Args:
        recipe: A settled recipe, with which they are trained in the end.
        descriptions: The architectures, or the space that they come from.
        grow: Whether they grow: then what grows them declares itself that nothing reads the cells.
    """
    typed = _typed(recipe)
    if not typed:
        return recipe
    texts = [dict(_of_grown(one) if grow else _without_effect(one)) for one in descriptions]
    found = [
        Problem(path=recipe.typed(path), text=texts[0][path], origin=origin, verdict="warned")
        for path, origin in typed.items()
        if texts and all(path in one for one in texts)
    ]
    return recipe.warned_of(found)


def _typed(recipe: Recipe) -> dict[str, Origin]:
    known = {problem.path for problem in recipe.warned}
    return {
        path: origin
        for path, value, origin in recipe.rows()
        if path in {CELLS, AUXILIARY} and recipe.typed(path) not in known and value and origin.kind in TYPED
    }


def _without_effect(description: Description) -> Iterator[tuple[str, str]]:
    if all(node.repeat is None for node in description.network.nodes):
        yield CELLS, "no node of this network repeats, so it stays as deep as it is."
    if description.auxiliary is None and reducing(description) is None:
        text = "an auxiliary head stands where the reduction last rises, which here it never does."
        yield AUXILIARY, text


def _of_grown(description: Description) -> Iterator[tuple[str, str]]:
    if description.auxiliary is None:
        yield AUXILIARY, "what grows has no auxiliary head."
