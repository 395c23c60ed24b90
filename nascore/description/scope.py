"""Which states a graph has, and which of them each node reads.

Repeats are written out, relative sources are counted, and names are looked up, once and for every use of the
graph.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.description.problems import Found
    from nascore.description.values import Graph, Node

_STAGE = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*)-\d+")


@frozen(kw_only=True)
class Placed:
    """A node in its place in the graph.

    Attributes:
        name: Its name, with a number where the node repeats (``a-0``).
        node: The node as written.
        sources: The names of the states that its edges read, in the order of the edges.
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
    """Return the scope of a graph; what cannot be resolved is noted, and left out of the sources."""
    _check_names(graph, found)
    written = {*graph.inputs, *(node.name for node in graph.nodes)}
    walk = _Walk(found=found, written=written, names={name: name for name in graph.inputs})
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


def is_grown(name: str) -> bool:
    """Return whether growth added the node of this name."""
    return "+" in name


def _check_names(graph: Graph, found: Found) -> None:
    counts = Counter([*graph.inputs, *(node.name for node in graph.nodes)])
    for name, count in counts.items():
        if count > 1:
            found.add(f"nodes.{name}", "this name is used twice.")


@define(kw_only=True)
class _Walk:
    """The states met so far, in the order of the graph."""

    found: Found
    written: set[str]
    names: dict[str, str]
    counted: list[str] = field(factory=list)
    """What relative sources count: neither inputs nor what growth added, lest growing shifts them."""

    def place(self, node: Node) -> Iterator[Placed]:
        names = instances(node)
        for name in names:
            sources = [self._source(node, edge.source) for edge in node.edges]
            yield Placed(name=name, node=node, sources=tuple(each for each in sources if each is not None))
            self.names.setdefault(name, name)
            if not is_grown(name):
                self.counted.append(name)
        if node.repeat:
            self.names.setdefault(node.name, names[-1])
        stage = _STAGE.fullmatch(node.name)
        if stage is not None and stage["name"] not in self.written:
            # A spelled-out stage is still read by its bare name: untying changes no source as written.
            self.names[stage["name"]] = node.name

    def _source(self, node: Node, source: str | int) -> str | None:
        path = f"nodes.{node.name}"
        if isinstance(source, str):
            if source not in self.names:
                self._unknown(path, source, tuple(self.names))
            return self.names.get(source)
        if not self.counted:
            self.found.add(path, f"the source {source} lies before the first node.")
            return None
        return self.counted[max(len(self.counted) + source, 0)]

    def _unknown(self, path: str, source: str, names: Sequence[str]) -> None:
        self.found.add(path, f"there is no earlier state {source!r}.", hint=did_you_mean(source, names))
