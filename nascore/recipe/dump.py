"""A recipe as YAML that repeats the run: every choice and every value is written, defaults too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.component import RUN
from nascore.config import wrap, write_scalar
from nascore.errors import Origin
from nascore.recipe.files import FORMAT

if TYPE_CHECKING:
    from nascore.config import Node
    from nascore.recipe.recipe import Part, Recipe


def dump_recipe(recipe: Recipe) -> str:
    """Write a recipe; read again, it settles to the same parts and values.

    Args:
        recipe: A settled recipe.
    """
    lines = [f"nascore: {FORMAT}"]
    if recipe.scale is not None:
        lines.append(f"scale: {recipe.scale[0]}")
    for part in recipe.parts.get(RUN, ()):
        lines += _lines(_node(part.settings), 0)
    for slot in recipe.slots:
        parts = recipe.parts.get(slot.name, ())
        if slot.many:
            lines += _many(slot.name, parts)
        elif parts:
            lines += [
                f"{slot.name}:",
                f"  name: {write_scalar(parts[0].label)}",
                *_lines(_node(parts[0].settings), 1),
            ]
    return "\n".join(lines) + "\n"


def _many(slot: str, parts: tuple[Part, ...]) -> list[str]:
    if not parts:
        return [f"{slot}: none"]
    lines = [f"{slot}:"]
    for part in parts:
        inner = _lines(_node(part.settings), 2)
        label = write_scalar(part.label)
        lines += [f"  {label}:" if inner else f"  {label}: {{}}", *inner]
    return lines


def _node(settings: Any) -> Node:  # noqa: ANN401 - any settings class
    return wrap(settings, Origin(layer="python", where="dump"))


def _lines(node: Node, depth: int) -> list[str]:
    assert isinstance(node.value, dict)
    lines = []
    for key, item in node.value.items():
        head = "  " * depth + write_scalar(key) + ":"
        if isinstance(item.value, dict) and item.value:
            lines += [head, *_lines(item, depth + 1)]
        else:
            lines.append(f"{head} {_flow(item)}")
    return lines


def _flow(node: Node) -> str:
    if isinstance(node.value, dict):
        return "{}"
    if isinstance(node.value, list):
        return "[" + ", ".join(_flow(item) for item in node.value) + "]"
    return write_scalar(node.value)
