"""Which architectures grow next: the hull, the law of acceptance, and the caps (algorithms.md, oracle 14)."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from petridish_samples import CATALOGUE, policy, start

import nascore_petridish.policy
from nascore.contract import History
from nascore.gallery import Entry, Gallery

ORACLE = [(1, 0.5), (2, 0.3), (3, 0.29), (4, 0.2), (5, 0.25)]


def entry(number, macs, error, parent=None):
    costs = {"params": 10, "macs": macs}
    return Entry(id=number, parent=parent, description="", error=error, count=100, costs=costs)


def gallery(points=ORACLE, *children):
    """Entries by (MACs, error), and after them children of these entries that lie far above the hull."""
    entries = [entry(number, macs, error) for number, (macs, error) in enumerate(points, start=1)]
    first = len(entries) + 1
    return Gallery((*entries, *(entry(first + i, 1.5, 0.99, parent=one) for i, one in enumerate(children))))


def history(pool):
    """Return a history in which every entry is the same small architecture."""
    return History(gallery=pool, catalogue=CATALOGUE, read=lambda _: start("chain"), holds=lambda _: False)


def parents(pool, seed=0, *, wave_number=2, **settings):
    """Return the ids of the next parents."""
    rng = Random(seed)  # noqa: S311 - nothing secret
    proposals = policy(**settings).propose(start("chain"), history(pool), wave_number, rng)
    return tuple(one.parent.id for one in proposals)


def chosen(pool, *, runs=800, **settings):
    """Return how often which ids are chosen, over runs that draw differently."""
    counts = Counter(parents(pool, seed, **settings) for seed in range(runs))
    return {ids: count / runs for ids, count in counts.items()}


# The pool


def test_only_what_lies_near_the_hull_grows():
    found = chosen(gallery(ORACLE, 4, 4, 4, 2, 2, 2), runs=150)
    assert {ids[0] for ids in found} == {1, 2, 4}


@pytest.mark.parametrize(("eps", "grown"), [(0.025, {1, 2, 3, 4, 5}), (0.0, {1, 2, 4})])
def test_eps_lets_in_what_lies_little_above(eps, grown):
    near = [(1, 0.5), (2, 0.3), (3, 0.255), (4, 0.2), (5, 0.2049)]
    pool = gallery(near, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5)
    assert {ids[0] for ids in chosen(pool, runs=150, eps=eps)} == grown


def test_what_may_not_grow_is_out_of_the_pool_and_makes_no_hull():
    # The best has reached the limit. Without it the next best is at the bottom of the hull.
    points = [(1, 0.5), (2, 0.3), (3, 0.29), (4, 0.1)]
    assert {ids[0] for ids in chosen(gallery(points, 2, 2, 4), runs=100)} == {1, 2, 4}
    assert {ids[0] for ids in chosen(gallery(points, 2, 2, 3), runs=100, limit=3)} == {1, 2, 3}


def test_a_pool_without_a_hull_is_seen(monkeypatch):
    """A mutation: everything is a parent."""
    monkeypatch.setattr(Gallery, "hull", lambda self, *_: self.entries)
    with pytest.raises(AssertionError):
        test_only_what_lies_near_the_hull_grows()


def test_validation_decides_where_training_disagrees():
    """Entries hold what was measured on held-back images; a hull of training errors takes another parent."""
    validation, training = {1: 0.30, 2: 0.20, 3: 0.35}, {1: 0.30, 2: 0.25, 3: 0.02}
    by_validation, by_training = (
        gallery([(macs, errors[macs]) for macs in (1, 2, 3)]) for errors in (validation, training)
    )
    assert set(chosen(by_validation, runs=50)) == {(2,)}
    assert set(chosen(by_training, runs=50)) == {(3,)}


# The law: 1/(n + 1), from the costliest to the cheapest


def law(times, order):
    """Return the exact shares: passes over the pool go on until one is accepted."""
    rates = {one: 1 / (times[one] + 1) for one in order}
    left, shares = 1.0, {}
    for one in order:
        shares[one] = left * rates[one]
        left *= 1 - rates[one]
    return {(one,): share / (1 - left) for one, share in shares.items()}


def check_law():
    times = {4: 3, 2: 1, 1: 2}
    grown = [one for one, count in times.items() for _ in range(count)]
    found, expected = chosen(gallery(ORACLE, *grown)), law(times, (4, 2, 1))
    assert set(found) == set(expected)
    for ids, share in expected.items():
        assert found[ids] == pytest.approx(share, abs=0.07)  # four standard deviations


def test_the_law_of_acceptance():
    check_law()


def test_what_never_grew_is_accepted_at_once():
    assert chosen(gallery(ORACLE), runs=50) == {(4,): 1.0}
    assert chosen(gallery(ORACLE, 4, 4, 4), runs=400)[4,] == pytest.approx(1 / 4, abs=0.09)


def test_parents_of_one_wave_count():
    found = chosen(gallery(ORACLE), wave=2)
    # The first is the costliest. Then that one is accepted by a half, else the next, which never grew.
    assert set(found) == {(4, 4), (4, 2)}
    assert found[4, 4] == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("broken", ["always", "even", "cheapest first"])
def test_another_law_is_seen(monkeypatch, broken):
    """Mutations."""

    def accepted(pool, times, rng):
        order = pool[::-1] if broken == "cheapest first" else pool
        while True:
            for one in order:
                if rng.random() < {"always": 1, "even": 0.5}.get(broken, 1 / (times[one.id] + 1)):
                    return one

    monkeypatch.setattr(nascore_petridish.policy, "_accepted", accepted)
    with pytest.raises(AssertionError):
        check_law()


def test_a_wave_that_forgets_its_own_parents_is_seen(monkeypatch):
    """A mutation."""
    healthy = nascore_petridish.policy._accepted
    monkeypatch.setattr(
        nascore_petridish.policy, "_accepted", lambda pool, _, rng: healthy(pool, Counter(), rng)
    )
    with pytest.raises(AssertionError):
        test_parents_of_one_wave_count()


def test_parents_hang_on_gallery_and_rng_alone():
    pool = gallery(ORACLE, 4, 4, 2, 1, 1)
    before = tuple(pool)
    waves = [parents(pool, 5, wave=3, wave_number=number) for number in (2, 7, 2)]
    assert waves[0] == waves[1] == waves[2]
    assert tuple(pool) == before
    assert len({parents(pool, seed, wave=3) for seed in range(20)}) > 1


# The caps


def test_the_number_of_architectures_ends_a_run():
    pool = gallery(ORACLE)
    assert len(parents(pool, wave=4, count=7)) == 2
    assert parents(pool, count=5) == parents(pool, count=4) == ()


def test_depth_ends_a_run():
    line = Gallery(tuple(entry(n, n, 1 / (n + 1), parent=n - 1 or None) for n in (1, 2, 3)))
    assert set(chosen(line, runs=50, depth=3)) == {(3,)}
    assert (3,) not in chosen(line, runs=50, depth=2)
    assert {ids[0] for ids in chosen(line, runs=50, depth=1)} == {1}


def test_cost_ends_a_run():
    pool = gallery([(10, 0.5), (20, 0.2)])
    assert chosen(pool, runs=5, limit=None) == chosen(pool, runs=5, limit=20) == {(2,): 1.0}
    assert chosen(pool, runs=5, limit=19) == {(1,): 1.0}
    assert parents(pool, limit=9) == ()


def test_an_empty_gallery_has_no_parents():
    assert parents(Gallery()) == ()
