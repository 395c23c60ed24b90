"""What growth `random` draws: all that the space's rule could keep, evenly."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, product
from random import Random

import torch
from attrs import evolve

from nascore.api import NoSettings
from nascore.builtin.components import RandomSettings, TinySettings
from nascore.builtin.growth import Random as Drawing
from nascore.builtin.spaces import Tiny
from nascore.builtin.updaters import Uniform
from nascore.contract import DataFacts
from nascore.description import choose, derive, draw_picks, expand, fingerprint, load, random_draws
from nascore.nn import ArchitectureState

FACTS = DataFacts(
    channels=3, height=8, width=8, classes=3, train=48, test=12, mean=(0.5,) * 3, std=(1.0,) * 3
)
TINY = Tiny(TinySettings()).describe(FACTS)

UNEVEN = load("""\
nascore: 1
channels: 4
in_channels: 3
classes: 3
groups:
  g: {ops: [none, skip_connect, max_pool_3x3, conv_3x3], edges: 2, never: [none]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: stem, op: skip_connect}
    b: {from: stem, op: avg_pool_3x3}
    n:
      sum:
        - {from: stem, choose: g}
        - {from: a, choose: g, ops: [none, conv_3x3]}
        - {from: b, choose: g, ops: [none, skip_connect]}
    head: {from: n, op: classifier, width: classes}
""")
"""A node that keeps two of three edges, of which one offers three operations and the others one each."""


def numbers(seed):
    return Random(seed)  # noqa: S311 - nothing secret


def drawn(count, seed=0, description=TINY):
    proposals = Drawing(RandomSettings(count=count)).propose(description, None, 1, numbers(seed))
    return tuple(one.description for one in proposals)


def all_of_tiny():
    """Return what the rule of `tiny` could keep: an operation that is not none on each of three edges."""
    return [[(row, column) for row, column in enumerate(columns)] for columns in product((1, 2, 3), repeat=3)]


def chi_square(counts, kinds):
    even = sum(counts.values()) / kinds
    return sum((counts.get(kind, 0) - even) ** 2 / even for kind in counts) + even * (kinds - len(counts))


def pairs_of_edges(picks):
    return tuple(sorted(row for row, _ in picks["g"]))


def test_every_architecture_of_tiny_is_drawn_as_often():
    rng = numbers(3)
    counts = Counter(str(sorted(draw_picks(TINY, rng)["cell"])) for _ in range(2700))
    assert set(counts) == {str(picks) for picks in all_of_tiny()}
    assert chi_square(counts, 27) < 54.05  # of 26 degrees of freedom, 0.1 % lie above


def test_edges_are_kept_evenly_though_one_offers_more():
    counts = Counter(pairs_of_edges(draw_picks(UNEVEN, rng)) for rng in map(numbers, range(1500)))
    assert set(counts) == set(combinations(range(3), 2))
    assert chi_square(counts, 3) < 13.8


def kept_by_uniform(description, seed):
    """Return what the updater `uniform` has kept at last."""
    groups = expand(description).layouts
    theta = {name: torch.zeros(len(group.rows), len(group.ops)) for name, group in groups.items()}
    state = ArchitectureState(groups=groups, theta=theta)
    updater = Uniform(NoSettings())
    updater.start(state, None, torch.Generator().manual_seed(seed))
    strength = updater.strength(state, theta)
    assert all(bool((value[state.alive[name]] > 0).all()) for name, value in strength.items())
    return choose(description, {name: value.tolist() for name, value in strength.items()})


def test_uniform_keeps_edges_evenly_too():
    counts = Counter(pairs_of_edges(kept_by_uniform(UNEVEN, seed)) for seed in range(1500))
    assert set(counts) == set(combinations(range(3), 2))
    assert chi_square(counts, 3) < 13.8


def test_independent_strengths_would_keep_edges_unevenly():
    """The mutation of the test above: numbers without a rank of their own for each edge."""
    counts = Counter()
    for rng in map(numbers, range(1500)):
        strength = [[rng.random() for _ in range(4)] for _ in range(3)]
        counts[pairs_of_edges(choose(UNEVEN, {"g": strength}))] += 1
    assert chi_square(counts, 3) > 13.8


def test_operations_of_an_edge_are_drawn_evenly():
    kept = [dict(draw_picks(UNEVEN, rng)["g"]) for rng in map(numbers, range(1500))]
    counts = Counter(picks[0] for picks in kept if 0 in picks)
    assert set(counts) == {1, 2, 3}
    assert chi_square(counts, 3) < 13.8


def test_of_a_node_that_is_one_segment_every_set_of_entries_is_drawn_as_often():
    group = evolve(TINY.groups["cell"], segment="node", keep=2)
    description = evolve(TINY, groups={"cell": group})
    offered = list(product((1, 2), (1, 2, 3)))  # the two edges of n1
    counts = Counter(
        tuple(sorted(pick for pick in draw_picks(description, rng)["cell"] if pick[0] > 0))
        for rng in map(numbers, range(1500))
    )
    assert set(counts) == set(combinations(offered, 2))
    assert chi_square(counts, 15) < 36.2


def test_seeds_are_closed_different_and_of_the_space():
    could = {fingerprint(derive(TINY, {"cell": picks})) for picks in all_of_tiny()}
    seeds = drawn(20)
    marks = {fingerprint(seed) for seed in seeds}
    assert len(marks) == len(seeds) == 20
    assert marks <= could
    assert not any(seed.is_open for seed in seeds)


def test_the_same_numbers_draw_the_same_and_touch_no_others():
    before = random.getstate()
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(5, seed=1)
    assert random.getstate() == before


def test_a_space_with_fewer_architectures_gives_them_all_and_says_so():
    drawing = Drawing(RandomSettings(count=40))
    seeds = [one.description for one in drawing.propose(TINY, None, 1, numbers(0))]
    assert len(seeds) == 27
    assert "40 architectures were asked for" in drawing.remark(seeds)
    assert "gave 27" in drawing.remark(seeds)
    assert Drawing(RandomSettings(count=27)).remark(seeds) == ""


def test_isomorphic_architectures_count_once(monkeypatch):
    monkeypatch.setattr(random_draws, "fingerprint", lambda one: len(expand(one).feature_maps))
    assert len(drawn(5)) == 1


def test_one_wave_is_the_whole_run():
    assert Drawing(RandomSettings(count=5)).propose(TINY, None, 2, numbers(0)) == ()


def test_a_closed_description_is_its_own_architecture():
    closed = drawn(1)[0]
    assert drawn(3, description=closed) == (closed,)
