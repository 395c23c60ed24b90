"""Strict reading of the fields of a YAML map; what is wrong is noted with its path and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.config import Node as Yaml
from nascore.config import read_scalar
from nascore.config.node import show
from nascore.description.names import LARGEST, UNREAD, UNREAD_NUMBER
from nascore.description.op import Op
from nascore.description.problems import join, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description.problems import Found

Items = dict[str, Yaml]

UNREAD_OP = Op(UNREAD)
"""In place of operations that could not be read."""


def read_map(node: Yaml, path: str, found: Found) -> Items | None:
    """Return the entries of a map; None, noted, if it is something else."""
    if isinstance(node.value, dict):
        return node.value
    found.add(path, f"must be a map, not {show(node)}.", origin=node.origin)
    return None


def check_keys(items: Items, known: Sequence[str], path: str, found: Found) -> None:
    """Note every key that is not among the known ones."""
    for key, value in items.items():
        if key not in known:
            origin = value.key or value.origin
            found.add(join(path, key), "unknown key.", hint=nearest(key, known), origin=origin)


def read_list(node: Yaml) -> list[Yaml]:
    """Return the items of a list; what is no list counts as a list of one."""
    return node.value if isinstance(node.value, list) else [node]


def read_whole(  # noqa: PLR0913 - where it stands, and what it may be, by name
    items: Items,
    key: str,
    path: str,
    found: Found,
    *,
    least: int = 1,
    most: int = LARGEST,
    unsaid: int | None = None,
) -> int | None:
    """Return a whole number, ``unsaid`` if it is not given; ``UNREAD_NUMBER`` if, noted, it is none."""
    node = items.get(key)
    if node is None:
        return unsaid
    before = len(found.problems)
    plain = isinstance(node.value, (int, float, str)) and not isinstance(node.value, bool)
    if plain:
        found.whole(join(path, key), node.value, least, most)
    else:
        found.add(join(path, key), f"must be a whole number, not {show(node)}.")
    return node.value if isinstance(node.value, int) and len(found.problems) == before else UNREAD_NUMBER


def read_flag(items: Items, key: str, path: str, found: Found) -> bool | None:
    """Return a truth value; None if it is not given or, noted, something else."""
    node = items.get(key)
    if node is None:
        return None
    if isinstance(node.value, bool):
        return node.value
    found.add(join(path, key), f"must be true or false, not {show(node)}.", origin=node.origin)
    return None


def read_text(items: Items, key: str, path: str, found: Found) -> str | None:
    """Return a text; None if it is not given or, noted, something else."""
    node = items.get(key)
    if node is None:
        return None
    if isinstance(node.value, str):
        return node.value
    found.add(join(path, key), f"must be a name, not {show(node)}.", origin=node.origin)
    return None


def read_ops(node: Yaml, path: str, found: Found) -> tuple[Op, ...]:
    """Return the operations of a list, or of a single one; ``UNREAD_OP`` for what, noted, is none."""
    ops: list[Op] = []
    for item in read_list(node):
        if not isinstance(item.value, str):
            text = f"{show(item)} is no operation."
            found.add(path, text, hint="Write NAME or NAME(KEY=VALUE;KEY=VALUE).", origin=item.origin)
            continue
        with found.at(path, item.origin):
            ops.append(Op.parse(item.value))
    return tuple(ops) if len(ops) == len(read_list(node)) else (*ops, UNREAD_OP)


def read_source(value: Yaml, path: str, found: Found) -> str | int:
    """Return a name or a relative source; ``UNREAD`` if, noted, it is neither."""
    source = value.value
    if isinstance(source, (str, int)) and not isinstance(source, bool):
        return source
    found.add(path, f"{show(value)} is no source: write the name of a state, or -1.", origin=value.origin)
    return UNREAD


def source_of_key(key: str) -> str | int:
    """Return the source that a key of an edge names; keys are kept as text."""
    read = read_scalar(key)
    return read if isinstance(read, int) and not isinstance(read, bool) else key
