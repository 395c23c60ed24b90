"""Streams of random numbers."""

from __future__ import annotations

from contextlib import contextmanager

import torch

from nascore.engine.streams import Streams
from nascore.nn.randomness import current_generators, redirect_draws


@contextmanager
def drawing(streams):
    """Draw as an operation of a network does."""
    with streams.network(), redirect_draws(current_generators()):
        yield


def draws(streams, name, count=5):
    return torch.rand(count, generator=streams[name])


def test_equal_seed_and_name_give_equal_numbers():
    assert torch.equal(draws(Streams(3), "theta"), draws(Streams("3"), "theta"))
    assert not torch.equal(draws(Streams(3), "theta"), draws(Streams(4), "theta"))
    assert not torch.equal(draws(Streams(3), "theta"), draws(Streams(3), "mixture"))


def test_a_new_consumer_moves_no_other():
    alone, crowded = Streams(0), Streams(0)
    draws(crowded, "somebody else", 100)
    assert torch.equal(draws(alone, "theta"), draws(crowded, "theta"))


def test_the_network_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    streams = Streams(0)
    with drawing(streams):
        inside = torch.rand(4)
    with streams.initial():
        torch.rand(9)
    assert torch.equal(torch.rand(4), expected)
    assert not torch.equal(inside, expected)


def test_the_network_goes_on_where_it_stopped():
    torch.manual_seed(0)
    one, other = Streams(0), Streams(0)
    with drawing(one):
        whole = torch.rand(6)
    with drawing(other):
        begun = torch.rand(2)
    torch.manual_seed(99)
    with drawing(other):
        rest = torch.rand(4)
    assert torch.equal(whole, torch.cat([begun, rest]))


def test_replayed_passes_draw_the_same_and_move_the_stream_once():
    streams, plain = Streams(0), Streams(0)
    repeated = streams.repeated()
    seen = []
    for _ in range(3):
        with repeated.again(), redirect_draws(current_generators()):
            seen.append(torch.rand(4))
    with drawing(plain):
        torch.rand(4)
        after = torch.rand(4)
    with drawing(streams):
        assert torch.equal(torch.rand(4), after)
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])


def test_initial_weights_are_a_stream_of_their_own():
    streams = Streams(5)
    with drawing(streams):
        torch.rand(3)
    with streams.initial():
        one = torch.nn.Linear(2, 2).weight
    with Streams(5).initial():
        other = torch.nn.Linear(2, 2).weight
    assert torch.equal(one, other)


def test_a_saved_state_goes_on_equally(tmp_path):
    streams = Streams(1)
    draws(streams, "theta")
    with drawing(streams):
        torch.rand(3)
    torch.save(streams.state_dict(), tmp_path / "state.pt")
    expected = [draws(streams, "theta"), draws(streams, "fresh")]
    with drawing(streams):
        expected.append(torch.rand(3))
    restored = Streams(1)
    draws(restored, "fresh", 50)
    restored.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    found = [draws(restored, "theta"), draws(restored, "fresh")]
    with drawing(restored):
        found.append(torch.rand(3))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
