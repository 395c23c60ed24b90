"""From YAML nodes to edges, in each of the forms that the language has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.description.fields import (
    UNREAD_OP,
    check_keys,
    read_flag,
    read_list,
    read_ops,
    read_source,
    read_text,
    source_of_key,
)
from nascore.description.names import UNREAD
from nascore.description.problems import nearest
from nascore.description.values import Edge

if TYPE_CHECKING:
    from nascore.config import Node as Yaml
    from nascore.description.fields import Items
    from nascore.description.op import Op
    from nascore.description.problems import Found
    from nascore.description.values import Group

_HOW = ("op", "ops", "choose", "gate")

UNREAD_EDGES = (Edge(source=UNREAD),)
"""In place of edges that could not be read."""


@frozen(kw_only=True)
class Edges:
    """Reads edges; a choice without operations offers all of its group.

    What cannot be read is noted, and left open in the edge, so that the rest of the graph is checked.

    Attributes:
        groups: The groups by name.
        found: Where problems go.
    """

    groups: dict[str, Group]
    found: Found

    def alike(self, items: Items, path: str) -> tuple[Edge, ...]:
        """Return the edges of a node of which all are alike: ``{from: [a, b], op: x}``."""
        how = self._how(items, path)
        nodes = read_list(items["from"])
        return tuple(self._edge(read_source(node, f"{path}.from", self.found), how, path) for node in nodes)

    def listed(self, node: Yaml, path: str) -> tuple[Edge, ...]:
        """Return the edges of a list in which each says for itself what it is."""
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
        check_keys(items, ("from", *_HOW), path, self.found)
        source = read_source(items["from"], path, self.found)
        return self._edge(source, self._how(items, f"{path}.from.{source}"), path)

    def _edge(self, source: str | int, how: dict[str, Any], path: str) -> Edge:
        return self.found.made(Edge, f"{path}.from.{source}", source=source, **how)

    def _how(self, items: Items, path: str) -> dict[str, Any]:
        """Return an edge's operations, group and gate."""
        group = read_text(items, "choose", path, self.found)
        gate = read_flag(items, "gate", path, self.found)
        if ("op" in items) + ("ops" in items) > 1 or ("choose" in items and "op" in items):
            text = "say one of op, ops and choose (which may have ops: a part of its own)."
            self.found.add(path, text, origin=items["op"].key)
            return {"ops": (UNREAD_OP,)}
        if "choose" in items and (group is None or not self._known(group, items, path)):
            return {"ops": (UNREAD_OP,), "gate": bool(gate)}
        return {"ops": self._ops(items, path, group), "group": group, "gate": bool(gate)}

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
