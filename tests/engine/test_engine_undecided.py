"""What a search did not decide is told: choices that fell by ties, nodes that keep nothing."""

from __future__ import annotations

import json

import pytest
import torch
from attrs import evolve
from command_line import cli

import nascore
from nascore.api import Observer, Op, grow, settle
from nascore.description import derive, expand, load
from nascore.engine.derive import empty_nodes, picks_of, undecided, undecided_child
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.nn import ArchitectureState
from nascore.plugin import discover

CHAIN = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  g: {ops: [none, conv_3x3, skip_connect]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: stem, choose: g}
    l1: {from: l0, choose: g}
    head: {from: -1, op: classifier, width: classes}
"""
FEW = {"trainer.epochs": 1, "ranking.epochs": 1, "trainer.batch": 10, "ranking.batch": 10}
FEW |= {"dataset.count": 60}


class Rule:
    """Ranks by the mixture; selects nothing itself."""

    def strength(self, state, expected):
        del state
        return dict(expected)


class Soft:
    segment = None

    def expected(self, theta, segments, group):
        del segments, group
        return torch.softmax(theta, dim=1)


class Choosing(Soft):
    def picks(self, theta, segments, group):
        del segments, group
        return [(row, int(theta[row].argmax())) for row in range(len(theta))]


class Ranking:
    """Ranks otherwise than the mixture does."""

    def strength(self, state, expected):
        del state, expected
        return {"g": torch.tensor([[0.0, 1.0, 0.5], [0.0, 0.4, 0.5]])}


def told(theta, relaxation):
    description = load(CHAIN)
    groups = expand(description).layouts
    state = ArchitectureState(groups=groups, theta={"g": torch.tensor(theta)})
    declared = frozenset({"selects"} if hasattr(relaxation, "picks") else ())
    search = ArchitectureSearch(state=state, relaxation=relaxation, updater=Rule(), declared=declared)
    picks = picks_of(description, search)
    return list(undecided(description, search, picks)), list(empty_nodes(derive(description, picks)))


@pytest.mark.parametrize("relaxation", [Soft(), Choosing()])
def test_ties_are_told_with_their_nodes(relaxation):
    assert told([[0.0, 1.0, 0.5], [0.0, 0.2, 0.5]], relaxation) == ([], [])
    doubts, _ = told([[0.0, 1.0, 0.5], [0.0, 0.5, 0.5]], relaxation)
    assert doubts == ["group g: equally strong candidates; the first was picked, on network.l1"]
    doubts, _ = told([[0.0] * 3] * 2, relaxation)
    assert doubts[0].startswith("group g: nothing was learned of its choices: all architecture parameters")
    # Equals that do not stand decide nothing.
    assert told([[0.0, 1.0, 0.0], [0.1, 0.1, 0.5]], relaxation) == ([], [])


def test_ties_of_the_mixture_decide_nothing_where_the_updater_ranks():
    # Selecting depends on a setting: the relaxation could, and does not declare it.
    description = load(CHAIN)
    theta = torch.tensor([[0.0, 1.0, 0.5], [0.0, 0.5, 0.5]])
    state = ArchitectureState(groups=expand(description).layouts, theta={"g": theta})
    search = ArchitectureSearch(state=state, relaxation=Choosing(), updater=Ranking())
    assert list(undecided(description, search, picks_of(description, search))) == []


def test_what_keeps_nothing_is_told():
    _, doubts = told([[1.0, 0.0, 0.5], [0.0, 0.2, 0.5]], Soft())
    assert doubts == ["network: its output is zero for all images, since every path to it passes a none"]
    summed = CHAIN.replace("l1: {from: l0, choose: g}", "l1: {sum: [l0, stem]}")
    closed = derive(load(summed), {"g": [(0, 0)]})
    assert list(empty_nodes(closed)) == ["network: l0 has no operation but none"]


PARENT = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: stem, op: conv_3x3}
    head: {from: -1, op: classifier, width: classes}
"""


class Ranks(Rule):
    """Ranks by what it is told."""

    def __init__(self, strength):
        self.given = torch.tensor(strength)

    def strength(self, state, expected):
        del state
        return dict.fromkeys(expected, self.given)


def told_of_a_child(strength, close=settle, theta=(0.1, 0.2, 0.3)):
    parent = load(PARENT)
    ops = [Op("conv_3x3"), Op("skip_connect"), Op("sep_conv_3x3")]
    opened = grow(parent, "network", "l0", ops, discover().operations(), keep=1)
    ((name, layout),) = expand(opened).layouts.items()
    state = ArchitectureState(groups={name: layout}, theta={name: torch.tensor([theta] * 2)})
    strength = [[0.0] * 3, strength]  # of the images and of the stem
    search = ArchitectureSearch(state=state, relaxation=Soft(), updater=Ranks(strength))
    child = close(opened, {name: strength})
    return list(undecided_child(parent, opened, child, search, lambda given: close(opened, given)))


