"""Finds the unmet needs of parts, and explains a misfit: both parts, their origins, the reason, what fits."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import attrs
from attrs import frozen

from nascore.capability import sentence
from nascore.component import Need
from nascore.config import settings_of, write_scalar, write_value
from nascore.errors import Origin, Problem
from nascore.plugin.guard import guarded, provided
from nascore.recipe.settling.recipe import Part
from nascore.shell import command_line
from nascore.slots import RUN, TRICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.component import Component, Settings
    from nascore.config import Declared
    from nascore.plugin import Registry


SEVERITIES: Final = {"warned": 1, "refused": 2}
"""The severity of each verdict; 0 is sound."""


SLOT_NEEDS: Final[Mapping[str, tuple[Need, ...]]] = {
    TRICK: (
        Need(
            terms=("trainer.tricks",),
            why="a trainer that makes its weights steps without tricks would ignore it",
        ),
    )
}
"""The needs of every component of a slot."""


@frozen(kw_only=True, eq=False)
class UnmetNeed:
    """A need that no part meets.

    Attributes:
        part: The part with the need.
        need: The need.
    """

    part: Part
    need: Need

    @property
    def severity(self) -> int:
        """The severity of its verdict."""
        return SEVERITIES[self.need.verdict]

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots in which another component could meet it."""
        return (self.part.slot, *(slot for slot in slots_of_need(self.need) if slot != RUN))


def is_met(term: str, parts: Mapping[str, Sequence[Part]]) -> bool:
    """Return whether a term of a need is met; a term about an unsettled slot counts as met."""
    negated, slot, capability = split_term(term)
    if slot not in parts:
        return True
    return any(capability in part.provides for part in parts[slot]) != negated


def split_term(term: str) -> tuple[bool, str, str]:
    """Split ``[not ]slot.capability`` into: negated, slot, capability."""
    bare = term.removeprefix("not ")
    slot, _, capability = bare.partition(".")
    return bare != term, slot, capability


def slots_of_need(need: Need) -> tuple[str, ...]:
    """Return the slots that a need mentions."""
    return tuple(dict.fromkeys(split_term(term)[1] for term in need.terms))


def need_applies(component: Component, settings: Settings, need: Need) -> tuple[bool, tuple[Problem, ...]]:
    """Return whether a need applies with these settings, and the problems of its condition, if it raised."""
    what = f"condition of the need {' or '.join(need.terms)}"
    return guarded(component, what, lambda: bool(need.when(settings)), bool)


def unmet_needs(parts: Mapping[str, Sequence[Part]]) -> list[UnmetNeed]:
    """Return every unmet need, with the part that has it."""
    return [
        UnmetNeed(part=part, need=need)
        for items in parts.values()
        for part in items
        for need in (*part.component.needs, *SLOT_NEEDS.get(part.slot, ()))
        if not any(is_met(term, parts) for term in need.terms)
        and need_applies(part.component, part.settings, need)[0]
    ]


def worst_unmet_need(parts: Mapping[str, Sequence[Part]], part: Part) -> UnmetNeed | None:
    """Return the worst unmet need that involves a part: its own, or one that mentions its slot.

    Args:
        parts: All parts, this one among them.
        part: The part.
    """
    involved = (
        lack for lack in unmet_needs(parts) if lack.part is part or part.slot in slots_of_need(lack.need)
    )
    return max(involved, key=lambda lack: lack.severity, default=None)


@frozen(kw_only=True, eq=False)
class Remedy:
    """One change that meets a need.

    Attributes:
        part: The part after the change.
        before: The part whose setting is changed; None for another component.
        setting: The changed setting; empty for another component.
        severity: The severity of the worst need that involves the changed part.
    """

    part: Part
    before: Part | None = None
    setting: str = ""
    severity: int = 0

    @property
    def assigned(self) -> str:
        """The value of ``--set`` for the changed setting."""
        value = write_scalar(getattr(self.part.settings, self.setting))
        return f"{self.part.prefix}{self.setting}={value}"

    @property
    def flags(self) -> str:
        """The flags to add to a command."""
        if self.setting:
            return command_line("--set", self.assigned)
        return command_line(f"--{self.part.slot}", self.part.name)


