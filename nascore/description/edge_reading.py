"""From YAML nodes to edges, in each of the forms that the language has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.description.fields import (
    check_keys,
    read_flag,
    read_list,
    read_ops,
    read_source,
    read_text,
    source_of_key,
)
from nascore.description.values import Edge
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from nascore.config import Node as Yaml
    from nascore.description.fields import Items
    from nascore.description.op import Op
    from nascore.description.problems import Found
    from nascore.description.values import Group

_HOW = ("op", "ops", "choose", "gate")


@frozen(kw_only=True)
class Edges:
    """Reads edges; a choice without operations offers all of its group.

    Attributes:
        groups: The groups by name; None for one that could not be read.
        found: Where problems go.
    """

    groups: dict[str, Group | None]
    found: Found

    def alike(self, items: Items, path: str) -> tuple[Edge, ...] | None:
        """Return the edges of a node of which all are alike: ``{from: [a, b], op: x}``."""
        how = self._how(items, path)
        nodes = read_list(items["from"])
        sources = [read_source(node, f"{path}.from", self.found) for node in nodes]
        if how is None or None in sources:
            return None
        pairs = zip(sources, nodes, strict=True)
        return _all([self._edge(source, how, path, node) for source, node in pairs if source is not None])

    def listed(self, node: Yaml, path: str) -> tuple[Edge, ...] | None:
        """Return the edges of a list in which each says for itself what it is."""
        if not isinstance(node.value, list):
            self.found.add(path, "the edges of a sum or concat are a list.", origin=node.origin)
            return None
        return _all([self._one(item, path) for item in node.value])

    def _one(self, node: Yaml, path: str) -> Edge | None:
        if not isinstance(node.value, dict):
            source = read_source(node, path, self.found)
            return None if source is None else self._edge(source, {}, path, node)
        if "from" in node.value:
            return self._explicit(node.value, path, node)
        if len(node.value) != 1:
            text = "an edge is SOURCE, {SOURCE: OPERATION} or {from: SOURCE, ...}."
            self.found.add(path, text, origin=node.origin)
            return None
        key, value = next(iter(node.value.items()))
        ops = read_ops(value, f"{path}.from.{key}", self.found)
        if ops == ():
            self.found.add(f"{path}.from.{key}", "no operations; a bare edge is SOURCE.", origin=value.origin)
        return self._edge(source_of_key(key), {"ops": ops}, path, node) if ops else None

    def _explicit(self, items: Items, path: str, node: Yaml) -> Edge | None:
        check_keys(items, ("from", *_HOW), path, self.found)
        source = read_source(items["from"], path, self.found)
        how = self._how(items, f"{path}.from.{source}")
        return None if source is None or how is None else self._edge(source, how, path, node)

    def _edge(self, source: str | int, how: dict[str, Any], path: str, node: Yaml) -> Edge | None:
        with self.found.at(f"{path}.from.{source}", node.origin):
            return Edge(source=source, **how)
        return None

    def _how(self, items: Items, path: str) -> dict[str, Any] | None:
        """Return an edge's operations, group and gate; None, noted, if they cannot be read."""
        given = [key for key in ("op", "ops") if key in items]
        group = read_text(items, "choose", path, self.found)
        if len(given) > 1 or ("choose" in items and "op" in items):
            text = "say one of op, ops and choose (which may have ops: a part of its own)."
            self.found.add(path, text, origin=items["from"].origin)
            return None
        ops = self._ops(items, path, group)
        gate = read_flag(items, "gate", path, self.found)
        return None if ops is None else {"ops": ops, "group": group, "gate": bool(gate)}

    def _ops(self, items: Items, path: str, group: str | None) -> tuple[Op, ...] | None:
        for key in ("op", "ops"):
            if key not in items:
                continue
            if (key == "ops") != isinstance(items[key].value, list):
                text = "op is one operation, ops a list of them."
                self.found.add(f"{path}.{key}", text, origin=items[key].origin)
                return None
            ops = read_ops(items[key], f"{path}.{key}", self.found)
            if ops == () and "choose" not in items:
                text = "no operations; a bare edge is written without ops."
                self.found.add(f"{path}.{key}", text, origin=items[key].origin)
                return None
            return ops
        if "choose" not in items:
            return ()
        if group is not None and group not in self.groups:
            text = f"there is no group {group!r}."
            hint = did_you_mean(group, self.groups)
            self.found.add(f"{path}.choose", text, hint=hint, origin=items["choose"].origin)
        chosen = self.groups.get(group or "")
        return None if chosen is None else chosen.ops


def _all(edges: list[Edge | None]) -> tuple[Edge, ...] | None:
    sound = tuple(edge for edge in edges if edge is not None)
    return sound if len(sound) == len(edges) else None
