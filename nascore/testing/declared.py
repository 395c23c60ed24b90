"""What is doubtful in the declaration of a component, though it can be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.capability import CAPABILITIES
from nascore.component import RUN, SLOTS, Give
from nascore.config import Asked, settings_of, structure, wrap
from nascore.errors import Origin, did_you_mean
from nascore.plugin.declarations import wish_faults
from nascore.recipe import SEARCH_RUN
from nascore.recipe.recipe import flat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component, Wish
    from nascore.plugin import Registry

_SLOTS = (*(slot.name for slot in SLOTS), RUN)


def undocumented(config: type) -> list[str]:
    """Return the settings whose text is no sentence, by their path; those of groups too."""
    lacking = []
    for name, declared in settings_of(config).items():
        if declared.nested:
            lacking += [f"{name}.{inner}" for inner in undocumented(declared.type)]
        elif not declared.setting.help.strip().endswith("."):
            lacking.append(name)
    return lacking


def needless(component: Component, registry: Registry) -> Iterator[str]:
    """Yield what cannot be met in a component's needs, to follow "has"."""
    for need in component.needs:
        if not need.terms or not need.why.strip():
            yield f"a need of {component.slot} {component.name} without a term or without its reason."
        for term in need.terms:
            slot, _, capability = term.removeprefix("not ").partition(".")
            if slot not in _SLOTS:
                text = (
                    f"a need of {component.slot} {component.name} for {term!r}, and there is no slot {slot}."
                )
                yield f"{text} {did_you_mean(slot, _SLOTS)}".rstrip()
            elif not _known(capability, registry):
                yield f"a need of {component.slot} {component.name} for {term!r}: {_strange(capability)}"


def unknown(component: Component, registry: Registry) -> Iterator[str]:
    """Yield the capabilities of a component that nobody can ask for, to follow "has"."""
    for item in component.provides:
        capability = item.capability if isinstance(item, Give) else item
        if not _known(capability, registry):
            owner = f"the {component.slot} {component.name}"
            yield f"{owner} that provides {capability!r}: {_strange(capability)}"


def unwishable(component: Component, registry: Registry) -> Iterator[str]:
    """Yield what cannot come true of a component's wishes, to follow "has".

    Settings are looked at where what is wished for is installed.
    """
    owner = f"the {component.slot} {component.name}"
    faults = list(wish_faults(component, SLOTS))
    yield from (f"{owner}: {fault}" for fault in faults)
    for slot, wish in () if faults else (*component.wishes.items(), *component.mini_wishes.items()):
        for one in wish if isinstance(wish, list) else [wish]:
            text = f"a wish of {component.slot} {component.name} for {slot}"
            yield from (f"{text} {fault}" for fault in _refused(slot, one, registry))


def unreadable(component: Component, registry: Registry) -> Iterator[str]:
    """Yield what a component declares as unread and nobody could set, to follow "has"."""
    there = {path for path, _ in flat(SEARCH_RUN.config())}
    for slot in SLOTS:
        for one in registry.components(slot.name):
            prefix = f"{slot.name}.{one.name}" if slot.many else slot.name
            there |= {f"{prefix}.{path}" for path, _ in flat(one.config())}
    for path in component.unread:
        if path not in _SLOTS and not any(one == path or one.startswith(f"{path}.") for one in there):
            near = did_you_mean(path, [*there, *_SLOTS])
            owner = f"{path} of {component.slot} {component.name} as unread"
            yield f"{owner}, and nothing has it. {near}".rstrip()


def _refused(slot: str, wish: Wish, registry: Registry) -> Iterator[str]:
    name, values = (wish, {}) if isinstance(wish, str) else wish
    wished = registry.get(slot, name)
    if wished is None:
        return
    node = wrap(dict(values), Origin(layer="wish", where="wishes"))
    for problem in structure(wished.config, node, Asked(owner=name)).problems:
        yield f"{name} that is refused: {problem.path}: {problem.text} {problem.hint}".rstrip()


def _known(capability: str, registry: Registry) -> bool:
    owner, dot, _ = capability.partition(".")
    return owner in registry.words() if dot else capability in CAPABILITIES


def _strange(capability: str) -> str:
    near = did_you_mean(capability, CAPABILITIES)
    return f"no capability is called that, and none of its own is called PLUGIN.CAPABILITY. {near}".rstrip()
