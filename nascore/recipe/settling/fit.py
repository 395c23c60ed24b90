"""Checks whether parts fit: their needs, their checks of values, and settings that nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.config import SettingsOwner, mistakes, settings_of, wrap
from nascore.description import reducing
from nascore.errors import Origin, Problem
from nascore.plugin.guard import guarded, not_a_problem
from nascore.recipe.settling.misfit import explain_misfit, need_applies, unmet_needs
from nascore.slots import RUN, TASK, TRICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.description import Catalogue, Description
    from nascore.errors import OriginKind
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Part, Recipe, Row
    from nascore.recipe.sources.layers import Stack, Value


TYPED: Final[tuple[OriginKind, ...]] = ("flag", "set", "python")


def unread_setting_warnings(recipe: Recipe, *, written: bool = False) -> list[Problem]:
    """Return a warning for every given value that a component declares as unread.

    Args:
        recipe: A settled recipe.
        written: Whether a run wrote its file: such a file holds all values, so they are not warned of.
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
    text = f"has no effect with {part.slot} {part.name}: {instead}."
    return Problem(path=path, text=text, origin=origin, verdict="warned")


def _is_below(path: str, unread: str) -> bool:
    return path == unread or path.startswith(f"{unread}.")


def misfits(recipe: Recipe, registry: Registry) -> tuple[Problem, ...]:
    """Return a problem for every unmet need, refused or warned.

    Args:
        recipe: A settled recipe.
        registry: The installed components, for hints.
    """
    return tuple(explain_misfit(lack, recipe.parts, registry) for lack in unmet_needs(recipe.parts))


def check_fit(
    recipe: Recipe, registry: Registry, *, explain: bool = True, written: bool = False
) -> tuple[Problem, ...]:
    """Return the problems of a settled recipe: unmet needs, failed checks of values, and unread settings.

    Args:
        recipe: A settled recipe.
        registry: The installed components, for hints.
        explain: Whether misfits get a text.
        written: Whether a run wrote the recipe's file.

    Returns:
        Every problem, refused or warned.
    """
    problems = [*(misfits(recipe, registry) if explain else _unexplained(recipe))]
    problems += _rival_tricks(recipe)
    problems += _unsmoothed(recipe, written=written)
    for part in (part for items in recipe.parts.values() for part in items):
        for need in part.component.needs:
            problems += need_applies(part.component, part.settings, need)[1]
        problems += recipe.with_origins(_check_problems(part, ChoiceView(recipe=recipe, registry=registry)))
    return (*problems, *unread_setting_warnings(recipe, written=written))


RIVALS: Final = {"optimizer": "the optimizer", "sets-rate": "the learning rate"}
"""Capabilities that one trick of a recipe can have at most, each with the object that the trick sets."""


def _rival_tricks(recipe: Recipe) -> Iterator[Problem]:
    """Yield a problem for each capability that only one trick can have, and several have."""
    for capability, subject in RIVALS.items():
        rivals = [part for part in recipe.parts.get(TRICK, ()) if capability in part.provides]
        if len(rivals) > 1:
            names = " and ".join(part.name for part in rivals)
            text = f"{names} each set {subject}: only one of them can act."
            hint = f"Keep one --{TRICK} of these."
            yield Problem(path=TRICK, text=text, hint=hint, origin=rivals[-1].chosen_by, slots=(TRICK,))


SMOOTHING: Final = "label_smoothing"


def _unsmoothed(recipe: Recipe, *, written: bool) -> Iterator[Problem]:
    """Yield a problem for label smoothing that somebody asks for with a task that has none.

    That of a scale or preset has no effect: the task ignores it.
    """
    tasks = [part for part in recipe.parts.get(TASK, ()) if "smooths" not in part.provides]
    layers = TYPED if written else (*TYPED, "recipe")
    for part in tasks:
        for path, value, origin in recipe.rows():
            if path.rpartition(".")[2] == SMOOTHING and value and origin.kind in layers:
                text = f"task {part.name} has no labels to smooth."
                hint = f"Set it to 0, or use --{TASK} classification."
                yield Problem(path=path, text=text, origin=origin, hint=hint)


def _unexplained(recipe: Recipe) -> list[Problem]:
    return [
        Problem(path="", text="", verdict=lack.need.verdict, slots=lack.slots)
        for lack in unmet_needs(recipe.parts)
    ]


