"""Explains a misfit: both parts, their origins, the reason, and the parts that fit."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import attrs
from attrs import frozen

from nascore.capability import sentence
from nascore.config import settings_of, write_scalar, write_value
from nascore.errors import Origin, Problem
from nascore.plugin.guard import guarded, provided
from nascore.recipe.settling.needs import need_applies, split, worst
from nascore.recipe.settling.recipe import Part
from nascore.shell import command_line
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.component import Component, Need
    from nascore.config import Declared
    from nascore.plugin import Registry
    from nascore.recipe.settling.needs import Unmet


@frozen(kw_only=True, eq=False)
class Remedy:
    """One change that meets a need.

    Attributes:
        part: The part as it is then.
        before: The part as it is, of which a setting is changed; None: another component takes its place.
        setting: The setting that is changed; empty where a component is.
        level: How bad the worst need is in which the part has a say then.
    """

    part: Part
    before: Part | None = None
    setting: str = ""
    level: int = 0

    @property
    def assigned(self) -> str:
        """The setting and its value, as they are typed after ``--set``."""
        value = write_scalar(getattr(self.part.settings, self.setting))
        return f"{self.part.prefix}{self.setting}={value}"

    @property
    def typed(self) -> str:
        """What is added to a command."""
        if self.setting:
            return command_line("--set", self.assigned)
        return command_line(f"--{self.part.slot}", self.part.name)


def remedies(lack: Unmet, parts: Mapping[str, Sequence[Part]], registry: Registry) -> list[Remedy]:
    """Return what meets a need, the best judged only; the part's own settings first, then as the terms stand.

    Args:
        lack: The need that is not met.
        parts: What fills each slot.
        registry: What is installed.
    """
    found = [*_unasked(lack), *_meeting(lack, parts, registry)]
    judged = [attrs.evolve(way, level=_level(way, parts)) for way in found]
    best = min((way.level for way in judged), default=0)
    return [way for way in judged if way.level == best]


def other_values(declared: Declared, value: object) -> list[Any]:
    """Return the other values of a setting that has only a few: true or false, or some words."""
    if declared.setting.choices:
        few: Sequence[Any] = declared.setting.choices
    elif declared.type is bool:
        few = (True, False)
    elif get_origin(declared.type) is Literal:
        few = get_args(declared.type)
    else:
        few = ()
    return [one for one in few if one != value]


def changed(part: Part, name: str, value: object) -> Part | None:
    """Return a part with another value of a setting; None where its other settings refuse that one."""
    # A plugin's own rules may join several settings: what one of them raises is no way, and no mistake.
    settings, wrong = guarded(
        part.component, "settings", lambda: attrs.evolve(part.settings, **{name: value}), lambda: None
    )
    if wrong:
        return None
    return attrs.evolve(part, settings=settings, provides=provided(part.component, settings)[0])


def varied_settings(part: Part) -> Iterator[tuple[Part, str]]:
    """Yield a part with one setting changed, and the setting's name.

    The new value is the default, or another of a setting that has only a few; but null is no default for
    what is typed after the part's name, such as a file.

    Args:
        part: The part as it is.
    """
    for name, declared in settings_of(part.component.config).items():
        if declared.nested:
            continue
        value = getattr(part.settings, name)
        others = other_values(declared, value)
        empty = declared.default is None and name == part.component.argument
        if declared.default != value and declared.default not in others and not empty:
            others.append(declared.default)
        tried = (changed(part, name, other) for other in others)
        yield from ((new, name) for new in tried if new is not None)


@cache  # asked for at every misfit, and always the same
def plain(component: Component) -> Part | None:
    """Return a component as it is without any settings; None where it cannot be had."""
    settings, wrong = guarded(component, "settings", component.config, lambda: None)
    if wrong:
        return None
    origin = Origin(kind="default", what="what fits")
    provides = provided(component, settings)[0]
    return Part(component=component, settings=settings, origins={}, brought=origin, provides=provides)


def _unasked(lack: Unmet) -> Iterator[Remedy]:
    """Other settings of the part that has the need, with which it has it no more."""
    part, need = lack.part, lack.need
    for other, name in varied_settings(part):
        if not need_applies(part.component, other.settings, need)[0]:
            yield Remedy(part=other, before=part, setting=name)


def _meeting(lack: Unmet, parts: Mapping[str, Sequence[Part]], registry: Registry) -> Iterator[Remedy]:
    for term in lack.need.terms:
        negated, slot, capability = split(term)
        if slot == RUN:
            continue
        there = parts.get(slot, ())
        for before in there:
            for part, name in varied_settings(before):
                if (capability in part.provides) != negated:
                    yield Remedy(part=part, before=before, setting=name)
        # What a part wishes of others goes with it: with another in its place they would be other parts.
        for component in () if _wishes_of(there, parts) else registry.components(slot):
            new = None if any(part.component is component for part in there) else plain(component)
            if new is not None and (capability in new.provides) != negated:
                yield Remedy(part=new)


def _wishes_of(there: Sequence[Part], parts: Mapping[str, Sequence[Part]]) -> bool:
    """Say whether some part has settings that one of these wishes for."""
    names = {part.name for part in there}
    origins = (origin for filled in parts.values() for part in filled for origin in part.origins.values())
    return any(origin.kind == "wish" and origin.who in names for origin in origins)


def _level(way: Remedy, parts: Mapping[str, Sequence[Part]]) -> int:
    filled = [way.part]
    if way.before is not None:
        filled = [way.part if part is way.before else part for part in parts[way.part.slot]]
    lack = worst({**parts, way.part.slot: filled}, way.part)
    return 0 if lack is None else lack.level


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
    found = remedies(lack, parts, registry)
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
    inner = f"that is not one that {sentence(capability)}" if negated else f"that {sentence(capability)}"
    return f"{article} {slot} {inner}"


def _blamed(found: Sequence[Remedy]) -> dict[int, str]:
    """The setting to blame, by the identity of its part: one that somebody chose, and that could cure."""
    return {
        id(way.before): way.setting
        for way in reversed(found)
        if way.before is not None and way.setting in way.before.origins
    }


def _concerned(others: list[Part], blamed: Mapping[int, str]) -> list[Part]:
    """The parts to blame: those with a wrong setting, or else those that somebody chose, or else all."""
    wrong = [one for one in others if id(one) in blamed]
    return wrong or [one for one in others if one.brought.kind != "default"] or others


def _called(part: Part, blamed: Mapping[int, str]) -> str:
    setting = blamed.get(id(part))
    return part.name if setting is None else f"{part.name} ({_valued(part, setting)})"


def _valued(part: Part, setting: str) -> str:
    return f"{setting} {write_value(getattr(part.settings, setting))}"


def _head(called: Sequence[str], *, well: bool) -> str:
    names = " and ".join([", ".join(called[:-1]), called[-1]]) if len(called) > 1 else called[0]
    return f"{names} {'do' if len(called) > 1 else 'does'} not fit{' well' if well else ''}."


def _but(called: Sequence[str]) -> str:
    if not called:
        return ""
    return f"; {' and '.join(called)} {'is' if len(called) == 1 else 'are'} not that"


def _brought(part: Part, blamed: Mapping[int, str]) -> str:
    setting = blamed.get(id(part))
    if setting is not None and part.brought.kind == "default":
        return f"{_valued(part, setting)} {_from(part.origins[setting])}"
    said = f"{part.name} {_from(part.brought)}"
    return said if setting is None else f"{said}, {_valued(part, setting)} {_from(part.origins[setting])}"


def _from(origin: Origin) -> str:
    if origin.kind == "wish":
        return str(origin)
    if origin.kind == "default":
        return "by default"
    # What was typed after the flag is the part's name, or the value, which is said already.
    return f"from {origin.flag if origin.kind in ('flag', 'set') else origin}"


def _fits(found: Sequence[Remedy]) -> str:
    """What fits in place of what is there: names of components, and values by their path."""
    names = sorted({way.part.name for way in found if not way.setting})
    values = list(dict.fromkeys(way.assigned for way in found if way.setting))
    return f"What fits: {', '.join([*names, *values])}." if found else ""


def _sound(found: Sequence[Remedy]) -> str:
    """What to add to a command so that the warning does not come."""
    if any(way.level for way in found):
        return ""
    typed = list(dict.fromkeys(way.typed for way in found))[:_MOST]
    return f"Sound: {', or '.join(typed)}." if typed else ""
