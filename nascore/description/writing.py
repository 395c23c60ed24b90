"""From a description to the shortest YAML text that reads back as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description.names import CONCAT, NETWORK, SUM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.description.graph import Description, Graph
    from nascore.description.values import Edge, Group, Node, Op


def dump(description: Description) -> str:
    """Return the text of a description; ``load(dump(d)) == d``."""
    return "".join(f"{line}\n" for line in _lines(description))


def _lines(description: Description) -> Iterator[str]:
    yield "nascore: 1"
    for key in ("channels", "in_channels", "classes"):
        yield f"{key}: {getattr(description, key)}"
    if not description.affine:
        yield "affine: false"
    if description.pool_norm:
        yield "pool_norm: true"
    if description.groups:
        yield "groups:"
        for name, group in description.groups.items():
            yield f"  {name}: {_map(_group(group))}"
    if description.cells:
        yield "cells:"
        yield from _cells(description)
    yield f"{NETWORK}:"
    yield from (f"  {line}" for line in _graph(description.network, description))
    if description.auxiliary is not None:
        yield f"auxiliary: {description.auxiliary}"


def _cells(description: Description) -> Iterator[str]:
    for name, cell in description.cells.items():
        yield f"  {name}:"
        yield f"    inputs: {_list(cell.inputs)}"
        yield from (f"    {line}" for line in _graph(cell, description))


def _group(group: Group) -> Iterator[tuple[str, str]]:
    yield "ops", _list(group.ops)
    if group.segment != "edge":
        yield "segment", group.segment
    if group.keep != 1:
        yield "keep", str(group.keep)
    if group.edges is not None:
        yield "edges", str(group.edges)
    if group.never:
        yield "never", _list(group.never)


def _graph(graph: Graph, description: Description) -> Iterator[str]:
    yield "nodes:"
    for node in graph.nodes:
        yield f"  {node.name}: {_map(_node(node, description))}"
    if graph.output != graph.nodes[-1].name:
        yield f"output: {graph.output}"


def _node(node: Node, description: Description) -> Iterator[tuple[str, str]]:
    first = node.edges[0]
    alike = {(edge.ops, edge.group, edge.gate) for edge in node.edges} == {
        (first.ops, first.group, first.gate)
    }
    if node.join != CONCAT and alike:
        sources = [str(edge.source) for edge in node.edges]
        yield "from", sources[0] if len(sources) == 1 else _list(sources)
        if node.cell is not None:
            yield "cell", node.cell
        yield from _how(first, description)
    else:
        yield CONCAT if node.join == CONCAT else SUM, _list(_edge(edge, description) for edge in node.edges)
    if node.width != 1:
        yield "width", str(node.width)
    for key in ("reduction", "repeat"):
        value = getattr(node, key)
        if value is not None:
            yield key, str(value)
    if node.shadow:
        yield "shadow", "true"


def _edge(edge: Edge, description: Description) -> str:
    if edge.group is None and not edge.gate and edge.source != "from":
        if not edge.ops:
            return str(edge.source)
        return _map([(str(edge.source), str(edge.ops[0]) if len(edge.ops) == 1 else _list(edge.ops))])
    return _map([("from", str(edge.source)), *_how(edge, description)])


def _how(edge: Edge, description: Description) -> Iterator[tuple[str, str]]:
    if edge.group is not None:
        yield "choose", edge.group
        if edge.ops != description.groups[edge.group].ops:
            yield "ops", _list(edge.ops)
    elif len(edge.ops) == 1:
        yield "op", str(edge.ops[0])
    elif edge.ops:
        yield "ops", _list(edge.ops)
    if edge.gate:
        yield "gate", "true"


def _list(items: Iterable[str | Op]) -> str:
    return f"[{', '.join(str(item) for item in items)}]"


def _map(items: Iterable[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in items)}}}"
