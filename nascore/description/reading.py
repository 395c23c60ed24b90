"""From YAML nodes to the values of the description language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from nascore.component import SLOTS
from nascore.config.node import show
from nascore.description.edge_reading import UNREAD_EDGES, Edges
from nascore.description.fields import (
    UNREAD_OP,
    check_keys,
    read_flag,
    read_list,
    read_map,
    read_ops,
    read_text,
    read_whole,
)
from nascore.description.names import (
    CONCAT,
    IMAGES,
    MOST_REPEATS,
    NETWORK,
    RESERVED_CELLS,
    SUM,
    UNREAD,
    UNREAD_NUMBER,
    WAYS,
)
from nascore.description.problems import join
from nascore.description.values import Description, Graph, Group, Node
from nascore.errors import did_you_mean
from nascore.shell import command_line

if TYPE_CHECKING:
    from nascore.config import Node as Yaml
    from nascore.description.fields import Items
    from nascore.description.problems import Found

_SHOWN = 60
"""Characters of a wrong text that a message repeats."""

LANGUAGE = 1
"""The version of the language, under the key ``nascore``."""

_NUMBERS = ("channels", "in_channels", "classes")
_SWITCHES = ("affine", "pool_norm")
_KEYS = ("nascore", *_NUMBERS, *_SWITCHES, "groups", "cells", NETWORK, "auxiliary")
_REQUIRED = {
    "nascore": f"nascore: {LANGUAGE}",
    "channels": "channels: N, the width of a node of width 1",
    "in_channels": "in_channels: N, 3 for images in colour",
    "classes": "classes: N, how many classes there are",
    NETWORK: "network: {nodes: {NAME: NODE, ...}}",
}
_PLACE = ("width", "reduction", "repeat", "shadow")
_ALIKE = ("from", "cell", "op", "ops", "choose", "gate", *_PLACE)

_UNREAD_NETWORK = Graph(inputs=(IMAGES,), nodes=(Node(name=UNREAD, edges=UNREAD_EDGES),), output=UNREAD)
"""In place of a graph that could not be read."""


def read_description(root: Yaml, found: Found) -> Description | None:
    """Return the description of a document; None if it holds nothing of one.

    Everything wrong is noted; if anything is, the description is fit for nothing but finding more.
    """
    items = root.value
    if not isinstance(items, dict):
        text = f"a description is a map of keys, not {show(root)[:_SHOWN]}."
        found.add("", text, hint=f"Begin it with nascore: {LANGUAGE}.", origin=root.origin)
        return None
    if _is_recipe(items, found):
        return None
    check_keys(items, _KEYS, "", found)
    strange = [key for key in items if key not in _KEYS]
    for key, form in _REQUIRED.items():
        if key not in items and not any(did_you_mean(each, [key]) for each in strange):
            found.add(key, "is missing.", hint=f"Write {form}.", origin=root.origin)
    _check_version(items, found)
    groups = {name: _group(name, node, found) for name, node in _entries(items, "groups", "", found).items()}
    edges = Edges(groups=groups, found=found)
    cells = {
        name: _graph(node, f"cells.{name}", ("inputs", "nodes", "output"), edges)
        for name, node in _entries(items, "cells", "", found).items()
    }
    network = _UNREAD_NETWORK
    if NETWORK in items:
        network = _graph(items[NETWORK], NETWORK, ("nodes", "output"), edges)
    values: dict[str, Any] = {key: read_whole(items, key, "", found) for key in _NUMBERS}
    values = {key: UNREAD_NUMBER if value is None else value for key, value in values.items()}
    values |= {key: read_flag(items, key, "", found) for key in _SWITCHES}
    values["auxiliary"] = read_text(items, "auxiliary", "", found)
    return found.made(Description, "", network=network, cells=cells, groups=groups, **_given(values))


def _is_recipe(items: Items, found: Found) -> bool:
    """Return whether the document fills slots, which no description does; it is noted."""
    slots = [slot.name for slot in SLOTS if slot.name in items]
    if not slots or NETWORK in items:
        return False
    text = f"this is a recipe, not a description: it says {' and '.join(slots)}."
    at = items[slots[0]].key
    file = "" if at is None else at.where.rpartition(":")[0].rpartition(":")[0]
    hint = (
        f"Recipes are given with --recipe: {command_line('nascore', 'search', '--recipe', file or 'FILE')}."
    )
    found.add("", text, hint=hint, origin=at)
    return True


def _check_version(items: Items, found: Found) -> None:
    version = items.get("nascore")
    if version is None:
        return
    number = version.value
    if not isinstance(number, int) or isinstance(number, bool) or number < LANGUAGE:
        found.add("nascore", f"the version of the language is {LANGUAGE}, not {show(version)}.")
    elif number > LANGUAGE:
        text = f"version {number} of the language is newer than this nascore, which reads {LANGUAGE}."
        found.add("nascore", text, hint="A newer nascore may read it.")


def _entries(items: Items, key: str, path: str, found: Found) -> Items:
    """Return the entries of a map of named things; none if it is not given or, noted, no map."""
    return (read_map(items[key], join(path, key), found) or {}) if key in items else {}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that were given; the others take their defaults."""
    return {key: value for key, value in values.items() if value is not None}


