"""Values with the place that they came from, and how they are laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
from attrs import frozen

if TYPE_CHECKING:
    from nascore.errors import Origin

_LONG: Final = 60  # of a longer value the beginning says which one it is
Scalar: TypeAlias = bool | int | float | str | None


@frozen(kw_only=True, eq=False)
class Node:
    """One value of a recipe, with its place.

    Attributes:
        value: A scalar, a list of nodes or a map of nodes.
        origin: Where the value stands.
        text: The characters as typed, where a setting that holds text may take them as they are (``--set``).
        key: Where the key stands that holds this value.
        folder: The folder from which it is looked up if it is a relative path; None: the working folder.
    """

    value: Scalar | list[Node] | dict[str, Node]
    origin: Origin
    text: str | None = None
    key: Origin | None = None
    folder: Path | None = None


def wrap(value: Any, origin: Origin) -> Node:  # noqa: ANN401 - plain Python values of any shape
    """Give a plain Python value, all the way down, one origin."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        return Node(value={str(key): wrap(item, origin) for key, item in value.items()}, origin=origin)
    if isinstance(value, (list, tuple)):
        return Node(value=[wrap(item, origin) for item in value], origin=origin)
    if attrs.has(type(value)):
        return wrap(attrs.asdict(value, recurse=False), origin)
    return Node(value=_plain(value), origin=origin)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any scalar
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def merge(low: Node, high: Node) -> Node:
    """Lay ``high`` over ``low``: maps are merged key by key, everything else is replaced."""
    if not (isinstance(low.value, dict) and isinstance(high.value, dict)):
        return high
    merged = dict(low.value)
    for key, node in high.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return attrs.evolve(high, value=merged)


def show(node: Node) -> str:
    """Name a wrong value in an error text: ``'many'``, ``null``, ``a list``."""
    if isinstance(node.value, dict):
        return "a map"
    if isinstance(node.value, list):
        return "a list"
    if node.value is None:
        return "null"
    if isinstance(node.value, bool):
        return str(node.value).lower()
    said = repr(node.value)
    return said if len(said) <= _LONG else f"{said[:_LONG]}..."


def word(key: str) -> str:
    """Name a key in an error text; in quotes where it would not be seen as one word."""
    return key if key and key.isprintable() and not any(map(str.isspace, key)) else repr(key)
