"""The planted test in any space: on each edge one candidate is useful, and the others draw noise."""

from __future__ import annotations

from random import Random
from tempfile import TemporaryDirectory
from pathlib import Path

from attrs import evolve
from spaces_samples import REGISTRY, described, kind

from nascore.api import Op, dump
from nascore.engine.loop import run_phase
from nascore.testing.searching import searching

USEFUL = Op("conv_3x3")
MARGIN = 1.2
MOST = 3
"""Candidates of an edge at most, so that what is useful is not drowned in a sum of noise."""


def planted(description, seed):
    """A space with the same edges, of which each offers noise, and in the column that the seed says a convolution."""
    columns = {}
    for name, group in description.groups.items():
        ops = [USEFUL, *(Op("noise", (("copy", copy),)) for copy in range(min(len(group.ops), MOST) - 1))]
        Random(f"{seed}/{name}").shuffle(ops)  # noqa: S311 - nothing secret
        columns[name] = tuple(ops)
    def edge(one):
        if one.group is None:
            return one
        ops = columns[one.group]
        if len(one.ops) < len(ops):  # a ragged edge stays one
            ops = (USEFUL, *(op for op in ops if op != USEFUL))[: len(one.ops)]
        return evolve(one, ops=tuple(op for op in columns[one.group] if op in ops))
    def graph(one):
        nodes = (evolve(node, edges=tuple(map(edge, node.edges))) for node in one.nodes)
        return evolve(one, nodes=tuple(nodes))
    return evolve(
        description,
        network=graph(description.network),
        cells={name: graph(one) for name, one in description.cells.items()},
        groups={name: evolve(group, ops=columns[name], never=()) for name, group in description.groups.items()},
    )


def stands_out(weights, column):
    """Whether a candidate weighs clearly more than each of the others; equal weights are no choice."""
    others = max(weight for place, weight in enumerate(weights) if place != column)
    return weights[column] > MARGIN * others


def found_by(space, updater, seed, *, settings=None, sets=()):
    """On how many of the edges the useful candidate stands out after a search, and how many there are."""
    description = planted(described(space, kind(8, channels=1, classes=4), **(settings or {})), seed)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "planted.yaml"
        path.write_text(dump(description), encoding="utf-8")
        names = {"space": "file", "updater": updater}
        with searching(REGISTRY, names, seed=seed, sets=(f"space.path={path}", *sets)) as found:
            run_phase(found.phase, found.trainer, found.live.watch)
            expected, groups = found.search.expected(), found.search.state.groups
    right = [
        stands_out(weights, layout.ops.index(USEFUL))
        for name, layout in groups.items()
        for weights in expected[name].tolist()
    ]
    return sum(right), len(right)
