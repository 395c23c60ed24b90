"""Nodes that read each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description.names import is_grown

if TYPE_CHECKING:
    from nascore.description.values import Graph


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
