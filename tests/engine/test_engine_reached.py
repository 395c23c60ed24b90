"""A group of architecture parameters that gets no gradient is named, also beside groups that get one."""

from __future__ import annotations

import pytest
from engine_runs import REGISTRY, recipe_of

import nascore
from nascore.builtin.relaxations import Softmax
from nascore.contract import Sampled
from nascore.engine.search import search
from nascore.errors import PluginError

TWO = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  used: {ops: [skip_connect, conv_3x3]}
  idle: {ops: [skip_connect, conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: stem, choose: used}
    l1: {from: stem, choose: idle}
    head: {from: LAST, op: classifier, width: classes}
"""
FEW = {"trainer.epochs": 1, "trainer.warm_up": 0, "ranking.epochs": 1, "trainer.batch": 10}
FEW |= {"dataset.count": 60, "ranking.batch": 10}


def space(tmp_path, last):
    path = tmp_path / "two.yaml"
    path.write_text(TWO.replace("LAST", last), encoding="utf-8")
    return f"file:{path}"


def searched(tmp_path, last, **more):
    given = {"space": space(tmp_path, last), "dataset": "synthetic", "scale": "mini", "settings": FEW}
    return nascore.search(**given, out=tmp_path / "run", **more)


@pytest.mark.parametrize("relaxation", ["softmax", "one-hot"])
@pytest.mark.parametrize(("last", "unread"), [("l0", ["idle"]), ("l1", ["used"]), ("[l0, l1]", [])])
def test_a_group_that_nothing_reads_is_named(last, unread, relaxation, tmp_path):
    run = searched(tmp_path, last, updater="sgd", relaxation=relaxation)
    told = [text for text in run.result["warnings"] if "no gradient reached" in text]
    assert len(told) == len(unread)
    for name, text in zip(unread, told, strict=True):
        assert f"group {name}: no gradient reached its choices in 3 architecture steps" in text


@pytest.mark.parametrize("penalty", ["none", "entropy"])
def test_a_mixture_that_is_detached_for_one_group_is_named(penalty, monkeypatch, tmp_path):
    """A penalty on what is expected reaches theta of that group, and hides nothing."""
    mixture, calls = Softmax.mixture, []

    def detached(self, theta, segments, group, *, generator):
        drawn = mixture(self, theta, segments, group, generator=generator)
        calls.append(0)
        # Groups come in the order of their names.
        return drawn if len(calls) % 2 == 0 else Sampled(weights=drawn.weights.detach())

    monkeypatch.setattr(Softmax, "mixture", detached)
    names = {"space": [space(tmp_path, "[l0, l1]")], "updater": ["sgd"], "dataset": ["synthetic"]}
    text = "^relaxation: Softmax.mixture .* returns weights of idle without a gradient, .* depend on theta"
    with pytest.raises(PluginError, match=text):
        search(recipe_of(names={**names, "regularizer": [penalty]}, **FEW), REGISTRY, out=tmp_path / "run")
