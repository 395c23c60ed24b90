"""Small spaces, and comparisons of networks, for the checks of growth policies."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import cycle, product
from random import Random
from typing import TYPE_CHECKING, Final

import torch
from attrs import evolve, frozen

from nascore.contract import History
from nascore.description import derive, draw_architectures, expand, fingerprint, load
from nascore.errors import DescriptionError
from nascore.gallery import Entry, Gallery
from nascore.nn import compile as compiled
from nascore.testing.choices import generator
from nascore.testing.dataset import facts
from nascore.testing.harness import tiny
from nascore.testing.part import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Growing, GrowthPolicy, Proposal
    from nascore.description import Catalogue, Description
    from nascore.nn import Network

    Kept = Counter[tuple[str, str, str]]


FACTS: Final = facts(channels=1, size=8, classes=3)
IMAGES: Final = 2
OPEN_GATE: Final = 0.5
GATES: Final = "gates."
"""The prefix of the names of a network's gates."""

_HEAD: Final = """\
nascore: 1
channels: 4
in_channels: 1
classes: 3
affine: false
pool_norm: true
"""
_CELL: Final = """
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: [pre0, pre1], choose: GROUPREDUCED}
      n1: {from: [pre0, pre1, n0], choose: GROUPREDUCED}
      out: {concat: [n0, n1]}
"""
CELLS: Final = (
    _HEAD
    + """\
groups:
  normal: {ops: [none, skip_connect, sep_conv_3x3], edges: 2, never: [none]}
  reduce: {ops: [none, skip_connect, max_pool_3x3], edges: 2, never: [none]}
cells:
  normal:"""
    + _CELL.replace("GROUPREDUCED", "normal")
    + "  reduce:"
    + _CELL.replace("GROUPREDUCED", "reduce, reduction: 2")
    + """\
network:
  nodes:
    stem: {from: images, op: stem, width: 3}
    a: {from: [-2, -1], cell: normal}
    r: {from: [-2, -1], cell: reduce, width: 2}
    head: {from: -1, op: classifier, width: classes}
"""
)
"""A space like that of DARTS: two kinds of cell with two inputs; a node keeps its best two edges."""

CHAIN: Final = (
    _HEAD
    + """\
groups:
  first: {ops: [conv_3x3, skip_connect, sep_conv_3x3]}
  second: {ops: [conv_3x3, dil_conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: first}
    l1: {from: -1, choose: second, width: 2, reduction: 2}
    head: {from: -1, op: classifier, width: classes}
"""
)
"""A chain of layers, without a cell."""


FIXED: Final = (
    _HEAD
    + """\
groups:
  edge: {ops: [none, skip_connect, conv_3x3]}
cells:
  cell:
    inputs: [in0]
    nodes:
      n1: {from: in0, choose: edge}
      n2: {from: [in0, n1], choose: edge}
      out: {sum: [n1, n2]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell}
    head: {from: -1, op: classifier, width: classes}
"""
)
"""A space like those of benchmarks: each of three edges keeps one operation, which encodes the network."""


@cache
def fixed_space() -> tuple[Description, frozenset[str]]:
    """Return a fixed space, and the fingerprints of all its architectures."""
    space = load(FIXED)
    ((name, layout),) = expand(space).layouts.items()
    codes = product(range(len(layout.ops)), repeat=len(layout.rows))
    return space, frozenset(fingerprint(derive(space, {name: list(enumerate(code))})) for code in codes)


@cache
def growing_spaces() -> dict[str, Description]:
    """Return the spaces whose architectures a policy has to grow, by name."""
    return {"tiny": tiny(FACTS), "cells": load(CELLS), "chain": load(CHAIN)}


@frozen(kw_only=True)
class Growth:
    """An architecture and its opened form.

    Attributes:
        where: The architecture in words, for messages.
        parent: The closed description.
        opened: The description that the policy opened.
    """

    where: str
    parent: Description
    opened: Description


def history_of(gallery: Gallery, descriptions: Mapping[int, Description], catalogue: Catalogue) -> History:
    """Return the history of a run.

    Args:
        gallery: The entries.
        descriptions: The closed description of each entry, by its id.
        catalogue: The operations.
    """

    @cache
    def marks() -> frozenset[str]:
        return frozenset(map(fingerprint, descriptions.values()))

    return History(
        gallery=gallery,
        catalogue=catalogue,
        read=lambda entry: descriptions[entry.id],
        holds=lambda description: fingerprint(description) in marks(),
    )


