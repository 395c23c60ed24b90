"""Which states a graph has, and which of them each node reads.

Repeats are written out, relative sources are counted, and names are looked up, once and for every use of the
graph.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from nascore.description.cycles import cycle
from nascore.description.names import UNREAD, is_grown
from nascore.description.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.description.problems import Found
    from nascore.description.values import Graph, Node

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


def resolve(graph: Graph, found: Found) -> Scope:
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


def _check_names(graph: Graph, found: Found) -> None:
    counts = Counter([*graph.inputs, *(node.name for node in graph.nodes)])
    for name, count in counts.items():
        if count > 1 and name != UNREAD:
            found.add(f"nodes.{name}", "this name is used twice.")


@define(kw_only=True)
class _Walk:
    """The states met so far, in the order of the graph."""

    graph: Graph
    found: Found
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
