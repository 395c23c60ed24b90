"""The ways to meet a need that is not met: another component, or another value of a setting."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import attrs
from attrs import frozen

from nascore.component import RUN, SLOTS
from nascore.config import settings_of, write_scalar
from nascore.errors import Origin
from nascore.recipe.guard import guarded, provided
from nascore.recipe.needs import asked, split, worst
from nascore.recipe.recipe import Part
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.component import Component
    from nascore.config import Declared
    from nascore.plugin import Registry
    from nascore.recipe.needs import Unmet


_MANY: Final = {slot.name for slot in SLOTS if slot.many}


@frozen(kw_only=True, eq=False)
class Way:
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
        part = self.part
        slot = f"{part.slot}.{part.name}" if part.slot in _MANY else part.slot
        return f"{slot}.{self.setting}={write_scalar(getattr(part.settings, self.setting))}"

    @property
    def typed(self) -> str:
        """What is added to a command."""
        if self.setting:
            return command_line("--set", self.assigned)
        return command_line(f"--{self.part.slot}", self.part.name)


def ways(lack: Unmet, parts: Mapping[str, Sequence[Part]], registry: Registry) -> list[Way]:
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


def varied(part: Part) -> Iterator[tuple[Part, str]]:
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
    origin = Origin(layer="default", where="what fits")
    provides = provided(component, settings)[0]
    return Part(component=component, settings=settings, origins={}, brought=origin, provides=provides)


def _unasked(lack: Unmet) -> Iterator[Way]:
    """Other settings of the part that has the need, with which it has it no more."""
    part, need = lack.part, lack.need
    for other, name in varied(part):
        if not asked(part.component, other.settings, need)[0]:
            yield Way(part=other, before=part, setting=name)


def _meeting(lack: Unmet, parts: Mapping[str, Sequence[Part]], registry: Registry) -> Iterator[Way]:
    for term in lack.need.terms:
        negated, slot, capability = split(term)
        if slot == RUN:
            continue
        there = parts.get(slot, ())
        for before in there:
            for part, name in varied(before):
                if (capability in part.provides) != negated:
                    yield Way(part=part, before=before, setting=name)
        # What a part wishes of others goes with it: with another in its place they would be other parts.
        for component in () if _wishes_of(there, parts) else registry.components(slot):
            new = None if any(part.component is component for part in there) else plain(component)
            if new is not None and (capability in new.provides) != negated:
                yield Way(part=new)


def _wishes_of(there: Sequence[Part], parts: Mapping[str, Sequence[Part]]) -> bool:
    """Say whether some part has settings that one of these wishes for."""
    wished = {f"wished by {part.name}" for part in there}
    origins = (origin for filled in parts.values() for part in filled for origin in part.origins.values())
    return any(origin.where in wished for origin in origins)


def _level(way: Way, parts: Mapping[str, Sequence[Part]]) -> int:
    filled = [way.part]
    if way.before is not None:
        filled = [way.part if part is way.before else part for part in parts[way.part.slot]]
    lack = worst({**parts, way.part.slot: filled}, way.part)
    return 0 if lack is None else lack.level
