"""Local search: neighbours of the best, moves, local optima and new starts."""

from __future__ import annotations

from random import Random

import pytest
from evolution_samples import TINY, Search, codes, distance, to

from nascore.api import Entry, Gallery, derive
from nascore_evolution.local_search import LocalSearch, present_of
from nascore_evolution.settings import LocalSearchSettings


def policy(**settings):
    return LocalSearch(LocalSearchSettings(**{"count": 27, "starts": 2, **settings}))


def gallery(*rows):
    """Return a gallery of (error, parent, wave)."""
    return Gallery(
        tuple(
            Entry(id=number, error=error, parent=parent, wave=wave, description="", count=100)
            for number, (error, parent, wave) in enumerate(rows, start=1)
        )
    )


def test_it_begins_at_the_best_start():
    search = Search(policy(starts=4), to((1, 2, 3)))
    assert len(search.step()) == 4
    wave = search.step()
    starts = [one for one in search.gallery if one.wave == 1]
    assert len({one.error for one in starts}) > 1
    assert all(one.parent == min(starts, key=lambda entry: entry.error) for one in wave)


def test_a_wave_is_all_neighbours_that_were_not_trained():
    search = Search(policy(starts=1), to((1, 2, 3)))
    (start,) = search.step()
    wave = search.step()
    found = [codes(one.description) for one in wave]
    assert len(found) == len(set(found)) == 6
    assert all(distance(one, codes(start.description)) == 1 for one in found)


@pytest.mark.parametrize("wave", [1, 2, None])
def test_it_moves_to_the_best_neighbour_if_it_is_better(wave):
    goal = (1, 2, 3)
    search = Search(policy(starts=1, wave=wave, count=26), to(goal))
    search.step()
    present = 1
    while search.gallery[present].error > 0:
        proposals = search.step()
        assert {one.parent.id for one in proposals} == {present}
        children = [one for one in search.gallery if one.parent == present]
        best = min(children, key=lambda one: one.error)
        if best.error < search.gallery[present].error:
            present = best.id
        else:
            assert wave is not None  # among all neighbours there is always a better one


def test_at_a_local_optimum_it_starts_again():
    """With an error that only (3, 3, 3) lowers, nearly every start is a local optimum."""
    search = Search(policy(starts=1, count=27, wave=None), lambda code: 0.0 if code == (3, 3, 3) else 0.5)
    search.step()
    search.step()
    assert all(one.error > 0 for one in search.gallery)  # it does not begin beside the optimum
    (again,) = search.step()
    assert again.parent is None
    assert codes(again.description) not in [codes(one) for one in list(search.known.values())[:-1]]
    assert {one.parent.id for one in search.step()} == {len([1 for one in search.gallery if one.wave < 4])}


def test_equal_neighbours_are_no_move():
    assert present_of(gallery((0.5, None, 1), (0.5, 1, 2), (0.6, 1, 2))).id == 1


def test_where_a_search_stands_follows_from_descent():
    rows = [(0.5, None, 1), (0.6, None, 1), (0.4, 1, 2), (0.3, 1, 2), (0.45, 4, 3)]
    assert present_of(gallery(*rows)).id == 4
    assert present_of(gallery(*rows, (0.2, 4, 3))).id == 6
    # A new start, though it is worse than all before it.
    assert present_of(gallery(*rows, (0.9, None, 4))).id == 6
    assert present_of(gallery(*rows, (0.9, None, 4), (0.8, 6, 5))).id == 7


def test_no_architecture_is_trained_twice_and_the_count_ends_a_run():
    found = Search(policy(count=20), to((1, 2, 3))).run()
    assert len(found) == len(set(found)) == 20
    assert len(Search(policy(count=5, starts=4), to((1, 2, 3))).run()) == 5


def test_a_space_that_is_used_up_ends_a_run():
    assert len(set(Search(policy(count=1000), to((1, 2, 3))).run())) == 27


def test_what_failed_is_not_tried_again():
    fails = {(1, 1, 1), (2, 2, 2), (3, 3, 3)}
    found = Search(policy(count=1000, wave=1), to((1, 1, 2)), fails=fails).run()
    assert len(found) == len(set(found)) == 24
    assert fails.isdisjoint(found)


def test_a_closed_space_has_one_architecture():
    closed = derive(TINY, {"cell": [(0, 1), (1, 1), (2, 1)]})
    history = Search(policy(), to((1, 1, 1))).history()
    rng = Random(0)  # noqa: S311 - nothing secret
    assert [one.description for one in policy().propose(closed, history, 1, rng)] == [closed]
    assert policy().propose(closed, history, 2, rng) == ()