def _group(name: str, node: Yaml, found: Found) -> Group:
    path = f"groups.{name}"
    items = read_map(node, path, found)
    if items is None:
        return Group(ops=(UNREAD_OP,))
    check_keys(items, ("ops", "segment", "keep", "edges", "never"), path, found)
    values: dict[str, Any] = {key: read_whole(items, key, path, found) for key in ("keep", "edges")}
    values["segment"] = read_text(items, "segment", path, found)
    values["ops"] = ()
    for key in ("ops", "never"):
        if key in items:
            values[key] = read_ops(items[key], f"{path}.{key}", found)
    made = found.made(Group, path, **_given(values))
    return made if made.ops else Group(ops=(UNREAD_OP,))


def _graph(node: Yaml, path: str, known: tuple[str, ...], edges: Edges) -> Graph:
    found = edges.found
    items = read_map(node, path, found)
    if items is None:
        return evolve(_UNREAD_NETWORK, inputs=(UNREAD,) if "inputs" in known else (IMAGES,))
    check_keys(items, known, path, found)
    inputs = _inputs(node, items, path, found) if "inputs" in known else (IMAGES,)
    if "nodes" not in items:
        found.add(f"{path}.nodes", "is missing.", origin=node.key)
    written = _entries(items, "nodes", path, found)
    nodes = tuple(_node(name, each, f"{path}.nodes.{name}", edges) for name, each in written.items())
    output = read_text(items, "output", path, found) or next(reversed(written), "")
    if not nodes:
        if "nodes" in items and items["nodes"].value == {}:
            found.add(f"{path}.nodes", "a graph needs at least one node.")
        return found.made(Graph, path, inputs=inputs, nodes=_UNREAD_NETWORK.nodes, output=UNREAD)
    return found.made(Graph, path, inputs=inputs, nodes=nodes, output=output)


def _inputs(graph: Yaml, items: Items, path: str, found: Found) -> tuple[str, ...]:
    if "inputs" not in items:
        found.add(f"{path}.inputs", "is missing.", origin=graph.key)
        return (UNREAD,)
    nodes = read_list(items["inputs"])
    for node in nodes:
        if not isinstance(node.value, str):
            found.add(f"{path}.inputs", f"{show(node)} cannot name an input.", origin=node.origin)
    return tuple(node.value if isinstance(node.value, str) else UNREAD for node in nodes)


def _node(name: str, node: Yaml, path: str, edges: Edges) -> Node:
    found = edges.found
    items = read_map(node, path, found)
    if items is None:
        return found.made(Node, path, name=name, edges=UNREAD_EDGES)
    ways = [key for key in WAYS if key in items]
    if len(ways) != 1:
        said = f", not {' and '.join(ways)}" if ways else ""
        found.add(path, f"a node needs one of from, sum and concat{said}.", origin=node.key)
        check_keys(items, (*WAYS, *_ALIKE), path, found)
        return found.made(Node, path, name=name, edges=UNREAD_EDGES, **_place(items, path, found))
    check_keys(items, _ALIKE if ways == ["from"] else (*ways, *_PLACE), path, found)
    read = edges.alike(items, path) if ways == ["from"] else edges.listed(items[ways[0]], path)
    joined = CONCAT if ways == [CONCAT] else SUM
    if ways == ["from"] and "cell" in items:
        joined = _cell(items, path, found)
    place = _place(items, path, found)
    if not read:
        found.add(path, "a node needs at least one edge.")
    return found.made(Node, path, name=name, edges=read or UNREAD_EDGES, join=joined, **place)


def _cell(items: Items, path: str, found: Found) -> str:
    """Return the name of the cell that a node uses; ``UNREAD`` if, noted, no cell can be it."""
    cell = read_text(items, "cell", path, found)
    if cell is None or cell not in RESERVED_CELLS:
        return UNREAD if cell is None else cell
    hint = "" if cell == NETWORK else f"Write {cell}: [EDGE, ...] in place of from and cell."
    found.add(f"{path}.cell", f"{cell!r} cannot name a cell.", hint=hint, origin=items["cell"].origin)
    return UNREAD


def _place(items: Items, path: str, found: Found) -> dict[str, Any]:
    width = items.get("width")
    named = width is not None and width.value == "classes"
    # A key that is not known may be one of these, misspelt: what is unsaid then does not mean the default.
    unsaid = None if all(key in (*WAYS, *_ALIKE) for key in items) else UNREAD_NUMBER
    return _given(
        {
            "width": "classes" if named else read_whole(items, "width", path, found, unsaid=unsaid),
            "reduction": read_whole(items, "reduction", path, found, unsaid=unsaid),
            "repeat": read_whole(items, "repeat", path, found, least=0, most=MOST_REPEATS),
            "shadow": read_flag(items, "shadow", path, found),
        }
    )
