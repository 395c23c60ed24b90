"""Writes a description as the shortest YAML text that reads back as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.config.writer import Flow, Verbatim, write_yaml
from nascore.description.names import CONCAT, NETWORK, SUM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.description.graph import Description, Graph
    from nascore.description.values import Edge, Group, Node


def dump(description: Description) -> str:
    """Return the text of a description; ``load(dump(d)) == d``."""
    document: dict[str, Any] = {"nascore": 1}
    document |= {key: getattr(description, key) for key in ("channels", "in_channels", "classes")}
    if not description.affine:
        document["affine"] = False
    if description.pool_norm:
        document["pool_norm"] = True
    if description.groups:
        document["groups"] = {
            Verbatim(name): Flow(dict(_group(group))) for name, group in description.groups.items()
        }
    if description.cells:
        document["cells"] = {
            Verbatim(name): {"inputs": _texts(cell.inputs), **_graph(cell, description)}
            for name, cell in description.cells.items()
        }
    document[NETWORK] = _graph(description.network, description)
    if description.auxiliary is not None:
        document["auxiliary"] = Verbatim(description.auxiliary)
    return write_yaml(document)


def _group(group: Group) -> Iterator[tuple[str, Any]]:
    yield "ops", _texts(group.ops)
    if group.segment != "edge":
        yield "segment", Verbatim(group.segment)
    if group.keep != 1:
        yield "keep", group.keep
    if group.edges is not None:
        yield "edges", group.edges
    if group.never:
        yield "never", _texts(group.never)


def _graph(graph: Graph, description: Description) -> dict[str, Any]:
    nodes = {Verbatim(node.name): Flow(dict(_node(node, description))) for node in graph.nodes}
    output = {} if graph.output == graph.nodes[-1].name else {"output": Verbatim(graph.output)}
    return {"nodes": nodes, **output}


def _node(node: Node, description: Description) -> Iterator[tuple[str, Any]]:
    first = node.edges[0]
    alike = {(edge.ops, edge.group, edge.gate) for edge in node.edges} == {
        (first.ops, first.group, first.gate)
    }
    if node.join != CONCAT and alike:
        sources = _texts(edge.source for edge in node.edges)
        yield "from", sources[0] if len(sources) == 1 else sources
        if node.cell is not None:
            yield "cell", Verbatim(node.cell)
        yield from _how(first, description)
    else:
        yield CONCAT if node.join == CONCAT else SUM, [_edge(edge, description) for edge in node.edges]
    if node.width != 1:
        yield "width", Verbatim(node.width)
    for key in ("reduction", "repeat"):
        value = getattr(node, key)
        if value is not None:
            yield key, Verbatim(value)
    if node.shadow:
        yield "shadow", True


def _edge(edge: Edge, description: Description) -> Verbatim | Flow:
    source = Verbatim(edge.source)
    if edge.group is None and not edge.gate and edge.source != "from":
        if not edge.ops:
            return source
        ops = _texts(edge.ops)
        return Flow({source: ops[0] if len(ops) == 1 else ops})
    return Flow({"from": source, **dict(_how(edge, description))})


def _how(edge: Edge, description: Description) -> Iterator[tuple[str, Any]]:
    if edge.group is not None:
        yield "choose", Verbatim(edge.group)
        if edge.ops != description.groups[edge.group].ops:
            yield "ops", _texts(edge.ops)
    elif len(edge.ops) == 1:
        yield "op", Verbatim(edge.ops[0])
    elif edge.ops:
        yield "ops", _texts(edge.ops)
    if edge.gate:
        yield "gate", True


def _texts(items: Iterable[object]) -> list[Verbatim]:
    """Names and operations as they stand in a description, where they need no quotes."""
    return [Verbatim(item) for item in items]
