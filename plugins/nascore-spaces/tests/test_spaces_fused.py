"""Both executions compute the same in every space; one operation an edge gives the derived network."""

from __future__ import annotations

import pytest
import torch
from spaces_samples import CATALOGUE, OWN, described, drawn, kind

from nascore.api import expand
from nascore.nn import compile as compiled
from nascore.nn import inherit

QUIET = [name for name in OWN if name != "darts-s4"]
"""Noise is drawn anew in each pass, so with it no two passes are equal."""


def nets(description, *executions):
    torch.manual_seed(0)
    first, *others = (compiled(description, CATALOGUE, execution=one).double().train() for one in executions)
    for other in others:
        other.load_state_dict(first.state_dict())
    return first, *others


def images(size=12):
    return torch.rand(3, 1, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", QUIET)
def test_fused_is_plain(name):
    description = described(name, kind(12, channels=1, classes=3))
    draw = torch.Generator().manual_seed(2)
    mixture = {
        group: torch.rand(len(one.rows), len(one.ops), dtype=torch.float64, generator=draw)
        for group, one in expand(description).layouts.items()
    }
    plain, fused = nets(description, "plain", "fused")
    torch.testing.assert_close(fused(images(), mixture), plain(images(), mixture), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", QUIET)
def test_one_operation_of_each_edge_is_the_derived_network(name):
    description = described(name, kind(12, channels=1, classes=3))
    found, picks = drawn(description, 0)
    supernet, _ = nets(description, "plain", "plain")
    derived = compiled(found, CATALOGUE, execution="plain").double().train()
    _, left = inherit(derived, supernet)
    mixture = {}
    for group, one in expand(description).layouts.items():
        mixture[group] = torch.zeros(len(one.rows), len(one.ops), dtype=torch.float64)
        for row, column in picks[group]:
            mixture[group][row, column] = 1
    torch.testing.assert_close(derived(images()), supernet(images(), mixture), rtol=1e-9, atol=1e-9)
    assert left  # what was not picked
