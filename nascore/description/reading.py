"""From YAML nodes to the values of the description language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.config.node import show
from nascore.description.edge_reading import Edges
from nascore.description.fields import (
    check_keys,
    read_flag,
    read_list,
    read_map,
    read_ops,
    read_text,
    read_whole,
)
from nascore.description.names import CONCAT, IMAGES, NETWORK, RESERVED_CELLS, SUM
from nascore.description.problems import join
from nascore.description.values import Description, Graph, Group, Node

if TYPE_CHECKING:
    from nascore.config import Node as Yaml
    from nascore.description.fields import Items
    from nascore.description.problems import Found

LANGUAGE = 1
"""The version of the language, under the key ``nascore``."""

_NUMBERS = ("channels", "in_channels", "classes")
_SWITCHES = ("affine", "pool_norm")
_KEYS = ("nascore", *_NUMBERS, *_SWITCHES, "groups", "cells", NETWORK, "auxiliary")
_REQUIRED = ("nascore", *_NUMBERS, NETWORK)
_PLACE = ("width", "reduction", "repeat", "shadow")
_ALIKE = ("from", "cell", "op", "ops", "choose", "gate", *_PLACE)


def read_description(root: Yaml, found: Found) -> Description | None:
    """Return the description of a document; None if it could not be read, and everything wrong is noted."""
    items = read_map(root, "", found)
    if items is None:
        return None
    check_keys(items, _KEYS, "", found)
    for key in _REQUIRED:
        if key not in items:
            found.add(key, "is missing.", origin=root.origin)
    version = items.get("nascore")
    if version is not None and (version.value != LANGUAGE or isinstance(version.value, (bool, float))):
        found.add("nascore", f"this is version {LANGUAGE}, not {show(version)}.", origin=version.origin)
    values: dict[str, Any] = {key: read_whole(items, key, "", found) for key in _NUMBERS}
    values |= {key: read_flag(items, key, "", found) for key in _SWITCHES}
    values["auxiliary"] = read_text(items, "auxiliary", "", found)
    return _build(items, {key: value for key, value in values.items() if value is not None}, root, found)


def _build(items: Items, values: dict[str, Any], root: Yaml, found: Found) -> Description | None:
    groups = {name: _group(name, node, found) for name, node in _entries(items, "groups", "", found).items()}
    edges = Edges(groups=groups, found=found)
    cells = {
        name: _graph(node, f"cells.{name}", ("inputs", "nodes", "output"), edges)
        for name, node in _entries(items, "cells", "", found).items()
    }
    network = _graph(items[NETWORK], NETWORK, ("nodes", "output"), edges) if NETWORK in items else None
    known_groups = {name: group for name, group in groups.items() if group is not None}
    known_cells = {name: cell for name, cell in cells.items() if cell is not None}
    if network is None or len(known_groups) < len(groups) or len(known_cells) < len(cells):
        return None
    with found.at("", root.origin):
        return Description(network=network, cells=known_cells, groups=known_groups, **values)
    return None


def _entries(items: Items, key: str, path: str, found: Found) -> Items:
    """Return the entries of a map of named things; none if it is not given or, noted, no map."""
    return (read_map(items[key], join(path, key), found) or {}) if key in items else {}


def _group(name: str, node: Yaml, found: Found) -> Group | None:
    path = f"groups.{name}"
    items = read_map(node, path, found)
    if items is None:
        return None
    check_keys(items, ("ops", "segment", "keep", "edges", "never"), path, found)
    values: dict[str, Any] = {key: read_whole(items, key, path, found) for key in ("keep", "edges")}
    values["segment"] = read_text(items, "segment", path, found)
    values["ops"] = ()
    for key in ("ops", "never"):
        if key in items:
            values[key] = read_ops(items[key], f"{path}.{key}", found)
    if values["ops"] is None:
        return None
    with found.at(path, node.origin):
        return Group(**{key: value for key, value in values.items() if value is not None})
    return None


def _graph(node: Yaml, path: str, known: tuple[str, ...], edges: Edges) -> Graph | None:
    found = edges.found
    items = read_map(node, path, found)
    if items is None:
        return None
    check_keys(items, known, path, found)
    inputs = _inputs(node, items, path, found) if "inputs" in known else (IMAGES,)
    written = _entries(items, "nodes", path, found)
    nodes = [_node(name, each, f"{path}.nodes.{name}", edges) for name, each in written.items()]
    output = read_text(items, "output", path, found) or next(reversed(written), "")
    sound = [each for each in nodes if each is not None]
    if inputs is None or len(sound) < len(nodes):
        return None
    with found.at(path, node.origin):
        return Graph(inputs=inputs, nodes=tuple(sound), output=output)
    return None


def _inputs(graph: Yaml, items: Items, path: str, found: Found) -> tuple[str, ...] | None:
    if "inputs" not in items:
        found.add(f"{path}.inputs", "is missing.", origin=graph.origin)
        return None
    nodes = read_list(items["inputs"])
    for node in nodes:
        if not isinstance(node.value, str):
            found.add(f"{path}.inputs", f"{show(node)} cannot name an input.", origin=node.origin)
    names = tuple(node.value for node in nodes if isinstance(node.value, str))
    return names if len(names) == len(nodes) else None


def _node(name: str, node: Yaml, path: str, edges: Edges) -> Node | None:
    found = edges.found
    items = read_map(node, path, found)
    if items is None:
        return None
    ways = [key for key in ("from", SUM, CONCAT) if key in items]
    if len(ways) != 1:
        found.add(path, "a node needs one of from, sum and concat.", origin=node.origin)
        return None
    check_keys(items, _ALIKE if ways == ["from"] else (*ways, *_PLACE), path, found)
    read = edges.alike(items, path) if ways == ["from"] else edges.listed(items[ways[0]], path)
    cell = _cell(items, path, found) if ways == ["from"] else None
    if read is None:
        return None
    with found.at(path, node.origin):
        plain = CONCAT if ways == [CONCAT] else SUM
        joined = plain if cell is None else cell
        return Node(name=name, edges=read, join=joined, **_place(items, path, found))
    return None


def _cell(items: Items, path: str, found: Found) -> str | None:
    """Return the name of the cell that a node uses; None if it uses none or, noted, if no cell can be it."""
    cell = read_text(items, "cell", path, found)
    if cell not in RESERVED_CELLS:
        return cell
    hint = "" if cell == NETWORK else f"Write {cell}: [EDGE, ...] in place of from and cell."
    found.add(f"{path}.cell", f"{cell!r} cannot name a cell.", hint=hint, origin=items["cell"].origin)
    return None


def _place(items: Items, path: str, found: Found) -> dict[str, Any]:
    values: dict[str, Any] = {key: read_whole(items, key, path, found) for key in ("reduction", "repeat")}
    values["shadow"] = read_flag(items, "shadow", path, found)
    width = items.get("width")
    if width is not None and width.value == "classes":
        values["width"] = "classes"
    else:
        values["width"] = read_whole(items, "width", path, found)
    return {key: value for key, value in values.items() if value is not None}
