"""Draws a description as text for terminals, or in the DOT language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.description.graph import Description, Graph
    from nascore.description.values import Edge


def draw(description: Description) -> str:
    """Return the cells and the network as text, with the formula of each state on one line.

    ``n0 = sep_conv_3x3(pre0) + skip_connect(pre1)``; a choice is written ``normal{4}(pre0)``: the group and
    its number of candidates on this edge.
    """
    return str(description)


def to_dot(description: Description) -> str:
    """Return the cells and the network in DOT: a cluster for each, a labelled arrow for each edge."""
    lines = ["digraph nascore {", "  rankdir=TB;", '  node [shape=box, style=rounded, fontname="monospace"];']
    for name, graph in description.graphs().items():
        lines += (f"  {line}" for line in _cluster(name, graph))
    return "\n".join([*lines, "}", ""])


def _cluster(name: str, graph: Graph) -> Iterator[str]:
    yield f'subgraph "cluster_{name}" {{'
    yield f'  label="{name}";'
    for state in graph.inputs:
        yield f'  "{name}/{state}" [label="{state}", shape=plaintext];'
    for placed in graph.scope.placed:
        node = placed.node
        label = placed.name if node.join == "sum" else f"{placed.name}\\n{node.join}"
        dashed = ", style=dashed" if node.shadow else ""
        bold = ", penwidth=2" if placed.name == graph.scope.names[graph.output] else ""
        yield f'  "{name}/{placed.name}" [label="{label}"{dashed}{bold}];'
        for edge, source in zip(node.edges, placed.sources, strict=True):
            style = ", style=dotted" if edge.group is not None else ""
            yield f'  "{name}/{source}" -> "{name}/{placed.name}" [label="{_arrow(edge)}"{style}];'
    yield "}"


def _arrow(edge: Edge) -> str:
    words = (edge.group and f"{edge.group}: {len(edge.ops)} candidates") or "\\n".join(map(str, edge.ops))
    return f"gate {words}".rstrip() if edge.gate else words