@frozen(kw_only=True)
class ChoiceView:
    """The view that a component's check gets: the recipe and the installed operations."""

    recipe: Recipe
    registry: Registry

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of the components in a slot."""
        return self.recipe.names(slot)

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """Return the value at a path such as ``trainer.epochs``, or None where there is none."""
        return self.recipe.setting(path)

    def operations(self) -> Catalogue:
        """Return the installed operations, by name."""
        return self.registry.operations()

    def mistakes(self, path: str, value: object) -> tuple[Problem, ...]:
        """Return the problems that a value would have at a path of a component, such as ``space.cells``."""
        slot, _, rest = path.partition(".")
        part = next(iter(self.recipe.parts.get(slot, ())), None)
        if part is None:
            return ()
        origin = Origin(kind="default", what="check")
        node = wrap(value, origin)
        for word in reversed(rest.split(".")):
            node = wrap({word: node}, origin)
        owner = SettingsOwner(owner=part.name, path=part.prefix.removesuffix("."))
        return tuple(evolve(one, origin=None) for one in mistakes(part.component.config, node, owner))


def _check_problems(part: Part, recipe: ChoiceView) -> list[Problem]:
    """Return the problems that a component's check finds."""
    check = part.component.check
    if check is None:
        return []
    found, wrong = guarded(part.component, "check", lambda: tuple(check(part.settings, recipe)), lambda: ())
    return [
        *(item if isinstance(item, Problem) else not_a_problem(part.component, item) for item in found),
        *wrong,
    ]


def unused_values(recipe: Recipe, stack: Stack) -> Iterator[Problem]:
    """Yield a problem for every value given by path that belongs to no part."""
    slots = {slot.name: slot for slot in recipe.slots}
    for value in (*stack.below, *stack.above):
        by_path = value.node.origin.kind in ("set", "python")
        if not by_path or value.slot == RUN:
            continue
        if value.slot not in slots:
            text = f"{recipe.part(RUN).name} does not use this slot."
            yield Problem(
                path=value.slot, text=text, origin=value.node.origin, hint=_run_setting_hint(value, recipe)
            )
        elif value.component is not None and value.component.name not in recipe.names(value.slot):
            yield _absent_component(value, recipe)


def _run_setting_hint(value: Value, recipe: Recipe) -> str:
    """Return a hint at groups of the run with a setting of this name: ``training.epochs``."""
    given = value.node.value if isinstance(value.node.value, dict) else {}
    groups = settings_of(type(recipe.run))
    paths = [
        f"{group}.{name}"
        for name in given
        for group, declared in groups.items()
        if declared.nested and name in settings_of(declared.type)
    ]
    return f"Did you mean {' or '.join(paths)}?" if paths else "Leave it out."


def _absent_component(value: Value, recipe: Recipe) -> Problem:
    assert value.component is not None
    name, slot = value.component.name, value.slot
    filled = ", ".join(recipe.names(slot)) or "empty"
    return Problem(
        path=f"{slot}.{name}",
        text=f"{name} is not in this recipe ({slot}: {filled}).",
        origin=value.node.origin,
        hint=f"Add --{slot} {name}.",
    )


CELLS, AUXILIARY, DROP_PATH = "cells", "auxiliary", "drop_path"


def unused_size_warnings(
    recipe: Recipe, descriptions: Sequence[Description], catalogue: Catalogue, *, grow: bool = False
) -> Recipe:
    """Return a recipe with a warning for every typed setting that has no effect on any of some architectures.

    The settings are the depth, the auxiliary head and drop path. Those from files and scales are meant for
    all architectures, and are not warned of.

    Args:
        recipe: The recipe of the final training.
        descriptions: The architectures, or the space that they come from.
        catalogue: The operations.
        grow: Whether they grow: the growth policy itself declares that `cells` is unread.
    """
    typed = _typed_sizes(recipe)
    if not typed:
        return recipe
    texts = [
        dict(_without_effect_on_grown(one) if grow else _without_effect(one, catalogue))
        for one in descriptions
    ]
    found = [
        Problem(path=f"{recipe.training_group}.{name}", text=texts[0][name], origin=origin, verdict="warned")
        for name, origin in typed.items()
        if texts and all(name in reasons for reasons in texts)
    ]
    return recipe.with_warnings(found)


def _typed_sizes(recipe: Recipe) -> dict[str, Origin]:
    known = {problem.path for problem in recipe.warned}
    paths = {f"{recipe.training_group}.{name}": name for name in (CELLS, AUXILIARY, DROP_PATH)}
    return {
        paths[path]: origin
        for path, value, origin in recipe.rows()
        if path in paths and path not in known and value and origin.kind in TYPED
    }


def _without_effect(description: Description, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if all(node.repeat is None for node in description.network.nodes):
        yield CELLS, "no node of this network repeats, so its depth is fixed."
    if description.auxiliary is None and reducing(description) is None:
        text = "this network never reduces its resolution, so it has no place for an auxiliary head."
        yield AUXILIARY, text
    ops = {op.name for _, _, edge in description.edges() for op in edge.ops}
    if all(name in catalogue and catalogue[name].structural for name in ops):
        yield DROP_PATH, "all operations of this network belong to its frame, which drop path never drops."


def _without_effect_on_grown(description: Description) -> Iterator[tuple[str, str]]:
    if description.auxiliary is None:
        yield AUXILIARY, "growing architectures have no auxiliary head."
