"""What the jobs of the engine do with a parent: the child begins as it, with all that was learned."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from petridish_runs import ANY, grown, space_of
from petridish_samples import CATALOGUE, begins_anew, equal, images, network, outputs
from safetensors.torch import load_file

import nascore.engine.growth_jobs
import nascore.engine.training
from nascore.description import load
from nascore.errors import PluginError
from nascore.run import read
from nascore_petridish import policy as policies

SEARCHES = [("cells", "cell"), ("cells", "macro"), ("chain", "cell"), ("chain", "macro")]


@pytest.fixture
def watched(monkeypatch):
    """Return a function that grows and keeps weights: after a search, and before a training."""
    opened, begun = [], []

    def run(out, *, untrained=False, spoil=lambda weights: weights, **settings):
        healthy = nascore.engine.training.run_phase

        def searched(phase, *args, **more):
            steps = 0 if untrained else healthy(phase, *args, **more)
            opened.append({name: value.clone() for name, value in phase.network.state_dict().items()})
            return steps

        def train(phase, *args, **more):
            begun.append(spoil({name: value.clone() for name, value in phase.network.state_dict().items()}))
            return healthy(phase, *args, **more)

        with monkeypatch.context() as patch:
            patch.setattr(nascore.engine.growth_jobs, "run_phase", searched)
            patch.setattr(nascore.engine.training, "run_phase", train)
            path = grown(out, growth__eps=ANY, **settings)
        return path, opened, begun

    return run


def given(description, weights):
    """Return what a description with these weights gives for some images."""
    net = network(description)
    net.load_state_dict(weights)
    return outputs(net, images())


def check_children(run, *, trained):
    """Each child begins as its parent: with the parent's weights, or with those of the search after it."""
    path, opened, begun = run
    entries = list(read(path).gallery)
    described = [load((path / entry.description).read_text(), catalogue=CATALOGUE) for entry in entries]
    weights = [load_file(path / entry.weights) for entry in entries]
    assert [entry.parent for entry in entries] == [None, 1, 2]
    for child in (1, 2):
        parent, start, search = child - 1, begun[child], opened[child - 1]
        source = search if trained else weights[parent]
        assert set(weights[parent]) <= set(search)
        assert set(weights[parent]) <= set(start)
        same = [name for name in start if name in search and torch.equal(start[name], search[name])]
        assert {name for name in start if name not in same} == fresh(start, weights[parent])
        own = {name: source[name] for name in weights[parent]}
        assert equal(given(described[child], start), given(described[parent], own))
        moved = [name for name in weights[parent] if not torch.equal(search[name], weights[parent][name])]
        assert bool(moved) == trained


def fresh(weights, parent):
    """Return the names of what a child has new: projections, their gates, statistics of candidates' norms."""
    new = {
        name for name in weights if (begins_anew(name) or name.startswith("gates.")) and name not in parent
    }
    assert all(not weights[name].any() for name in new if name.startswith("gates."))
    return new


@pytest.mark.parametrize(("name", "search"), SEARCHES)
def test_the_child_begins_as_its_parent(watched, tmp_path, name, search):
    space = space_of(tmp_path, name)
    run = watched(tmp_path / "run", untrained=True, space=space, growth__search=search, growth__count=3)
    check_children(run, trained=False)


@pytest.mark.parametrize(("name", "search"), SEARCHES)
def test_the_child_begins_as_the_parent_that_was_trained_beside_the_candidates(
    watched, tmp_path, name, search
):
    space = space_of(tmp_path, name)
    run = watched(tmp_path / "run", space=space, growth__search=search, growth__count=3)
    check_children(run, trained=True)


def test_in_the_soft_variant_too(watched, tmp_path):
    """The gates that candidates learned behind are closed again: what stands there now learned nothing."""
    run = watched(tmp_path / "run", space=space_of(tmp_path, "cells"), growth__soft=True, growth__count=3)
    check_children(run, trained=True)
    _, opened, _ = run
    assert all(value.any() for name, value in opened[0].items() if name.startswith("gates."))


@pytest.mark.parametrize("broken", ["a gate at one", "a candidate is forgotten", "a weight is forgotten"])
def test_a_broken_child_is_seen(watched, tmp_path, broken):
    """Mutations of what the training of a child begins with."""
    marks = {
        "a gate at one": "gates.",
        "a candidate is forgotten": "n0+1/",
        "a weight is forgotten": "/n0/pre1/",
    }

    def spoil(weights):
        touched = [name for name in weights if marks[broken] in name and "+1/project" not in name]
        return weights | {name: torch.ones_like(weights[name]) for name in touched}

    run = watched(tmp_path / "run", space=space_of(tmp_path, "cells"), growth__count=3, spoil=spoil)
    with pytest.raises(AssertionError):
        check_children(run, trained=True)


def test_the_candidates_learn_beside_the_parent(watched, tmp_path):
    path, opened, _ = watched(tmp_path / "run", space=space_of(tmp_path, "cells"), growth__count=2)
    before = load_file(path / "jobs/0001-train/weights.safetensors")
    candidates = [name for name in opened[0] if "n0+1/" in name]
    assert candidates
    assert any("n0+1/" not in name and not torch.equal(opened[0][name], before[name]) for name in before)
    ranked = read(path).path / "jobs/0002-grow/candidates.json"
    assert '"strength"' in ranked.read_text()


# A policy that loses what was learned is stopped


def without_convolution(description, name):
    """Return a description in which a node has lost its first operation."""
    cell = description.cells["normal"]
    first, *others = cell.node(name).edges
    less = evolve(cell.node(name), edges=(evolve(first, ops=first.ops[1:]), *others))
    nodes = tuple(less if node.name == name else node for node in cell.nodes)
    return evolve(description, cells={**description.cells, "normal": evolve(cell, nodes=nodes)})


@pytest.mark.parametrize("method", ["open", "close"])
def test_a_policy_that_loses_a_weight_is_stopped(monkeypatch, tmp_path, method):
    """Mutations of the policy: what it opens, or closes, lacks an operation of the parent."""
    healthy = getattr(policies.Petridish, method)
    monkeypatch.setattr(policies.Petridish, method, lambda *args: without_convolution(healthy(*args), "n0"))
    text = r"petridish returned an architecture that cannot be trained.*cannot inherit.*sep_conv"
    with pytest.raises(PluginError, match=text):
        grown(tmp_path / "run", space=space_of(tmp_path, "cells"), growth__count=3)
    assert len(read(tmp_path / "run").gallery) == 1
