"""The fit check: set arithmetic over capabilities, and the sentences that explain it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.capability import sentence
from nascore.component import RUN
from nascore.errors import Problem
from nascore.recipe.guard import guarded, no_problem, provided

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.component import Component, Need
    from nascore.description import Catalogue
    from nascore.plugin import Registry
    from nascore.recipe.recipe import Part, Recipe

_INDENT: Final = "\n     "


def holds(term: str, parts: Mapping[str, Sequence[Part]]) -> bool:
    """Say whether a term of a need holds; one about a slot that is not settled counts as met."""
    negated, slot, capability = split(term)
    if slot not in parts:
        return True
    return any(capability in part.provides for part in parts[slot]) != negated


def split(term: str) -> tuple[bool, str, str]:
    """Split ``[not ]slot.capability``."""
    bare = term.removeprefix("not ")
    slot, _, capability = bare.partition(".")
    return bare != term, slot, capability


def unmet(parts: Mapping[str, Sequence[Part]]) -> list[tuple[Part, Need]]:
    """Return every need that no term meets, with the part that has it."""
    return [
        (part, need)
        for items in parts.values()
        for part in items
        for need in part.component.needs
        if _asked(part, need)[0] and not any(holds(term, parts) for term in need.terms)
    ]


def fit(recipe: Recipe, registry: Registry) -> tuple[Problem, ...]:
    """Check a finished recipe: all needs, then each component's own rules on values.

    Args:
        recipe: A settled recipe.
        registry: What is installed, to say what fits.

    Returns:
        Every problem, refused or warned.
    """
    problems = [_misfit(part, need, recipe.parts, registry) for part, need in unmet(recipe.parts)]
    for part in (part for items in recipe.parts.values() for part in items):
        for need in part.component.needs:
            problems += _asked(part, need)[1]
        problems += recipe.placed(_checked(part, Seen(recipe=recipe, registry=registry)))
    return tuple(problems)


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


def _asked(part: Part, need: Need) -> tuple[bool, tuple[Problem, ...]]:
    """Whether a need counts with the settings as they are."""
    what = f"condition of the need {' or '.join(need.terms)}"
    return guarded(part.component, what, lambda: bool(need.when(part.settings)), bool)


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


def asks(need: Need) -> str:
    """Say a need in words: "a relaxation that draws nothing at random"."""
    return need.ask or " or ".join(_wording(term) for term in need.terms)


def _wording(term: str) -> str:
    negated, slot, capability = split(term)
    article = "an" if slot[0] in "aeiou" else "a"
    if slot == RUN:
        article = "the"
    inner = f"that is not one that {sentence(capability)}" if negated else f"that {sentence(capability)}"
    return f"{article} {slot} {inner}"


def _misfit(part: Part, need: Need, parts: Mapping[str, Sequence[Part]], registry: Registry) -> Problem:
    slots = [slot for slot in dict.fromkeys(split(term)[1] for term in need.terms) if slot != RUN]
    others = [other for slot in slots for other in parts.get(slot, ()) if other is not part]
    names = " and ".join([part.name, *(other.name for other in others)])
    if need.verdict == "warned":
        head = f"{names} {'do' if others else 'does'} not fit well."
    else:
        head = f"{names} {'do not fit' if others else 'does not fit'}."
    lines = [head, f"{part.name} needs {asks(need)}{_but(others)}.", f"Why: {need.why.rstrip('.')}."]
    lines.append("; ".join(f"{item.name} {_brought(item)}" for item in (part, *others)) + ".")
    fits = sorted({item.name for item in _fitting(need, registry)})
    hint = f"What fits: {', '.join(fits)}." if fits else ""
    text = _INDENT.join(lines)
    return Problem(
        path="", text=text, hint=hint, verdict=need.verdict, slots=tuple(dict.fromkeys((part.slot, *slots)))
    )


def _but(others: Sequence[Part]) -> str:
    if not others:
        return ""
    return f"; {' and '.join(other.name for other in others)} {'is' if len(others) == 1 else 'are'} not that"


def _brought(part: Part) -> str:
    return part.brought.where if part.brought.layer == "wish" else f"from {part.brought.where}"


def _fitting(need: Need, registry: Registry) -> Iterable[Component]:
    """All components that would meet a term with their default settings."""
    for term in need.terms:
        negated, slot, capability = split(term)
        for component in registry.components(slot):
            settings, wrong = guarded(component, "settings", component.config, lambda: None)
            if not wrong and (capability in provided(component, settings)[0]) != negated:
                yield component
