"""The planted test in any space: each edge offers a convolution, which is useful, and noise."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from attrs import evolve
from spaces_samples import REGISTRY, described, kind

from nascore.api import Op, dump
from nascore.engine.loop import run_phase
from nascore.testing.harness import searching

USEFUL, NOISE = Op("conv_3x3"), Op("noise")
MARGIN = 1e-4
EPOCHS = {"mbconv": 20}
"""In a chain six layers deep the signal comes late; elsewhere half as many are enough."""


def planted(description, seed):
    """A space with the same edges, each with noise and a convolution; the seed says in which columns.

    One candidate of noise, not three as in the space `planted`: these spaces are deeper and have more
    edges, and of a signal that has passed several sums of noise nothing is left.
    """
    columns = {}
    for name in sorted(description.groups):
        ops = [USEFUL, NOISE]
        Random(f"{seed}/{name}").shuffle(ops)  # noqa: S311 - nothing secret
        columns[name] = tuple(ops)

    def graph(one):
        nodes = (evolve(node, edges=tuple(map(edge, node.edges))) for node in one.nodes)
        return evolve(one, nodes=tuple(nodes))

    def edge(one):
        return one if one.group is None else evolve(one, ops=columns[one.group])

    groups = {name: evolve(group, ops=columns[name], never=()) for name, group in description.groups.items()}
    cells = {name: graph(one) for name, one in description.cells.items()}
    return evolve(description, network=graph(description.network), cells=cells, groups=groups)


def stands_out(weights, column):
    """Whether a candidate weighs more than each of the others; equal weights are no choice."""
    others = max(weight for place, weight in enumerate(weights) if place != column)
    return weights[column] > others + MARGIN


def found_by(space, updater, seed, epochs=None):
    """By group on how many edges the useful candidate stands out after a search, and how many it has."""
    description = planted(described(space, kind(8, channels=1, classes=4)), seed)
    epochs = EPOCHS.get(space, 10) if epochs is None else epochs
    with TemporaryDirectory() as folder:
        path = Path(folder) / "planted.yaml"
        path.write_text(dump(description), encoding="utf-8")
        sets = (f"space.path={path}", f"trainer.epochs={epochs}", "trainer.warm_up=1")
        names = {"space": "file", "updater": updater}
        with searching(REGISTRY, names, seed=seed, sets=sets) as found:
            run_phase(found.phase, found.trainer, found.live.observers)
            expected, groups = found.search.expected(), found.search.state.groups
    return {
        name: (
            sum(stands_out(weights, layout.ops.index(USEFUL)) for weights in expected[name].tolist()),
            len(layout.rows),
        )
        for name, layout in groups.items()
    }
