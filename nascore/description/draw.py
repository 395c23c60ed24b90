"""A description for the eye: as text for terminals, and in the DOT language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description.names import CONCAT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.description.values import Description, Edge, Graph, Node


def draw(description: Description) -> str:
    """Return the cells and the network as text: one line per state, saying how it comes about.

    ``n0 = sep_conv_3x3(pre0) + skip_connect(pre1)``; a choice is written ``normal{4}(pre0)``: the group and
    how many candidates it has there.
    """
    return "\n".join(_sections(description))


def to_dot(description: Description) -> str:
    """Return the cells and the network in DOT: a cluster each, an arrow per edge that says what it does."""
    lines = ["digraph nascore {", "  rankdir=TB;", '  node [shape=box, style=rounded, fontname="monospace"];']
    for name, graph in description.graphs().items():
        lines += (f"  {line}" for line in _cluster(name, graph))
    return "\n".join([*lines, "}", ""])


def _sections(description: Description) -> Iterator[str]:
    for name, cell in description.cells.items():
        uses = ", ".join(_uses(description, name)) or "nothing"
        yield f"cell {name}({', '.join(cell.inputs)}), used by {uses}"
        yield from _graph(cell)
        yield ""
    facts = f"{description.channels} channels, {description.classes} classes"
    yield f"network(images), {facts}, {'open' if description.is_open else 'closed'}"
    yield from _graph(description.network)
    if description.auxiliary is not None:
        yield f"  auxiliary head: {description.auxiliary}"


def _uses(description: Description, cell: str) -> Iterator[str]:
    for name, graph in description.graphs().items():
        for node in graph.nodes:
            if node.cell == cell:
                times = "" if node.repeat is None else f" x{node.repeat}"
                yield f"{'' if name == 'network' else f'{name}/'}{node.name}{times}"


def _graph(graph: Graph) -> Iterator[str]:
    names = [f"{node.name} x{node.repeat}" if node.repeat is not None else node.name for node in graph.nodes]
    column = max(len(name) for name in names)
    for name, node in zip(names, graph.nodes, strict=True):
        facts = ", ".join(_facts(node))
        yield f"  {name.ljust(column)} = {_join(node)}{f'   [{facts}]' if facts else ''}"
    yield f"  output: {graph.output}"


def _join(node: Node) -> str:
    parts = [_edge(edge, ", " if node.join == CONCAT else " + ") for edge in node.edges]
    if node.cell is not None:
        return f"{node.cell}({', '.join(parts)})"
    return f"concat({', '.join(parts)})" if node.join == CONCAT else " + ".join(parts)


def _edge(edge: Edge, between: str) -> str:
    if edge.group is not None:
        text = f"{edge.group}{{{len(edge.ops)}}}({edge.source})"
    elif edge.ops:
        text = between.join(f"{op}({edge.source})" for op in edge.ops)
    else:
        text = str(edge.source)
    return f"gate*({text})" if edge.gate else text


def _facts(node: Node) -> Iterator[str]:
    if node.width != 1:
        yield f"width {node.width}"
    if node.reduction not in {None, 1}:
        yield f"reduction {node.reduction}"
    if node.shadow:
        yield "shadow"


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
