"""Regularized evolution: tournament, mutation, and the death of the oldest."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from evolution_samples import TINY, Search, codes, distance, to

from nascore.api import Entry, Gallery, Problem
from nascore.description import derive, neighbours, recover_picks
from nascore_evolution.evolution import Evolution
from nascore_evolution.settings import EvolutionSettings, check_sample


def policy(**settings):
    return Evolution(EvolutionSettings(**{"count": 20, "population": 6, "sample": 3, **settings}))


def numbers(seed=0):
    return Random(seed)  # noqa: S311 - nothing secret


def test_the_initial_population_is_drawn_at_random():
    search = Search(policy(), to((1, 1, 1)))
    first = search.step()
    assert len(first) == 6
    assert len({codes(one.description) for one in first}) == 6
    assert all(one.parent is None and not one.inherits for one in first)
    assert len(Search(policy(count=4), to((1, 1, 1))).step()) == 4


def test_a_child_is_a_neighbour_of_its_parent():
    search = Search(policy(), to((3, 3, 3)))
    search.step()
    for _ in range(10):
        for child in search.step():
            before = codes(search.known[child.parent.id])
            assert distance(codes(child.description), before) == 1


def test_no_architecture_is_trained_twice_and_the_count_ends_a_run():
    found = Search(policy(), to((1, 2, 3))).run()
    assert len(found) == len(set(found)) == 20


def test_a_population_whose_neighbours_were_all_trained_ends_a_run():
    search = Search(policy(count=1000, sample=1), to((1, 2, 3)))
    found = search.run()
    assert len(found) == len(set(found))
    around = {
        codes(derive(TINY, picks))
        for one in list(search.known.values())[-6:]
        for picks in neighbours(TINY, recover_picks(TINY, one))
    }
    assert around <= set(found)


def test_a_closed_space_has_one_architecture():
    closed = derive(TINY, {"cell": [(0, 1), (1, 1), (2, 1)]})
    search = Search(policy(), to((1, 1, 1)))
    assert [one.description for one in policy().propose(closed, search.history(), 1, numbers())] == [closed]
    assert policy().propose(closed, search.history(), 2, numbers()) == ()


def entries(*errors):
    return [
        Entry(id=number, description="", error=error, count=100)
        for number, error in enumerate(errors, start=1)
    ]


def test_the_winner_is_the_best_of_a_sample():
    """Of four, with samples of two: the best wins in 1/2 of all cases, then 1/3 and 1/6."""
    population, rng = entries(0.4, 0.1, 0.3, 0.2), numbers()
    counts = Counter(policy(sample=2).winner(population, rng).id for _ in range(3000))
    assert set(counts) == {2, 4, 3}
    for number, share in ((2, 1 / 2), (4, 1 / 3), (3, 1 / 6)):
        assert counts[number] / 3000 == pytest.approx(share, abs=0.04)  # more than four standard deviations
    assert policy(sample=9).winner(population, rng).id == 2


def test_of_equal_ones_the_newest_wins():
    assert policy(sample=9).winner(entries(0.2, 0.1, 0.1), numbers()).id == 3


def parents_of(search, **settings):
    """Return the ids of parents that are possible now, over many draws."""
    made = policy(**settings)
    found = set()
    for seed in range(60):
        found |= {one.parent.id for one in made.propose(TINY, search.history(), 9, numbers(seed))}
    return found


def test_the_oldest_die_however_good_they_are():
    search = Search(policy(), lambda code: 0.5 - code[0] / 10)
    search.step()
    for _ in range(4):
        search.step()
    assert len(search.gallery) == 10
    search.gallery = Gallery(tuple(entries(*(number / 100 for number in range(1, 11)))))
    assert parents_of(search, population=4, sample=1) == {7, 8, 9, 10}
    assert parents_of(search, population=4, sample=4) == {7}


def test_children_of_one_wave_have_the_same_population_and_differ():
    search = Search(policy(wave=4), to((3, 3, 3)))
    search.step()
    wave = search.step()
    assert len(wave) == len({codes(one.description) for one in wave}) == 4
    assert {one.parent.id for one in wave} <= set(range(1, 7))


def test_what_failed_is_not_tried_again():
    fails = {(1, 1, 1), (2, 2, 2), (3, 3, 3)}
    found = Search(policy(count=1000), to((1, 1, 2)), fails=fails).run()
    assert len(found) == len(set(found))
    assert fails.isdisjoint(found)


def test_it_finds_the_best():
    for seed in range(5):
        found = Search(policy(count=20), to((2, 3, 1)), seed=seed).run()
        assert (2, 3, 1) in found


def test_a_sample_larger_than_the_population_is_warned_of():
    (problem,) = check_sample(EvolutionSettings(population=5, sample=6), None)
    assert isinstance(problem, Problem)
    assert problem.verdict == "warned"
    assert list(check_sample(EvolutionSettings(population=5, sample=5), None)) == []
