"""The graph and the description, and the resolution of names in a graph.

Both check their own invariants when they are built and raise all problems at once. Channels, reductions and
uses of groups need arithmetic over the whole, and are checked by :func:`nascore.description.expand`.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from nascore.description.keys import FLAG, NAME, Hashed, check_values, declared, form, key, whole
from nascore.description.names import (
    IMAGES,
    NETWORK,
    RESERVED_CELLS,
    UNREAD,
    UNREAD_NUMBER,
    graph_path,
    is_group_name,
    is_grown,
    is_node_name,
)
from nascore.description.problems import ProblemCollector, nearest
from nascore.description.values import unlisted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.description.keys import Key
    from nascore.description.values import Edge, Group, Node

__all__ = ["Description", "Graph", "Placed", "Scope"]


@frozen(kw_only=True)
class Placed:
    """A node with its resolved sources.

    Attributes:
        name: Its name, with a number if the node repeats (``a-0``).
        node: The node as written.
        sources: The names of the states that its edges read, in the order of the edges; in a draft ``UNREAD``
            for a missing state.
    """

    name: str
    node: Node
    sources: tuple[str, ...]


@frozen(kw_only=True)
class Scope:
    """The nodes and names of a graph after repeats and sources are resolved.

    Attributes:
        placed: Every node, in order.
        names: The state that each source name of an edge stands for.
    """

    placed: tuple[Placed, ...]
    names: dict[str, str]


@frozen(kw_only=True, slots=False, field_transformer=declared)
class Graph:
    """A cell, or the network: named states, each of which reads earlier ones.

    Attributes:
        inputs: Names of the input states; ``("images",)`` for the network.
        nodes: The nodes in topological order.
        output: Name of the output state.

    Raises:
        DescriptionError: An invariant is broken.
    """

    inputs: tuple[str, ...] = field(metadata=form("inputs", hashed=Hashed.PLAN))
    nodes: tuple[Node, ...] = field(metadata=form("nodes", hashed=Hashed.PLAN))
    output: str = field(metadata=form("output", hashed=Hashed.PLAN))

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        for name in self.inputs:
            if not is_node_name(name):
                found.add("inputs", f"{name!r} cannot name an input.")
        if not self.inputs:
            found.add("inputs", "a graph needs at least one input.")
        if not self.nodes:
            found.add("nodes", "a graph needs at least one node.")
        names = _resolve(self, found).names
        if self.nodes and self.output not in names:
            found.add("output", f"the graph has no state {self.output!r}.", hint=nearest(self.output, names))
        found.stop()

    def __str__(self) -> str:
        """The formula of each state on one line, and the output."""
        return "\n".join(_lines(self))

    @cached_property
    def scope(self) -> Scope:
        """The states with repeats written out and sources resolved."""
        return _resolve(self, ProblemCollector())

    def node(self, name: str) -> Node | None:
        """Return the node of this name; None if there is none."""
        return next((node for node in self.nodes if node.name == name), None)


def _lines(graph: Graph) -> Iterator[str]:
    names = [f"{node.name} x{node.repeat}" if node.repeat is not None else node.name for node in graph.nodes]
    column = max(len(name) for name in names)
    for name, node in zip(names, graph.nodes, strict=True):
        yield f"  {name.ljust(column)} = {node}"
    yield f"  output: {graph.output}"


_STAGE = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*)-\d+")


def _resolve(graph: Graph, found: ProblemCollector) -> Scope:
    """Return the scope of a graph; an unresolved source is reported and becomes ``UNREAD``."""
    _check_names(graph, found)
    written = {*graph.inputs, *(node.name for node in graph.nodes)}
    walk = _Walk(graph=graph, found=found, written=written, names={name: name for name in graph.inputs})
    placed = [each for node in graph.nodes for each in walk.place(node)]
    twice = [name for name, count in Counter(each.name for each in placed).items() if count > 1]
    for name in twice:
        found.add(f"nodes.{name}", "two states have this path: a node that repeats has one of that number.")
    return Scope(placed=tuple(placed), names=walk.names)


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
    """States that relative sources count: no inputs, and no nodes of growth, which would shift the others."""

    def place(self, node: Node) -> Iterator[Placed]:
        names = node.states
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
            # A written-out stage can still be read by its name, so that untying changes no source.
            self.names[stage["name"]] = self.names[node.name]

    def _source(self, node: Node, source: str | int) -> str:
        if isinstance(source, str):
            name = self.names.get(source)
            return self._missing(node, source) if name is None else name
        if source >= 0:
            return UNREAD  # the edge has reported it
        if not self.counted:
            text = f"the source {source} is before the first node."
            hint = f"Name an input: {', '.join(self.graph.inputs)}."
            self.found.add(f"nodes.{node.name}.from.{source}", text, hint=hint)
            return UNREAD
        return self.counted[max(len(self.counted) + source, 0)]

    def _missing(self, node: Node, source: str) -> str:
        """Report why a source cannot be read, unless an earlier problem explains it."""
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
        way = _cycle(self.graph, node.name, source)
        if way:
            return f"a cycle: {way[0]} reads {', which reads '.join(way[1:])}"
        if any(each.name == source and each.repeat == 0 for each in self.graph.nodes):
            return f"{source} repeats 0 times and is not a state"
        return f"{source} comes after {node.name}"


def _cycle(graph: Graph, start: str, source: str) -> list[str]:
    """Return the cycle from ``start`` through ``source`` back to ``start``; empty if there is none.

    Args:
        graph: A graph whose nodes are not in topological order.
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


