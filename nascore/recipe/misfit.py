"""The sentences that explain a misfit: both parts, who brought each, the reason, and what fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.capability import sentence
from nascore.component import RUN
from nascore.config import write_scalar
from nascore.errors import Problem
from nascore.recipe.needs import split
from nascore.recipe.ways import ways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.component import Need
    from nascore.errors import Origin
    from nascore.plugin import Registry
    from nascore.recipe.needs import Unmet
    from nascore.recipe.recipe import Part
    from nascore.recipe.ways import Way

_INDENT: Final = "\n     "
_MOST: Final = 3
"""Ways that a warning names; of more the first say enough."""


def asks(need: Need) -> str:
    """Say a need in words: "a relaxation that draws nothing at random"."""
    return need.ask or " or ".join(_wording(term) for term in need.terms)


def misfit(lack: Unmet, parts: Mapping[str, Sequence[Part]], registry: Registry) -> Problem:
    """Return the problem of a need that nothing meets.

    Args:
        lack: The need, and the part that has it.
        parts: What fills each slot.
        registry: What is installed, to say what fits.
    """
    part, need = lack.part, lack.need
    found = ways(lack, parts, registry)
    blamed = _blamed(found)
    there = [one for slot in lack.slots[1:] for one in parts.get(slot, ()) if one is not part]
    others = _concerned(there, blamed)
    called = [_called(one, blamed) for one in (part, *others)]
    lines = [
        _head(called, well=need.verdict == "warned"),
        f"{part.name} needs {asks(need)}{_but(called[1:])}.",
        f"Why: {need.why.rstrip('.')}.",
        "; ".join(_brought(one, blamed) for one in (part, *others)) + ".",
    ]
    return Problem(
        path="",
        text=_INDENT.join(lines),
        hint=_sound(found) if need.verdict == "warned" else _fits(found),
        verdict=need.verdict,
        slots=lack.slots,
    )


def _wording(term: str) -> str:
    negated, slot, capability = split(term)
    article = "an" if slot[0] in "aeiou" else "a"
    if slot == RUN:
        article = "the"
    inner = f"that is not one that {sentence(capability)}" if negated else f"that {sentence(capability)}"
    return f"{article} {slot} {inner}"


def _blamed(found: Sequence[Way]) -> dict[int, str]:
    """The setting to blame, by the identity of its part: one that somebody chose, and that could cure."""
    return {
        id(way.before): way.setting
        for way in reversed(found)
        if way.before is not None and way.setting in way.before.origins
    }


def _concerned(others: list[Part], blamed: Mapping[int, str]) -> list[Part]:
    """The parts to blame: those with a wrong setting, or else those that somebody chose, or else all."""
    wrong = [one for one in others if id(one) in blamed]
    return wrong or [one for one in others if one.brought.layer != "default"] or others


def _called(part: Part, blamed: Mapping[int, str]) -> str:
    setting = blamed.get(id(part))
    return part.name if setting is None else f"{part.name} ({_valued(part, setting)})"


def _valued(part: Part, setting: str) -> str:
    value = getattr(part.settings, setting)
    return f"{setting} {write_scalar(value) if isinstance(value, bool | int | float | str | None) else value}"


def _head(called: Sequence[str], *, well: bool) -> str:
    names = " and ".join([", ".join(called[:-1]), called[-1]]) if len(called) > 1 else called[0]
    return f"{names} {'do' if len(called) > 1 else 'does'} not fit{' well' if well else ''}."


def _but(called: Sequence[str]) -> str:
    if not called:
        return ""
    return f"; {' and '.join(called)} {'is' if len(called) == 1 else 'are'} not that"


def _brought(part: Part, blamed: Mapping[int, str]) -> str:
    setting = blamed.get(id(part))
    if setting is not None and part.brought.layer == "default":
        return f"{_valued(part, setting)} {_from(part.origins[setting])}"
    said = f"{part.name} {_from(part.brought)}"
    return said if setting is None else f"{said}, {_valued(part, setting)} {_from(part.origins[setting])}"


def _from(origin: Origin) -> str:
    if origin.layer == "wish":
        return origin.where
    if origin.layer == "default":
        return "by default"
    # What was typed after the flag is the part's name, or the value, which is said already.
    return f"from {origin.where.split()[0] if origin.layer in ('flag', 'set') else origin.where}"


def _fits(found: Sequence[Way]) -> str:
    """What fits in place of what is there: names of components, and values by their path."""
    names = sorted({way.part.name for way in found if not way.setting})
    values = list(dict.fromkeys(way.assigned for way in found if way.setting))
    return f"What fits: {', '.join([*names, *values])}." if found else ""


def _sound(found: Sequence[Way]) -> str:
    """What to add to a command so that the warning does not come."""
    if any(way.level for way in found):
        return ""
    typed = list(dict.fromkeys(way.typed for way in found))[:_MOST]
    return f"Sound: {', or '.join(typed)}." if typed else ""
