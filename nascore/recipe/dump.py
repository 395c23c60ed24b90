"""A recipe as YAML that repeats the run: every choice and every value is written, defaults too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from attrs import frozen

from nascore.component import RUN
from nascore.config import wrap, write_scalar
from nascore.errors import Origin
from nascore.recipe.formats import FORMAT
from nascore.recipe.made_with import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nascore.config import Node
    from nascore.recipe.recipe import Part, Recipe

_HERE: Final = Origin(layer="python", where="dump")


def absolute(path: Path) -> str:
    """Write a path so that it means the same wherever the recipe is read; what begins with ~ does already."""
    return str(path) if str(path).startswith("~") else str(path.absolute())


def dump_recipe(
    recipe: Recipe, *, paths: Callable[[Path], str] = absolute, made_with: Mapping[str, str] | None = None
) -> str:
    """Write a recipe; read again, it settles to the same parts and values.

    Args:
        recipe: A settled recipe.
        paths: Writes a path, absolute or as seen from the recipe's own folder.
        made_with: The plugins that brought the parts, for who reads the recipe without them.
    """
    writer = _Writer(paths=paths)
    lines = [f"nascore: {FORMAT}"]
    if recipe.scale is not None:
        lines.append(f"scale: {recipe.scale[0]}")
    if made_with:
        lines += [f"{KEY}:", *_lines(wrap(made_with, _HERE), 1)]
    for part in recipe.parts.get(RUN, ()):
        lines += _lines(writer.node(part.settings), 0)
    for slot in recipe.slots:
        parts = recipe.parts.get(slot.name, ())
        if slot.aside and all(part.brought.layer == "default" for part in parts):
            # Who watches by default depends on where the run was started, and must not be repeated.
            continue
        if slot.many:
            lines += writer.many(slot.name, parts)
        elif parts:
            lines += [
                f"{slot.name}:",
                f"  name: {write_scalar(parts[0].label)}",
                *_lines(writer.node(parts[0].settings), 1),
            ]
    return "\n".join(lines) + "\n"


@frozen(kw_only=True)
class _Writer:
    paths: Callable[[Path], str]

    def many(self, slot: str, parts: tuple[Part, ...]) -> list[str]:
        if not parts:
            return [f"{slot}: none"]
        lines = [f"{slot}:"]
        for part in parts:
            inner = _lines(self.node(part.settings), 2)
            label = write_scalar(part.label)
            lines += [f"  {label}:" if inner else f"  {label}: {{}}", *inner]
        return lines

    def node(self, settings: Any) -> Node:  # noqa: ANN401 - any settings class
        return wrap(attrs.asdict(settings, value_serializer=self._plain), _HERE)

    def _plain(self, _instance: object, _attribute: object, value: Any) -> Any:  # noqa: ANN401 - any value
        return self.paths(value) if isinstance(value, Path) else value


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