def _size(name: str, meaning: str) -> dict[str, Key]:
    return key(name, whole(), hashed=Hashed.PLAN, required=meaning, draft=UNREAD_NUMBER)


def _copied_graphs(graphs: Mapping[str, Graph]) -> dict[str, Graph]:
    return dict(graphs)


def _copied_groups(groups: Mapping[str, Group]) -> dict[str, Group]:
    return dict(groups)


@frozen(kw_only=True, hash=False, field_transformer=declared)
class Description:
    """A network, or a space of networks, as data.

    Attributes:
        channels: Channels of a node of width 1 in the network.
        in_channels: Channels of the images.
        classes: Number of classes: the width ``classes``.
        affine: Default of the setting ``affine`` of all operations.
        pool_norm: Default of the setting ``pool_norm`` of all operations.
        groups: Choice groups by name.
        cells: Cells by name, which nodes may use.
        network: The graph from the images to the output.
        auxiliary: Name of the node that is the auxiliary head; None: no head.

    Raises:
        DescriptionError: With every broken invariant.
    """

    channels: int = field(default=16, metadata=_size("channels", "N, the width of a node of width 1"))
    in_channels: int = field(default=3, metadata=_size("in_channels", "N, 3 for images in colour"))
    classes: int = field(default=10, metadata=_size("classes", "N, how many classes there are"))
    affine: bool = field(default=True, metadata=key("affine", FLAG, hashed=Hashed.ALWAYS))
    pool_norm: bool = field(default=False, metadata=key("pool_norm", FLAG, hashed=Hashed.ALWAYS))
    groups: dict[str, Group] = field(
        factory=dict, converter=_copied_groups, metadata=form("groups", hashed=Hashed.PLAN)
    )
    cells: dict[str, Graph] = field(
        factory=dict, converter=_copied_graphs, metadata=form("cells", hashed=Hashed.PLAN)
    )
    network: Graph = field(metadata=form(NETWORK, hashed=Hashed.PLAN, required="{nodes: {NAME: NODE, ...}}"))
    auxiliary: str | None = field(default=None, metadata=key("auxiliary", NAME, hashed=Hashed.PLAN))

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        check_values(self, found)
        _check_parts(self, found)
        if self.network.inputs != (IMAGES,):
            found.add("network.inputs", f"the network's only input is {IMAGES!r}.")
        _check_uses(self, found)
        _check_choices(self, found)
        _check_nesting(self, found)
        _check_auxiliary(self, found)
        found.stop()

    def __str__(self) -> str:
        """The cells and the network as text; `repr` is the Python expression."""
        return "\n".join(_sections(self))

    @property
    def is_open(self) -> bool:
        """Whether an edge has an open choice."""
        return any(edge.group is not None for _, _, edge in self.edges())

    def graphs(self) -> dict[str, Graph]:
        """Return the cells and, under ``network``, the network."""
        return {**self.cells, NETWORK: self.network}

    def edges(self) -> Iterator[tuple[str, Node, Edge]]:
        """Yield every edge as written, with the name of its graph and its node."""
        for name, graph in self.graphs().items():
            for node in graph.nodes:
                for edge in node.edges:
                    yield name, node, edge


def _sections(description: Description) -> Iterator[str]:
    for name, cell in description.cells.items():
        uses = ", ".join(_uses(description, name)) or "nothing"
        yield f"cell {name}({', '.join(cell.inputs)}), used by {uses}"
        yield from _lines(cell)
        yield ""
    facts = f"{description.channels} channels, {description.classes} classes"
    yield f"network(images), {facts}, {'open' if description.is_open else 'closed'}"
    yield from _lines(description.network)
    if description.auxiliary is not None:
        yield f"  auxiliary head: {description.auxiliary}"


def _uses(description: Description, cell: str) -> Iterator[str]:
    for name, graph in description.graphs().items():
        for node in graph.nodes:
            if node.cell == cell:
                times = "" if node.repeat is None else f" x{node.repeat}"
                yield f"{'' if name == 'network' else f'{name}/'}{node.name}{times}"


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
                listed = ", ".join(cell.inputs)
                found.add(path, f"the cell {node.cell} has {inputs} ({listed}), but gets {given}.")


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


_AUXILIARY = "auxiliary"


def _check_auxiliary(description: Description, found: ProblemCollector) -> None:
    """Check that the auxiliary head, if there is one, is the last node, and that its logits go nowhere."""
    name, network = description.auxiliary, description.network
    if name is None:
        return
    node = network.node(name)
    if node is None:
        hint = nearest(name, [each.name for each in network.nodes])
        if network.node(UNREAD) is None:
            found.add(_AUXILIARY, f"the network has no node {name!r}.", hint=hint)
        return
    if node.repeat is not None:
        found.add(
            _AUXILIARY,
            f"{name} repeats, but there can be only one auxiliary head.",
            hint="Remove its `repeat` key.",
        )
    if network.scope.names.get(network.output) == name:
        hint = "Set network.output to another node; by default the output is the last node."
        found.add(_AUXILIARY, f"{name} is the network's output.", hint=hint)
    if node is not network.nodes[-1]:
        hint = "Move it to the end, and set network.output to the node that is the output."
        found.add(_AUXILIARY, f"{name} is not the last node of the network.", hint=hint)
    for reader in _readers(network, name):
        hint = "Let it read another state by its name."
        found.add(_AUXILIARY, f"{reader} reads {name}, whose logits are for training only.", hint=hint)


def _readers(network: Graph, name: str) -> list[str]:
    """Return the nodes that read a state, by its name or by a relative source."""
    readers = (placed.node.name for placed in network.scope.placed if name in placed.sources)
    return list(dict.fromkeys(readers))