def begun(
    policy: GrowthPolicy, space: Description, catalogue: Catalogue, rng: Random
) -> tuple[Description, ...]:
    """Return the descriptions that a policy proposes first."""
    nothing = history_of(Gallery(), {}, catalogue)
    return tuple(proposal.description for proposal in policy.propose(space, nothing, 1, rng))


def growths(policy: Growing, catalogue: Catalogue) -> Iterator[Growth]:
    """Yield for each space the growth of the policy's first initial architecture, and of its child.

    A space for which the policy raises a DescriptionError is left out. An opened architecture without
    choices, and a child with open choices, are not grown further.
    """
    for name, space in growing_spaces().items():
        seeds = begun(policy, space, catalogue, Random(name))  # noqa: S311 - nothing secret
        if seeds:
            yield from grown_line(policy, catalogue, name, space, seeds[0])


def grown_line(
    policy: Growing, catalogue: Catalogue, name: str, space: Description, seed: Description
) -> Iterator[Growth]:
    """Yield the growth of an architecture and the growth of its child, if the policy grows them."""
    gallery, descriptions = Gallery((entry(1, LINE[0]),)), {1: seed}
    for wave, error in enumerate(LINE[1:], start=2):
        try:
            history = history_of(gallery, descriptions, catalogue)
            proposals = policy.propose(space, history, wave, _rng(0, wave))
        except DescriptionError:
            return
        grown = [one for one in proposals if one.description.is_open and one.parent is not None]
        if not grown:
            return
        opened, parent = grown[0].description, grown[0].parent
        assert parent is not None
        kind = "a child" if parent.parent else "an initial architecture"
        yield Growth(where=f"{kind} in the space {name}", parent=descriptions[parent.id], opened=opened)
        child = policy.close(opened, strengths(opened))
        if child.is_open:
            return
        descriptions[wave] = child
        gallery = gallery.added(entry(wave, error, parent=parent, wave=wave))


def strengths(opened: Description, *, seed: int = 0, most: int | None = None) -> dict[str, list[list[float]]]:
    """Return random strengths, all different within a group, and 0 for masked entries.

    Args:
        opened: An open description.
        seed: Seed of the order.
        most: Number of strengths above zero in each group; None: all.
    """
    given = {}
    for name, layout in expand(opened).layouts.items():
        offered = [
            (row, column) for row, line in enumerate(layout.mask) for column, here in enumerate(line) if here
        ]
        Random(f"{seed}/{name}").shuffle(offered)  # noqa: S311 - nothing secret
        matrix = [[0.0] * len(layout.ops) for _ in layout.rows]
        for place, (row, column) in enumerate(offered[:most], start=1):
            matrix[row][column] = place / len(offered)
        given[name] = matrix
    return given


def on_nodes(description: Description, catalogue: Catalogue | None = None) -> dict[tuple[str, str], Kept]:
    """Return the operations on the edges of each node, each as graph, source and operation.

    Args:
        description: A description.
        catalogue: The operations; if given, structural operations are left out.
    """
    return {
        (graph, node.name): Counter(
            (graph, str(edge.source), str(op))
            for edge in node.edges
            for op in edge.ops
            if catalogue is None or not catalogue[op.name].structural
        )
        for graph, one in description.graphs().items()
        for node in one.nodes
    }


def network(description: Description, catalogue: Catalogue) -> Network:
    """Return the network of a description in plain execution, with seeded initial weights."""
    with seeded():
        return compiled(description, catalogue, execution="plain")


def computed(net: Network, open_gates: Collection[str]) -> list[Tensor]:
    """Return the outputs of a network for a few images, in training and in evaluation mode.

    Its tensors are filled with numbers that depend only on their shape and the last part of their name, so
    that networks whose tensors have other paths can be compared as functions.

    Args:
        net: A network; the mixture of an open one is random and signed.
        open_gates: Names of the gates that are open.
    """
    _fill(net, open_gates)
    images = torch.rand(IMAGES, FACTS.channels, FACTS.height, FACTS.width, generator=generator(0))
    mixture = {
        name: torch.randn(shape.rows, shape.columns, generator=generator(1))
        for name, shape in net.groups.items()
    }
    found: list[Tensor] = []
    for training in (True, False):
        with seeded(), torch.no_grad():
            given = net.train(training)(images, mixture or None)
        found += given if isinstance(given, tuple) else (given,)
    return found


@torch.no_grad()
def _fill(net: Network, open_gates: Collection[str]) -> None:
    for name, tensor in net.state_dict().items():
        if name in open_gates:
            tensor.fill_(OPEN_GATE)
        elif not name.startswith(GATES) and tensor.is_floating_point():
            tensor.copy_(_filling(name, tensor))


