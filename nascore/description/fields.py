"""Strict reading of the fields of a YAML map; what is wrong is noted with its path and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.config import Node as Yaml
from nascore.config import read_scalar
from nascore.config.node import show
from nascore.description.op import Op
from nascore.description.problems import join
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description.problems import Found

Items = dict[str, Yaml]


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
            hint = did_you_mean(key, known) or f"Known: {', '.join(known)}."
            found.add(join(path, key), "unknown key.", hint=hint, origin=value.key or value.origin)


def read_list(node: Yaml) -> list[Yaml]:
    """Return the items of a list; what is no list counts as a list of one."""
    return node.value if isinstance(node.value, list) else [node]


def read_whole(items: Items, key: str, path: str, found: Found) -> int | None:
    """Return a whole number; None if it is not given or, noted, something else."""
    node = items.get(key)
    if node is None:
        return None
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    found.add(join(path, key), f"must be a whole number, not {show(node)}.", origin=node.origin)
    return None


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


def read_ops(node: Yaml, path: str, found: Found) -> tuple[Op, ...] | None:
    """Return the operations of a list, or of a single one; None, noted, if one of them is none."""
    ops: list[Op] = []
    items = read_list(node)
    for item in items:
        if not isinstance(item.value, str):
            found.add(path, f"{show(item)} is no operation.", origin=item.origin)
            continue
        with found.at(path, item.origin):
            ops.append(Op.parse(item.value))
    return tuple(ops) if len(ops) == len(items) else None


def read_source(value: Yaml, path: str, found: Found) -> str | int | None:
    """Return a name or a relative source; None, noted, if it is neither."""
    source = value.value
    if isinstance(source, (str, int)) and not isinstance(source, bool):
        return source
    found.add(path, f"{show(value)} is no source: write the name of a state, or -1.", origin=value.origin)
    return None


def source_of_key(key: str) -> str | int:
    """Return the source that a key of an edge names; keys are kept as text."""
    read = read_scalar(key)
    return read if isinstance(read, int) and not isinstance(read, bool) else key
