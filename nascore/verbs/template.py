"""Components as the beginning of a recipe in YAML: every setting with its default and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.component import RUN, SLOTS
from nascore.config import settings_of, wrap, write_scalar
from nascore.errors import Origin, Problem, RecipeError
from nascore.recipe.files import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.component import Component
    from nascore.config import Node

MANY = {slot.name for slot in SLOTS if slot.many}
STEP = "  "


def template(components: Sequence[Component]) -> str:
    """Return a recipe in which these components stand with all their defaults.

    Args:
        components: At most one of each slot; of several runs the first is taken.

    Raises:
        RecipeError: Two plugins bring one component.
    """
    by_slot: dict[str, Component] = {}
    for one in components:
        if one.slot != RUN and one.slot in by_slot:
            full = " or ".join(sorted(f"{each.plugin}:{each.name}" for each in (by_slot[one.slot], one)))
            text = f"several plugins bring {one.slot} {one.name}."
            raise RecipeError([Problem(path="", text=text, hint=f"Write {full}.")])
        by_slot.setdefault(one.slot, one)
    lines = [line for one in by_slot.values() for line in _component(one)]
    return "\n".join([f"nascore: {FORMAT}", *lines])


def _component(component: Component) -> Iterator[str]:
    name = write_scalar(component.name)
    if component.slot == RUN:
        yield from _settings(component.config, "")
        return
    yield f"{component.slot}:"
    if component.slot not in MANY:
        yield f"{STEP}name: {name}{_comment(component.summary)}"
        yield from _settings(component.config, STEP)
        return
    settings = list(_settings(component.config, STEP * 2))
    yield f"{STEP}{name}:{'' if settings else ' {}'}{_comment(component.summary)}"
    yield from settings


def _settings(config: type, indent: str) -> Iterator[str]:
    for name, declared in settings_of(config).items():
        if declared.nested:
            yield f"{indent}{name}:{_comment(declared.setting.help)}"
            yield from _settings(declared.type, indent + STEP)
        else:
            value = _flow(wrap(declared.default, Origin(layer="default", where="")))
            yield f"{indent}{name}: {value}{_comment(declared.setting.help)}"


def _flow(node: Node) -> str:
    if isinstance(node.value, list):
        return _bracketed(map(_flow, node.value))
    return write_scalar(node.value) if not isinstance(node.value, dict) else "{}"


def _bracketed(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _comment(text: str) -> str:
    return f"{STEP}# {' '.join(text.split())}" if text else ""
