"""Reads and writes descriptions as YAML text; draws them for terminals, and for Graphviz (DOT)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from nascore.config import parse_document
from nascore.config.writer import Flow, Verbatim, write_yaml
from nascore.description.expand import survey
from nascore.description.keys import verbatim, write_keys
from nascore.description.names import CONCAT, LANGUAGE, NETWORK, SUM, WAYS
from nascore.description.problems import ProblemCollector
from nascore.description.reading import read_description
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.config import Node as Yaml
    from nascore.description.graph import Description, Graph
    from nascore.description.operation import Catalogue
    from nascore.description.values import Edge, Node
    from nascore.errors import Origin, Problem

__all__ = ["dump", "load", "locate", "located", "stop_at"]


def stop_at(found: ProblemCollector, root: Yaml) -> None:
    """Raise everything found, if anything was, in the order of the text and each with its place in it.

    Raises:
        DescriptionError: With all problems.
    """
    if found.problems:
        placed = (_placed(problem, root, found.spots.get(problem, "")) for problem in found.problems)
        raise DescriptionError(sorted(dict.fromkeys(placed), key=_position))


def _placed(problem: Problem, root: Yaml, spot: str) -> Problem:
    return problem if problem.origin else evolve(problem, origin=locate(root, problem.path, spot))


def _position(problem: Problem) -> tuple[int, int]:
    origin = problem.origin
    return (0, 0) if origin is None else (origin.line, origin.column)


def locate(root: Yaml, path: str, spot: str = "") -> Origin:
    """Return the place of the node at a path, or of the deepest node on the path that exists.

    Args:
        root: The document.
        path: Keys, parted by dots; after a node may follow ``from.SOURCE``, however its edges are written.
        spot: A scalar below the last map on the way, which is the place if it is there.
    """
    node, inner = root, root
    parts = path.split(".") if path else []
    while (step := _step(node, parts)) is not None:
        node, parts = step
        inner = node if isinstance(node.value, dict) else inner
    if spot:
        found = next((each for top in (node, inner) for each in _below(top) if each.value == spot), None)
        if found is not None:
            return found.origin
    sources = inner.value.get("from") if isinstance(inner.value, dict) else None
    by_key = isinstance(node.value, (dict, list)) or (
        path.split(".")[-2:-1] == ["from"] and node is not sources
    )
    return node.key if node.key is not None and by_key else node.origin


def _step(node: Yaml, parts: Sequence[str]) -> tuple[Yaml, list[str]] | None:
    """Return the node that the next parts of a path lead to, and the remaining parts."""
    if not isinstance(node.value, dict):
        return None
    for count in range(len(parts), 0, -1):  # a name that is wrong for its dots stands in the path too
        inner = node.value.get(".".join(parts[:count]))
        if inner is not None:
            edges = count == 1 and parts[0] == "from" and len(parts) > 1
            return (_edge(inner, parts[1]), list(parts[2:])) if edges else (inner, list(parts[count:]))
    way = next((key for key in WAYS if key in node.value), None)
    if parts and parts[0] == "from" and len(parts) > 1 and way is not None:
        return _edge(node.value[way], parts[1]), list(parts[2:])
    return None


def _edge(edges: Yaml, source: str) -> Yaml:
    """Return the edge from a source in a list of edges, or the list."""
    for item in edges.value if isinstance(edges.value, list) else [edges]:
        if not isinstance(item.value, dict):
            if str(item.value) == source:
                return item
        elif source in item.value:
            return item.value[source]
        elif "from" in item.value and str(item.value["from"].value) == source:
            return item
    return edges


def _below(node: Yaml) -> Iterator[Yaml]:
    """Yield the scalars of a node, in the order of the text."""
    if isinstance(node.value, dict):
        inner = list(node.value.values())
    elif isinstance(node.value, list):
        inner = node.value
    else:
        yield node
        return
    for each in inner:
        yield from _below(each)


def load(
    text: str, *, where: str = "", catalogue: Catalogue | None = None, classifies: bool = False
) -> Description:
    """Read a description.

    Args:
        text: YAML as in the description language; anything that it does not know is an error.
        where: Name of the text in errors, usually the file's.
        catalogue: With it the description is also worked out, and every operation checked where it stands.
        classifies: Whether its output must have a channel for each class.

    Raises:
        DescriptionError: With every problem, each with its path and its place in the text.
    """
    document = parse_document(text, where=where or "description", what="description")
    found = ProblemCollector(problems=list(document.problems))
    if document.root is None:
        found.stop()
        raise AssertionError  # a text without a root has a problem
    description = read_description(document.root, found)
    if description is not None and (found.problems or classifies or catalogue is not None):
        survey(description, catalogue, found, classifies=classifies)
    stop_at(found, document.root)
    assert description is not None  # that it holds none was noted
    return description


def located(problems: Iterable[Problem], text: str, *, where: str) -> list[Problem]:
    """Return problems of a description with their places in the text that it was read from.

    Args:
        problems: Found after it was read.
        text: The text, which can be read.
        where: Name of the text.
    """
    root = parse_document(text, where=where, what="description").root
    if root is None:
        return list(problems)
    return [one if one.origin else evolve(one, origin=locate(root, one.path)) for one in problems]


def dump(description: Description) -> str:
    """Return the shortest text of a description; ``load(dump(d)) == d``."""
    groups = {Verbatim(name): Flow(write_keys(group)) for name, group in description.groups.items()}
    cells = {
        Verbatim(name): _written_graph(cell, description, {"inputs": verbatim(cell.inputs)})
        for name, cell in description.cells.items()
    }
    entries = write_keys(
        description,
        groups={"groups": groups} if groups else {},
        cells={"cells": cells} if cells else {},
        network={NETWORK: _written_graph(description.network, description, {})},
    )
    return write_yaml({"nascore": LANGUAGE, **entries})


def _written_graph(graph: Graph, description: Description, inputs: Mapping[str, Any]) -> dict[str, Any]:
    nodes = {Verbatim(node.name): Flow(_written_node(node, description)) for node in graph.nodes}
    output = {} if graph.output == graph.nodes[-1].name else {"output": Verbatim(graph.output)}
    return write_keys(graph, inputs=inputs, nodes={"nodes": nodes}, output=output)


def _written_node(node: Node, description: Description) -> dict[str, Any]:
    hows = [_how(edge, description) for edge in node.edges]
    if node.join == CONCAT or any(how != hows[0] for how in hows):
        way = CONCAT if node.join == CONCAT else SUM
        return write_keys(
            node, edges={way: [_written_edge(edge, description) for edge in node.edges]}, join={}
        )
    sources = verbatim(edge.source for edge in node.edges)
    cell = {} if node.cell is None else {"cell": Verbatim(node.cell)}
    return write_keys(
        node, edges={"from": sources[0] if len(sources) == 1 else sources}, join={**cell, **hows[0]}
    )


def _written_edge(edge: Edge, description: Description) -> Verbatim | Flow:
    source, how = Verbatim(edge.source), _how(edge, description)
    if edge.source != "from" and edge.group is None and how.keys() <= {"op", "ops"}:
        return Flow({source: how.get("op", how.get("ops"))}) if how else source
    return Flow({"from": source, **how})


def _how(edge: Edge, description: Description) -> dict[str, Any]:
    """Return the keys and values of an edge, except its source."""
    ops = verbatim(edge.ops)
    if edge.group is not None:
        own = {} if edge.ops == description.groups[edge.group].ops else {"ops": ops}
        return write_keys(edge, source={}, ops={}, group={"choose": Verbatim(edge.group), **own})
    written: dict[str, Any] = {"op": ops[0]} if len(ops) == 1 else {"ops": ops}
    return write_keys(edge, source={}, ops=written if ops else {}, group={})


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