def test_a_child_that_was_decided_by_a_tie_is_told():
    assert told_of_a_child([0.5, 0.2, 0.1]) == []
    (doubt,) = told_of_a_child([0.5, 0.5, 0.1])
    assert doubt.endswith(": equally strong candidates; the first was picked, on network.l0+1")
    (doubt,) = told_of_a_child([0.5] * 3, theta=[0.0] * 3)
    assert "nothing was learned of its choices: all architecture parameters are equal" in doubt
    # Equals that are not kept decide nothing, and what is out stays out.
    assert told_of_a_child([0.5, 0.1, 0.1]) == told_of_a_child([0.5, 0.0, 0.0]) == []


def test_a_child_that_keeps_nothing_is_told():
    assert told_of_a_child([0.0] * 3) == ["network: none of the candidates is kept"]


def test_a_policy_with_a_rule_of_its_own_is_asked_for_ties():
    def weakest(opened, strength):
        """Keep the weakest: of equals that are the strongest nothing hangs."""
        turned = {
            name: [[1 / value if value else 0.0 for value in row] for row in matrix]
            for name, matrix in strength.items()
        }
        return settle(opened, turned)

    assert told_of_a_child([0.5, 0.5, 0.1], weakest) == []
    (doubt,) = told_of_a_child([0.5, 0.1, 0.1], weakest)
    assert doubt == "equally strong candidates; in another order the child would keep others"


def test_a_child_that_keeps_none_is_told():
    def silenced(opened, strength):
        child = settle(opened, strength)
        nodes = [node if node.name != "l0" else nothing(node) for node in child.network.nodes]
        return evolve(child, network=evolve(child.network, nodes=tuple(nodes)))

    def nothing(node):
        return evolve(node, edges=tuple(evolve(edge, ops=(Op("none"),)) for edge in node.edges))

    (doubt,) = told_of_a_child([0.5, 0.2, 0.1], silenced)
    assert doubt.startswith("network: its output is zero for all images")


def test_an_architecture_at_random_whose_output_is_zero_is_told(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(CHAIN.replace("none, conv_3x3, skip_connect", "none"))
    run = nascore.search(
        space=f"file:{path}", growth="random", dataset="synthetic", scale="mini", out=tmp_path / "run",
        settings={"growth.count": 1, "ranking.epochs": 1, "ranking.batch": 10, "dataset.count": 60},
    )  # fmt: skip
    (warning,) = run.result["warnings"]
    assert warning == (
        "warning: architecture 1: network: its output is zero for all images, "
        "since every path to it passes a none."
    )


@pytest.mark.needs("nascore-darts")
def test_a_search_that_learned_nothing_says_so_everywhere(tmp_path):
    out = tmp_path / "a run"
    run = nascore.search(
        space="tiny", updater="darts", dataset="synthetic", scale="mini", out=out, trainer="alternating",
        settings={**FEW, "updater.lr": 1e-30, "trainer.warm_up": 0},
    )  # fmt: skip
    (warning,) = [text for text in run.result["warnings"] if "cell" in text]
    assert warning.startswith("warning: group cell: ")
    assert warning in (out / "run.log").read_text()
    assert warning in json.loads((out / "result.json").read_text())["warnings"]


@pytest.mark.needs("nascore-darts")
def test_it_is_told_on_the_terminal(tmp_path):
    sets = [f"--set={path}={value}" for path, value in FEW.items()]
    done = cli(
        "search", "--space", "tiny", "--updater", "darts", "--dataset", "synthetic", "--scale", "mini",
        *sets, "--set", "updater.lr=1e-30", "--set", "trainer.warm_up=0", "--out", str(tmp_path / "run"),
    )  # fmt: skip
    assert "warning: group cell: " in done.stderr


@pytest.mark.needs("nascore-darts")
def test_during_the_warm_up_no_cell_is_shown(tmp_path):
    seen = []

    class Watching(Observer):
        def architecture_changed(self, description):
            seen.append(description)

    nascore.search(
        space="tiny", updater="darts", dataset="synthetic", scale="mini", out=tmp_path / "run",
        settings={**FEW, "trainer.epochs": 3, "trainer.warm_up": 2}, observers=[Watching()],
    )  # fmt: skip
    assert len(seen) == 1
