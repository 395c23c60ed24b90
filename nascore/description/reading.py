"""Reads YAML nodes into the values of the description language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from nascore.config import Node as Yaml
from nascore.config import read_scalar
from nascore.config.document import show
from nascore.description.graph import Description, Graph
from nascore.description.keys import key_names, keys_of, read_keys, read_name
from nascore.description.names import (
    CONCAT,
    IMAGES,
    LANGUAGE,
    NETWORK,
    RESERVED_CELLS,
    SUM,
    UNREAD,
    WAYS,
)
from nascore.description.problems import join, nearest
from nascore.description.values import UNREAD_OP, Edge, Group, Node, Op, read_list, read_ops
from nascore.errors import did_you_mean
from nascore.shell import command_line
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description.problems import ProblemCollector


Items = dict[str, Yaml]


def read_map(node: Yaml, path: str, found: ProblemCollector) -> Items | None:
    """Return the entries of a map; add a problem and return None for any other node."""
    if isinstance(node.value, dict):
        return node.value
    found.add(path, f"must be a map, not {show(node)}.", origin=node.origin)
    return None


def check_keys(items: Items, known: Sequence[str], path: str, found: ProblemCollector) -> None:
    """Add a problem for every unknown key."""
    for key, value in items.items():
        if key not in known:
            origin = value.key or value.origin
            found.add(join(path, key), "unknown key.", hint=nearest(key, known), origin=origin)


def _name(items: Items, key: str, path: str, found: ProblemCollector) -> str | None:
    """Return the name under a key; None if it is missing or not a text, which adds a problem."""
    return read_name(items[key], join(path, key), found) if key in items else None


def read_source(value: Yaml, path: str, found: ProblemCollector) -> str | int:
    """Return a name or a relative source. If it is neither, record a problem and return ``UNREAD``."""
    source = value.value
    if isinstance(source, (str, int)) and not isinstance(source, bool):
        return source
    found.add(path, f"{show(value)} is not a source: write the name of a state, or -1.", origin=value.origin)
    return UNREAD


def source_of_key(key: str) -> str | int:
    """Return the source that a key of an edge names; keys are kept as text."""
    read = read_scalar(key)
    return read if isinstance(read, int) and not isinstance(read, bool) else key


UNREAD_EDGES = (Edge(source=UNREAD),)
"""In place of edges that could not be read."""


@frozen(kw_only=True)
class Edges:
    """Reads edges; a choice without operations offers all of its group.

    An unreadable value adds a problem and stays open in the edge, so that the rest of the graph is checked.

    Attributes:
        groups: The groups by name.
        found: Where problems go.
    """

    groups: dict[str, Group]
    found: ProblemCollector

    def alike(self, items: Items, path: str) -> tuple[Edge, ...]:
        """Return the edges of a node of which all are alike: ``{from: [a, b], op: x}``."""
        how = self._how(items, path)
        nodes = read_list(items["from"])
        return tuple(self._edge(read_source(node, f"{path}.from", self.found), how, path) for node in nodes)

    def listed(self, node: Yaml, path: str) -> tuple[Edge, ...]:
        """Return the edges of a list, each with its own source and operations."""
        if not isinstance(node.value, list):
            self.found.add(path, "the edges of a sum or concat are a list.", origin=node.origin)
            return UNREAD_EDGES
        return tuple(self._one(item, path) for item in node.value)

    def _one(self, node: Yaml, path: str) -> Edge:
        if not isinstance(node.value, dict):
            return self._edge(read_source(node, path, self.found), {}, path)
        if "from" in node.value:
            return self._explicit(node.value, path)
        if len(node.value) != 1:
            text = "an edge is SOURCE, {SOURCE: OPERATION} or {from: SOURCE, ...}."
            self.found.add(path, text, origin=node.origin)
            return UNREAD_EDGES[0]
        key, value = next(iter(node.value.items()))
        ops = read_ops(value, f"{path}.from.{key}", self.found)
        if not ops:
            self.found.add(f"{path}.from.{key}", "no operations; a bare edge is SOURCE.", origin=value.origin)
        return self._edge(source_of_key(key), {"ops": ops or (UNREAD_OP,)}, path)

    def _explicit(self, items: Items, path: str) -> Edge:
        check_keys(items, key_names(Edge), path, self.found)
        source = read_source(items["from"], path, self.found)
        return self._edge(source, self._how(items, f"{path}.from.{source}"), path)

    def _edge(self, source: str | int, how: dict[str, Any], path: str) -> Edge:
        return self.found.made(Edge, f"{path}.from.{source}", source=source, **how)

    def _how(self, items: Items, path: str) -> dict[str, Any]:
        """Return the fields of an edge but its source."""
        group = _name(items, "choose", path, self.found)
        simple = read_keys(Edge, items, path, self.found)
        if ("op" in items) + ("ops" in items) > 1 or ("choose" in items and "op" in items):
            text = "say one of op, ops and choose (which may have ops: a part of its own)."
            self.found.add(path, text, origin=items["op"].key)
            return {"ops": (UNREAD_OP,)}
        if "choose" in items and (group is None or not self._known(group, items, path)):
            return {"ops": (UNREAD_OP,), **simple}
        return {"ops": self._ops(items, path, group), "group": group, **simple}

    def _known(self, group: str, items: Items, path: str) -> bool:
        if group not in self.groups:
            hint = nearest(group, self.groups) or "Declare it under groups."
            origin = items["choose"].origin
            self.found.add(f"{path}.choose", f"there is no group {group!r}.", hint=hint, origin=origin)
        return group in self.groups

    def _ops(self, items: Items, path: str, group: str | None) -> tuple[Op, ...]:
        for key in ("op", "ops"):
            if key not in items:
                continue
            if (key == "ops") != isinstance(items[key].value, list):
                text = "op is one operation, ops a list of them."
                self.found.add(f"{path}.{key}", text, origin=items[key].origin)
                return (UNREAD_OP,)
            ops = read_ops(items[key], f"{path}.{key}", self.found)
            if not ops and group is None:
                text = "no operations; a bare edge is written without ops."
                self.found.add(f"{path}.{key}", text, origin=items[key].origin)
                return (UNREAD_OP,)
            return ops
        return () if group is None else tuple(dict.fromkeys(self.groups[group].ops))


_SHOWN = 60
"""Characters of a wrong text that a message repeats."""

_VERSION = "nascore"
"""The key of the version of the language, which is not part of the value."""

_UNREAD_NETWORK = Graph(inputs=(IMAGES,), nodes=(Node(name=UNREAD, edges=UNREAD_EDGES),), output=UNREAD)
"""In place of a graph that could not be read."""


def read_description(root: Yaml, found: ProblemCollector) -> Description | None:
    """Return the description of a document; None if the document has no part of a description.

    All problems are added to `found`. If there are any, use the description only to find further problems.
    """
    items = root.value
    if not isinstance(items, dict):
        text = f"a description is a map of keys, not {show(root)[:_SHOWN]}."
        found.add("", text, hint=f"Begin it with nascore: {LANGUAGE}.", origin=root.origin)
        return None
    if _is_recipe(items, found):
        return None
    known = (_VERSION, *key_names(Description))
    check_keys(items, known, "", found)
    strange = [key for key in items if key not in known]
    required = {one.names[0]: one.required for one in keys_of(Description).values() if one.required}
    for key, form in {_VERSION: str(LANGUAGE), **required}.items():
        if key not in items and not any(did_you_mean(each, [key]) for each in strange):
            found.add(key, "is missing.", hint=f"Write {key}: {form}.", origin=root.origin)
    _check_version(items, found)
    groups = {name: _group(name, node, found) for name, node in _entries(items, "groups", "", found).items()}
    edges = Edges(groups=groups, found=found)
    cells = {
        name: _graph(node, f"cells.{name}", key_names(Graph), edges)
        for name, node in _entries(items, "cells", "", found).items()
    }
    network = _UNREAD_NETWORK
    if NETWORK in items:
        own = tuple(key for key in key_names(Graph) if key != "inputs")
        network = _graph(items[NETWORK], NETWORK, own, edges)
    simple = read_keys(Description, items, "", found)
    return found.made(Description, "", network=network, cells=cells, groups=groups, **simple)


def _is_recipe(items: Items, found: ProblemCollector) -> bool:
    """Return whether the document fills slots, as a recipe does; if so, add a problem."""
    slots = [slot.name for slot in SLOTS if slot.name in items]
    if not slots or NETWORK in items:
        return False
    text = f"this is a recipe, not a description: it says {' and '.join(slots)}."
    at = items[slots[0]].key
    file = (at.file if at else "") or "FILE"
    hint = f"Recipes are given with --recipe: {command_line('nascore', 'search', '--recipe', file)}."
    found.add("", text, hint=hint, origin=at)
    return True


def _check_version(items: Items, found: ProblemCollector) -> None:
    version = items.get("nascore")
    if version is None:
        return
    number = version.value
    if not isinstance(number, int) or isinstance(number, bool) or number < LANGUAGE:
        found.add("nascore", f"the version of the language is {LANGUAGE}, not {show(version)}.")
    elif number > LANGUAGE:
        text = f"version {number} of the language is newer than this nascore, which reads {LANGUAGE}."
        found.add("nascore", text, hint="A newer nascore may read it.")


def _entries(items: Items, key: str, path: str, found: ProblemCollector) -> Items:
    """Return the entries of a map under a key; empty if it is missing or not a map, which adds a problem."""
    return (read_map(items[key], join(path, key), found) or {}) if key in items else {}


def _group(name: str, node: Yaml, found: ProblemCollector) -> Group:
    path = f"groups.{name}"
    items = read_map(node, path, found)
    if items is None:
        return Group(ops=(UNREAD_OP,))
    check_keys(items, key_names(Group), path, found)
    made = found.made(Group, path, **{"ops": (), **read_keys(Group, items, path, found)})
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
    output = _name(items, "output", path, found) or next(reversed(written), "")
    if not nodes:
        if "nodes" in items and items["nodes"].value == {}:
            found.add(f"{path}.nodes", "a graph needs at least one node.")
        nodes, output = _UNREAD_NETWORK.nodes, UNREAD
    simple = read_keys(Graph, items, path, found)
    return found.made(Graph, path, inputs=inputs, nodes=nodes, output=output, **simple)


def _inputs(graph: Yaml, items: Items, path: str, found: ProblemCollector) -> tuple[str, ...]:
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
        check_keys(items, (*WAYS, *_keys_beside(["from"])), path, found)
        simple = read_keys(Node, items, path, found, misspelt=_is_misspelt(items))
        return found.made(Node, path, name=name, edges=UNREAD_EDGES, **simple)
    check_keys(items, (*ways, *_keys_beside(ways)), path, found)
    read = edges.alike(items, path) if ways == ["from"] else edges.listed(items[ways[0]], path)
    joined = CONCAT if ways == [CONCAT] else SUM
    if ways == ["from"] and "cell" in items:
        joined = _cell(items, path, found)
    simple = read_keys(Node, items, path, found, misspelt=_is_misspelt(items))
    if not read:
        found.add(path, "a node needs at least one edge.")
    return found.made(Node, path, name=name, edges=read or UNREAD_EDGES, join=joined, **simple)


def _cell(items: Items, path: str, found: ProblemCollector) -> str:
    """Return the name of the cell that a node uses; add a problem and return ``UNREAD`` if it is invalid."""
    cell = _name(items, "cell", path, found)
    if cell is None or cell not in RESERVED_CELLS:
        return UNREAD if cell is None else cell
    hint = "" if cell == NETWORK else f"Write {cell}: [EDGE, ...] in place of from and cell."
    found.add(f"{path}.cell", f"{cell!r} cannot name a cell.", hint=hint, origin=items["cell"].origin)
    return UNREAD


def _keys_beside(ways: list[str]) -> tuple[str, ...]:
    """Return the keys of a node beside that under which its edges stand.

    Under ``from`` all edges are alike, and have their keys at the node.
    """
    simple = tuple(one.names[0] for one in keys_of(Node).values() if one.kind is not None)
    if ways != ["from"]:
        return simple
    return (*keys_of(Node)["join"].names, *(key for key in key_names(Edge) if key != "from"), *simple)


def _is_misspelt(items: Items) -> bool:
    """Return whether a node has an unknown key, perhaps a misspelling of one that seems to be missing."""
    return any(key not in (*key_names(Node), *key_names(Edge)) for key in items)
