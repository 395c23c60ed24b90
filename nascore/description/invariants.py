"""What each value promises; see the invariants and the errors of the description language.

Each function looks at one value whose parts are sound already, and raises all that is wrong with it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nascore.description.auxiliary import check_auxiliary
from nascore.description.group_rules import check_group, check_unique, unlisted
from nascore.description.names import (
    CONCAT,
    IMAGES,
    MOST_REPEATS,
    RESERVED_CELLS,
    SUM,
    UNREAD,
    is_group_name,
    is_node_name,
)
from nascore.description.problems import Found, nearest
from nascore.description.scope import resolve

if TYPE_CHECKING:
    from nascore.description.values import Description, Edge, Graph, Node

__all__ = ["check_description", "check_edge", "check_graph", "check_group", "check_node", "graph_path"]


def check_edge(edge: Edge) -> None:
    """Check what one edge says.

    Raises:
        DescriptionError: With every problem.
    """
    found = Found()
    _check_source(edge.source, found)
    check_unique(edge.ops, "on one edge", found)
    found.flag("gate", edge.gate)
    if edge.group is not None:
        if not is_group_name(edge.group):
            found.add("choose", f"{edge.group!r} cannot name a group.")
        if not edge.ops:
            found.add("ops", "an edge with a choice needs candidates.")
        if edge.gate:
            found.add("gate", "an edge with a choice has no gate.")
    found.stop()


def check_node(node: Node) -> None:
    """Check what one node says.

    Raises:
        DescriptionError: With every problem.
    """
    found = Found()
    if not is_node_name(node.name):
        found.add("", f"{node.name!r} cannot name a node.")
    if not is_node_name(node.join):
        found.add("cell", f"{node.join!r} cannot name a cell.")
    if node.width != "classes":
        found.whole("width", node.width, 1)
    if node.reduction is not None:
        found.whole("reduction", node.reduction, 1)
    if node.repeat is not None:
        found.whole("repeat", node.repeat, 0, MOST_REPEATS)
    found.flag("shadow", node.shadow)
    if node.shadow and node.join != SUM:
        found.add("shadow", "only a sum can be a shadow.")
    if not node.edges:
        found.add("", "a node needs at least one edge.")
    _check_edges(node, found)
    found.stop()


def check_graph(graph: Graph) -> None:
    """Check that each node of a graph reads earlier states, and that names are unique.

    Raises:
        DescriptionError: With every problem.
    """
    found = Found()
    for name in graph.inputs:
        if not is_node_name(name):
            found.add("inputs", f"{name!r} cannot name an input.")
    if not graph.inputs:
        found.add("inputs", "a graph needs at least one input.")
    if not graph.nodes:
        found.add("nodes", "a graph needs at least one node.")
    names = resolve(graph, found).names
    if graph.nodes and graph.output not in names:
        found.add("output", f"there is no state {graph.output!r}.", hint=nearest(graph.output, names))
    found.stop()


def check_description(description: Description) -> None:
    """Check the numbers of a description, and that its cells and groups exist and its auxiliary head is one.

    Raises:
        DescriptionError: With every problem.
    """
    found = Found()
    for name in ("channels", "in_channels", "classes"):
        found.whole(name, getattr(description, name), 1)
    for name in ("affine", "pool_norm"):
        found.flag(name, getattr(description, name))
    _check_parts(description, found)
    if description.network.inputs != (IMAGES,):
        found.add("network.inputs", f"the network's only input is {IMAGES!r}.")
    _check_uses(description, found)
    _check_choices(description, found)
    _check_nesting(description, found)
    check_auxiliary(description, found)
    found.stop()


def graph_path(name: str) -> str:
    """Return the path of a graph in the YAML text."""
    return name if name in RESERVED_CELLS else f"cells.{name}"


def _check_source(source: object, found: Found) -> None:
    if isinstance(source, bool) or not isinstance(source, (str, int)):
        found.add("from", f"{source!r} is no source: write the name of a state, or -1 for the node before.")
    elif isinstance(source, int) and source >= 0:
        found.add("from", f"a relative source is negative, not {source}.")
    elif isinstance(source, str) and not is_node_name(source):
        found.add("from", f"{source!r} cannot name a state.")


def _check_edges(node: Node, found: Found) -> None:
    if node.cell is not None:
        for edge in node.edges:
            if edge.ops or edge.gate:
                found.add(f"from.{edge.source}", "an edge into a cell has neither operations nor a gate.")
        return
    read = [edge for edge in node.edges if edge.source is not UNREAD]
    counted = [edge.source for edge in read if node.join == SUM or edge.ops]
    for source, count in Counter(counted).items():
        if count > 1:
            found.add(f"from.{source}", "two edges come from this source: put the operations on one edge.")
    gated = Counter(edge.source for edge in read if node.join == CONCAT and edge.gate)
    for source, count in gated.items():
        if count > 1:
            found.add(f"from.{source}", "two gates on edges from this source would have one path.")


def _check_parts(description: Description, found: Found) -> None:
    for name in description.cells:
        if name in RESERVED_CELLS or not is_node_name(name):
            found.add(f"cells.{name}", f"{name!r} cannot name a cell.")
    for name in description.groups:
        if not is_group_name(name):
            found.add(f"groups.{name}", f"{name!r} cannot name a group.")


def _check_uses(description: Description, found: Found) -> None:
    for name, graph in description.graphs().items():
        for node in graph.nodes:
            if node.cell is None or node.cell is UNREAD:
                continue
            path = f"{graph_path(name)}.nodes.{node.name}"
            cell = description.cells.get(node.cell)
            if cell is None:
                hint = nearest(node.cell, description.cells)
                found.add(f"{path}.cell", f"there is no cell {node.cell!r}.", hint=hint)
            elif len(cell.inputs) != len(node.edges) and UNREAD not in cell.inputs:
                wanted, given = len(cell.inputs), len(node.edges)
                inputs = f"{wanted} input{'' if wanted == 1 else 's'}"
                found.add(
                    path, f"the cell {node.cell} has {inputs} ({', '.join(cell.inputs)}), and gets {given}."
                )


def _check_choices(description: Description, found: Found) -> None:
    for name, node, edge in description.edges():
        if edge.group is None:
            continue
        path = f"{graph_path(name)}.nodes.{node.name}.from.{edge.source}"
        group = description.groups.get(edge.group)
        if group is None:
            hint = nearest(edge.group, description.groups)
            found.add(path, f"there is no group {edge.group!r}.", hint=hint)
            continue
        for op in unlisted(edge.ops, group.ops):
            hint = nearest(str(op), map(str, group.ops))
            found.add(
                path, f"the group {edge.group} does not list the candidate {op}.", hint=hint, spot=str(op)
            )


def _check_nesting(description: Description, found: Found) -> None:
    uses = {name: {node.cell for node in graph.nodes} for name, graph in description.cells.items()}
    for name, used in uses.items():
        below, reached = list(used), set[str | None]()
        while below:
            cell = below.pop()
            if cell not in reached:
                reached.add(cell)
                below += uses.get(cell or "", ())
        if name in reached:
            found.add(f"cells.{name}", "this cell contains itself.")