def _filling(name: str, tensor: Tensor) -> Tensor:
    last = name.rpartition(".")[2]
    seed = Random(f"{last}/{tuple(tensor.shape)}").getrandbits(63)  # noqa: S311 - nothing secret
    numbers = torch.rand(tensor.shape, generator=generator(seed))
    # A variance must be above zero.
    return numbers + 0.5 if last == "running_var" else numbers - 0.5


FEW: Final = 3
"""Number of architectures in a gallery whose entries are only examples."""

COUNT: Final = 200
"""Number of validation images."""

FIRST_COSTS: Final[Mapping[str, float]] = {"params": 1_000, "macs": 20_000}
LINE: Final = (0.5, 0.4, 0.3)
"""Validation errors of an architecture, its child and the child's child."""

DEARER: Final = 1.25
"""The factor from a parent's costs to those of a child."""


def entry(number: int, error: float, *, parent: Entry | None = None, wave: int = 1) -> Entry:
    """Return an entry with costs above those of its parent."""
    costs = FIRST_COSTS if parent is None else {name: DEARER * cost for name, cost in parent.costs.items()}
    return Entry(
        id=number,
        parent=None if parent is None else parent.id,
        wave=wave,
        description=f"architectures/{number:04d}.yaml",
        weights=f"jobs/{number:04d}-grow/weights.safetensors",
        error=error,
        count=COUNT,
        costs=costs,
        steps=100,
    )


def gallery_of(errors: Sequence[float]) -> Gallery:
    """Return a gallery with these validation errors; each entry grew from the one before it."""
    entries: list[Entry] = []
    for wave, error in enumerate(errors, start=1):
        parent = entries[-1] if entries else None
        entries.append(entry(wave, error, parent=parent, wave=wave))
    return Gallery(tuple(entries))


def disguised(gallery: Gallery) -> Gallery:
    """Return a gallery with the same errors, costs and parents, and other values everywhere else.

    The entry with the best training values has the worst error, so that a policy that ranks by them is found.
    """
    worst_first = sorted(gallery, key=lambda one: -one.error)
    return Gallery(
        tuple(
            evolve(
                one,
                description=f"else/{one.id}.yaml",
                weights=None,
                steps=1000 - 100 * worst_first.index(one),
                costs={**one.costs, "training_error": 0.01 * (1 + worst_first.index(one))},
            )
            for one in gallery
        )
    )


@cache
def _architectures() -> tuple[Description, ...]:
    """Return a few architectures of the space `tiny`."""
    return draw_architectures(tiny(FACTS), FEW, _rng(0, 1))


def proposed(policy: GrowthPolicy, gallery: Gallery, catalogue: Catalogue, seed: int) -> tuple[Proposal, ...]:
    """Return the proposals of the next wave in the space `tiny`, of which the entries are architectures."""
    wave = 1 + max(one.wave for one in gallery)
    descriptions = dict(zip((one.id for one in gallery), cycle(_architectures()), strict=False))
    history = history_of(gallery, descriptions, catalogue)
    return tuple(policy.propose(tiny(FACTS), history, wave, _rng(seed, wave)))


def waves(
    policy: GrowthPolicy, child_error: Callable[[float], float], catalogue: Catalogue, *, most: int
) -> int:
    """Run growth without training, and return its number of waves after the first, or `most` if it goes on.

    Args:
        policy: The policy.
        child_error: The error of a child as a function of its parent's error.
        catalogue: The operations.
        most: Number of waves after which the run is stopped.
    """
    space = tiny(FACTS)
    descriptions = {1: begun(policy, space, catalogue, _rng(0, 1))[0]}
    gallery = Gallery((entry(1, LINE[0]),))
    for wave in range(2, most + 2):
        history = history_of(gallery, descriptions, catalogue)
        proposals = policy.propose(space, history, wave, _rng(0, wave))
        if not proposals:
            return wave - 2
        for one in proposals:
            number, parent = len(gallery) + 1, one.parent or gallery[1]
            # An open proposal stands for its parent: how large a child is does not matter here.
            descriptions[number] = descriptions[parent.id] if one.description.is_open else one.description
            child = entry(number, child_error(parent.error), parent=parent, wave=wave)
            gallery = gallery.added(child)
    return most


def _rng(seed: int, wave: int) -> Random:
    return Random(f"{seed}/growth/{wave}")  # noqa: S311 - nothing secret