def remedies(lack: UnmetNeed, parts: Mapping[str, Sequence[Part]], registry: Registry) -> list[Remedy]:
    """Return the best changes that meet a need.

    Settings of the part itself come first, then changes in the order of the terms.

    Args:
        lack: The unmet need.
        parts: The parts of each slot.
        registry: The installed components.
    """
    found = [*_dropping_the_need(lack), *_meeting_the_need(lack, parts, registry)]
    rated = [attrs.evolve(remedy, severity=_severity(remedy, parts)) for remedy in found]
    best = min((remedy.severity for remedy in rated), default=0)
    return [remedy for remedy in rated if remedy.severity == best]


def other_values(declared: Declared, value: object) -> list[Any]:
    """Return the other values of a setting with choices: true or false, or some words."""
    if declared.setting.choices:
        choices: Sequence[Any] = declared.setting.choices
    elif declared.type is bool:
        choices = (True, False)
    elif get_origin(declared.type) is Literal:
        choices = get_args(declared.type)
    else:
        choices = ()
    return [choice for choice in choices if choice != value]


def with_setting(part: Part, name: str, value: object) -> Part | None:
    """Return a part with another value of a setting; None where the settings class refuses it."""
    # A plugin's rules may combine several settings: a value that they refuse is no remedy, and no error.
    settings, wrong = guarded(
        part.component, "settings", lambda: attrs.evolve(part.settings, **{name: value}), lambda: None
    )
    if wrong:
        return None
    return attrs.evolve(part, settings=settings, provides=provided(part.component, settings)[0])


def varied_settings(part: Part) -> Iterator[tuple[Part, str]]:
    """Yield a part with one setting changed, and the setting's name.

    The new value is the default, or another choice of the setting. A null default of the component's argument
    (such as a file) is not tried.

    Args:
        part: The part.
    """
    for name, declared in settings_of(part.component.config).items():
        if declared.nested:
            continue
        value = getattr(part.settings, name)
        others = other_values(declared, value)
        empty = declared.default is None and name == part.component.argument
        if declared.default != value and declared.default not in others and not empty:
            others.append(declared.default)
        tried = (with_setting(part, name, other) for other in others)
        yield from ((new, name) for new in tried if new is not None)


@cache  # needed for every misfit, and always the same
def default_part(component: Component) -> Part | None:
    """Return a component with its default settings; None if the default settings cannot be built."""
    settings, wrong = guarded(component, "settings", component.config, lambda: None)
    if wrong:
        return None
    origin = Origin(kind="default", what="what fits")
    provides = provided(component, settings)[0]
    return Part(component=component, settings=settings, origins={}, chosen_by=origin, provides=provides)


def _dropping_the_need(lack: UnmetNeed) -> Iterator[Remedy]:
    """Yield the settings with which the part no longer has the need."""
    part, need = lack.part, lack.need
    for other, name in varied_settings(part):
        if not need_applies(part.component, other.settings, need)[0]:
            yield Remedy(part=other, before=part, setting=name)


def _meeting_the_need(
    lack: UnmetNeed, parts: Mapping[str, Sequence[Part]], registry: Registry
) -> Iterator[Remedy]:
    for term in lack.need.terms:
        negated, slot, capability = split_term(term)
        if slot == RUN:
            continue
        current = parts.get(slot, ())
        for before in current:
            for part, name in varied_settings(before):
                if (capability in part.provides) != negated:
                    yield Remedy(part=part, before=before, setting=name)
        # Another component would bring other wishes, and so change other parts too.
        for component in () if _has_wishes_for(current, parts) else registry.components(slot):
            new = None if any(part.component is component for part in current) else default_part(component)
            if new is not None and (capability in new.provides) != negated:
                yield Remedy(part=new)


def _has_wishes_for(wishers: Sequence[Part], parts: Mapping[str, Sequence[Part]]) -> bool:
    """Return whether some part has settings from a wish of these parts."""
    names = {part.name for part in wishers}
    origins = (origin for filled in parts.values() for part in filled for origin in part.origins.values())
    return any(origin.kind == "wish" and origin.who in names for origin in origins)


def _severity(remedy: Remedy, parts: Mapping[str, Sequence[Part]]) -> int:
    filled = [remedy.part]
    if remedy.before is not None:
        filled = [remedy.part if part is remedy.before else part for part in parts[remedy.part.slot]]
    lack = worst_unmet_need({**parts, remedy.part.slot: filled}, remedy.part)
    return 0 if lack is None else lack.severity


_INDENT: Final = "\n     "
_MAX_REMEDIES: Final = 3
"""The largest number of remedies in a warning."""


