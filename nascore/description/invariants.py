"""What each value promises; see the invariants and the errors of the description language.

Each function looks at one value whose parts are sound already, and raises all that is wrong with it.

Repeats are written out, relative sources are counted, and names are looked up, once and for every use of the
graph.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from nascore.description.names import (
    CONCAT,
    IMAGES,
    MOST_REPEATS,
    RESERVED_CELLS,
    SUM,
    UNREAD,
    is_group_name,
    is_grown,
    is_node_name,
)
from nascore.description.problems import ProblemCollector, nearest
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.description.values import Description, Edge, Graph, Group, Node, Op

__all__ = [
    "Placed",
    "Scope",
    "check_auxiliary",
    "check_description",
    "check_edge",
    "check_graph",
    "check_group",
    "check_node",
    "check_unique",
    "cycle",
    "graph_path",
    "instances",
    "resolve",
    "unlisted",
]


_PATH = "auxiliary"


def check_auxiliary(description: Description, found: ProblemCollector) -> None:
    """Check that the auxiliary head, if there is one, is the last node, and that its logits go nowhere."""
    name, network = description.auxiliary, description.network
    if name is None:
        return
    node = network.node(name)
    if node is None:
        hint = nearest(name, [each.name for each in network.nodes])
        if network.node(UNREAD) is None:
            found.add(_PATH, f"the network has no node {name!r}.", hint=hint)
        return
    if node.repeat is not None:
        found.add(_PATH, f"{name} repeats, and there is one auxiliary head.", hint="Leave its repeat out.")
    if network.scope.names.get(network.output) == name:
        hint = "Say under network.output which node is: without it, it is the last."
        found.add(_PATH, f"{name} is the network's output.", hint=hint)
    if node is not network.nodes[-1]:
        hint = "Write it last, and say under network.output which node is the output."
        found.add(_PATH, f"{name} is not the last node of the network.", hint=hint)
    for reader in _readers(network, name):
        hint = "Let it read another state by its name."
        found.add(_PATH, f"{reader} reads {name}, whose logits are for training only.", hint=hint)


def _readers(network: Graph, name: str) -> list[str]:
    """Return the nodes that read a state, by its name or by a relative source."""
    readers = (placed.node.name for placed in network.scope.placed if name in placed.sources)
    return list(dict.fromkeys(readers))


_SEGMENTS = ("edge", "node")


def check_group(group: Group) -> None:
    """Check what one group declares.

    Raises:
        DescriptionError: With every problem.
    """
    found = ProblemCollector()
    if not group.ops:
        found.add("ops", "a group needs operations.")
    check_unique(group.ops, "in one group", found)
    check_unique(group.never, "under never", found)
    if group.segment not in _SEGMENTS:
        found.add(
            "segment",
            f"must be edge or node, not {group.segment!r}.",
            hint=did_you_mean(str(group.segment), _SEGMENTS),
        )
    found.whole("keep", group.keep, 1)
    if group.edges is not None:
        found.whole("edges", group.edges, 1)
        if group.segment == "node":
            found.add("edges", "has no meaning where a whole node competes: keep says how many stay.")
    for op in unlisted(group.never, group.ops):
        hint = nearest(str(op), map(str, group.ops))
        found.add("never", f"{op} is not among the group's operations.", hint=hint, spot=str(op))
    _check_keeping(group, found)
    found.stop()


def check_unique(ops: Iterable[Op], where: str, found: ProblemCollector) -> None:
    """Note every operation that stands twice in one place."""
    for op, count in Counter(ops).items():
        if count > 1:
            found.add("ops", f"the operation {op} stands {where} twice.")


def unlisted(ops: Iterable[Op], known: Sequence[Op]) -> Iterator[Op]:
    """Yield the operations that are not among the known ones; none where not all of those could be read."""
    if not any(op.name is UNREAD for op in known):
        yield from (op for op in ops if op not in known and op.name is not UNREAD)


def _check_keeping(group: Group, found: ProblemCollector) -> None:
    """Check that as many operations as an edge keeps can be kept."""
    may = [op for op in group.ops if op not in group.never]
    if group.ops and not may:
        found.add("never", "every operation of the group is never kept, so deriving would keep nothing.")
    elif group.segment == "edge" and isinstance(group.keep, int) and group.keep > max(len(may), 1):
        count = f"{len(may)} operation{'' if len(may) == 1 else 's'}"
        found.add("keep", f"an edge cannot keep {group.keep}: {count} of the group may be kept.")


def cycle(graph: Graph, start: str, source: str) -> list[str]:
    """Return the nodes from ``start`` over ``source`` and back to ``start``; none if nothing leads back.

    Args:
        graph: A graph whose order is wrong somewhere.
        start: A node of it.
        source: A node that it reads.
    """
    reads: dict[str, list[str]] = {}
    counted: list[str] = []
    for node in graph.nodes:
        named = [edge.source for edge in node.edges if isinstance(edge.source, str)]
        steps = [edge.source for edge in node.edges if not isinstance(edge.source, str) and edge.source < 0]
        reads[node.name] = [*named, *(counted[max(len(counted) + step, 0)] for step in steps if counted)]
        if not is_grown(node.name):
            counted.append(node.name)
    before: dict[str, str] = {source: start}
    left = [source]
    while left:
        name = left.pop(0)
        if name == start:
            return _back(before, start)
        for each in reads.get(name, ()):
            if each not in before:
                before[each] = name
                left.append(each)
    return []


def _back(before: dict[str, str], start: str) -> list[str]:
    way = [start]
    while (name := before[way[-1]]) != start:
        way.append(name)
    return [start, *reversed(way[1:]), start]


_STAGE = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*)-\d+")


@frozen(kw_only=True)
class Placed:
    """A node in its place in the graph.

    Attributes:
        name: Its name, with a number where the node repeats (``a-0``).
        node: The node as written.
        sources: The names of the states that its edges read, in the order of the edges; ``UNREAD`` in a draft
            for one that is not there.
    """

    name: str
    node: Node
    sources: tuple[str, ...]


@frozen(kw_only=True)
class Scope:
    """What a graph says once repeats and sources are resolved.

    Attributes:
        placed: Every node, in order.
        names: From every name that can be read to the name of the state behind it.
    """

    placed: tuple[Placed, ...]
    names: dict[str, str]


def resolve(graph: Graph, found: ProblemCollector) -> Scope:
    """Return the scope of a graph; what cannot be resolved is noted, and ``UNREAD`` among the sources."""
    _check_names(graph, found)
    written = {*graph.inputs, *(node.name for node in graph.nodes)}
    walk = _Walk(graph=graph, found=found, written=written, names={name: name for name in graph.inputs})
    placed = [each for node in graph.nodes for each in walk.place(node)]
    twice = [name for name, count in Counter(each.name for each in placed).items() if count > 1]
    for name in twice:
        found.add(f"nodes.{name}", "two states have this path: a node that repeats has one of that number.")
    return Scope(placed=tuple(placed), names=walk.names)


def instances(node: Node) -> list[str]:
    """Return the names of the states of a node: its own, or one for each repetition."""
    if node.repeat is None:
        return [node.name]
    return [f"{node.name}-{index}" for index in range(node.repeat)]


def _check_names(graph: Graph, found: ProblemCollector) -> None:
    counts = Counter([*graph.inputs, *(node.name for node in graph.nodes)])
    for name, count in counts.items():
        if count > 1 and name != UNREAD:
            found.add(f"nodes.{name}", "this name is used twice.")


@define(kw_only=True)
class _Walk:
    """The states met so far, in the order of the graph."""

    graph: Graph
    found: ProblemCollector
    written: set[str]
    names: dict[str, str]
    counted: list[str] = field(factory=list)
    """What relative sources count: neither inputs nor what growth added, lest growing shifts them."""

    def place(self, node: Node) -> Iterator[Placed]:
        names = instances(node)
        for name in names:
            sources = tuple(self._source(node, edge.source) for edge in node.edges)
            yield Placed(name=name, node=node, sources=sources)
            self.names.setdefault(name, name)
            if not is_grown(name):
                self.counted.append(name)
        if node.repeat:
            self.names.setdefault(node.name, names[-1])
        stage = _STAGE.fullmatch(node.name)
        if stage is not None and stage["name"] not in self.written and node.name in self.names:
            # A spelled-out stage is still read by its bare name: untying changes no source as written.
            self.names[stage["name"]] = self.names[node.name]

    def _source(self, node: Node, source: str | int) -> str:
        if isinstance(source, str):
            name = self.names.get(source)
            return self._missing(node, source) if name is None else name
        if source >= 0:
            return UNREAD  # the edge has noted it
        if not self.counted:
            text = f"the source {source} lies before the first node."
            hint = f"Name an input: {', '.join(self.graph.inputs)}."
            self.found.add(f"nodes.{node.name}.from.{source}", text, hint=hint)
            return UNREAD
        return self.counted[max(len(self.counted) + source, 0)]

    def _missing(self, node: Node, source: str) -> str:
        """Note why a source cannot be read, unless that follows from what is noted already."""
        path = f"nodes.{node.name}.from.{source}"
        if source is UNREAD:
            return UNREAD
        if source == node.name:
            self.found.add(path, "a node cannot read itself.", hint="Write -1 for the node before.")
        elif source in self.written:
            self.found.add(path, f"{self._order(node, source)}; a node reads earlier states only.")
        elif UNREAD not in self.names:
            self.found.add(path, f"there is no earlier state {source!r}.", hint=nearest(source, self.names))
        return UNREAD

    def _order(self, node: Node, source: str) -> str:
        way = cycle(self.graph, node.name, source)
        if way:
            return f"a cycle: {way[0]} reads {', which reads '.join(way[1:])}"
        if any(each.name == source and each.repeat == 0 for each in self.graph.nodes):
            return f"{source} repeats 0 times and is no state"
        return f"{source} stands after {node.name}"


def check_edge(edge: Edge) -> None:
    """Check what one edge says.

    Raises:
        DescriptionError: With every problem.
    """
    found = ProblemCollector()
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
    found = ProblemCollector()
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
    found = ProblemCollector()
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
    found = ProblemCollector()
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


def _check_source(source: object, found: ProblemCollector) -> None:
    if isinstance(source, bool) or not isinstance(source, (str, int)):
        found.add("from", f"{source!r} is no source: write the name of a state, or -1 for the node before.")
    elif isinstance(source, int) and source >= 0:
        found.add("from", f"a relative source is negative, not {source}.")
    elif isinstance(source, str) and not is_node_name(source):
        found.add("from", f"{source!r} cannot name a state.")


def _check_edges(node: Node, found: ProblemCollector) -> None:
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


def _check_parts(description: Description, found: ProblemCollector) -> None:
    for name in description.cells:
        if name in RESERVED_CELLS or not is_node_name(name):
            found.add(f"cells.{name}", f"{name!r} cannot name a cell.")
    for name in description.groups:
        if not is_group_name(name):
            found.add(f"groups.{name}", f"{name!r} cannot name a group.")


def _check_uses(description: Description, found: ProblemCollector) -> None:
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


def _check_choices(description: Description, found: ProblemCollector) -> None:
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


def _check_nesting(description: Description, found: ProblemCollector) -> None:
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