def need_text(need: Need) -> str:
    """Return a need in words: "a relaxation that draws nothing at random"."""
    return need.ask or " or ".join(_term_text(term) for term in need.terms)


def explain_misfit(lack: UnmetNeed, parts: Mapping[str, Sequence[Part]], registry: Registry) -> Problem:
    """Return the problem of an unmet need: both parts, their origins, the reason, and a hint at remedies.

    Args:
        lack: The unmet need.
        parts: The parts of each slot.
        registry: The installed components, for the hint.
    """
    part, need = lack.part, lack.need
    found = remedies(lack, parts, registry)
    blamed = _settings_to_blame(found)
    candidates = [other for slot in lack.slots[1:] for other in parts.get(slot, ()) if other is not part]
    others = _parts_to_blame(candidates, blamed)
    names = [_name_with_setting(involved, blamed) for involved in (part, *others)]
    lines = [
        _headline(names, well=need.verdict == "warned"),
        f"{part.name} needs {need_text(need)}{_not_met_by(names[1:])}.",
        f"Why: {need.why.rstrip('.')}.",
        "; ".join(_origin_text(involved, blamed) for involved in (part, *others)) + ".",
    ]
    return Problem(
        path="",
        text=_INDENT.join(lines),
        hint=_sound_hint(found) if need.verdict == "warned" else _fitting_hint(found),
        verdict=need.verdict,
        slots=lack.slots,
    )


def _term_text(term: str) -> str:
    negated, slot, capability = split_term(term)
    article = "an" if slot[0] in "aeiou" else "a"
    inner = f"other than one that {sentence(capability)}" if negated else f"that {sentence(capability)}"
    return f"{article} {slot} {inner}"


def _settings_to_blame(found: Sequence[Remedy]) -> dict[int, str]:
    """Return the setting to blame, by the identity of its part: one that was chosen and has a remedy."""
    return {
        id(remedy.before): remedy.setting
        for remedy in reversed(found)
        if remedy.before is not None and remedy.setting in remedy.before.origins
    }


def _parts_to_blame(others: list[Part], blamed: Mapping[int, str]) -> list[Part]:
    """Return the parts to blame: those with a setting to blame, else those that were chosen, else all."""
    wrong = [part for part in others if id(part) in blamed]
    return wrong or [part for part in others if part.chosen_by.kind != "default"] or others


def _name_with_setting(part: Part, blamed: Mapping[int, str]) -> str:
    setting = blamed.get(id(part))
    return part.name if setting is None else f"{part.name} ({_setting_text(part, setting)})"


def _setting_text(part: Part, setting: str) -> str:
    return f"{setting} {write_value(getattr(part.settings, setting))}"


def _headline(names: Sequence[str], *, well: bool) -> str:
    joined = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return f"{joined} {'do' if len(names) > 1 else 'does'} not fit{' well' if well else ''}."


def _not_met_by(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"; {' and '.join(names)} {'does' if len(names) == 1 else 'do'} not qualify"


def _origin_text(part: Part, blamed: Mapping[int, str]) -> str:
    setting = blamed.get(id(part))
    if setting is not None and part.chosen_by.kind == "default":
        return f"{_setting_text(part, setting)} {_origin_words(part.origins[setting])}"
    text = f"{part.name} {_origin_words(part.chosen_by)}"
    return (
        text
        if setting is None
        else f"{text}, {_setting_text(part, setting)} {_origin_words(part.origins[setting])}"
    )


def _origin_words(origin: Origin) -> str:
    if origin.kind == "wish":
        return str(origin)
    if origin.kind == "default":
        return "by default"
    # The value of the flag is the part's name or the setting's value, which the text already holds.
    return f"from {origin.flag if origin.kind in ('flag', 'set') else origin}"


def _fitting_hint(found: Sequence[Remedy]) -> str:
    """Return a hint at what fits: names of components, and values with their paths."""
    names = sorted({remedy.part.name for remedy in found if not remedy.setting})
    values = list(dict.fromkeys(remedy.assigned for remedy in found if remedy.setting))
    return f"What fits: {', '.join([*names, *values])}." if found else ""


def _sound_hint(found: Sequence[Remedy]) -> str:
    """Return a hint at the flags that avoid the warning."""
    if any(remedy.severity for remedy in found):
        return ""
    flags = list(dict.fromkeys(remedy.flags for remedy in found))[:_MAX_REMEDIES]
    return f"Sound: {', or '.join(flags)}." if flags else ""
