"""What growth begins with, and where it goes on, in each space."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve
from petridish_runs import recipe_of
from petridish_samples import CATALOGUE, REGISTRY, network, policy, start

import nascore.builtin
import nascore_petridish
from nascore.builtin.components import PlantedSpaceSettings, TinySettings
from nascore.builtin.spaces import Planted, Tiny
from nascore.component import Component, hookimpl
from nascore.contract import DataFacts
from nascore.description import dump, expand, fingerprint, load
from nascore.engine.build import build_parts
from nascore.errors import RecipeError
from nascore.plugin import Registry

FACTS = DataFacts(
    channels=3, height=8, width=8, classes=5, train=60, test=12, mean=(0.5,) * 3, std=(0.25,) * 3
)
OPS = "[none, max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5]"
DARTS = f"""\
nascore: 1
channels: 4
in_channels: 3
classes: 5
affine: false
pool_norm: true
groups:
  normal: {{ops: {OPS}, edges: 2, never: [none]}}
  reduce: {{ops: {OPS}, edges: 2, never: [none]}}
cells:
  normal:
    inputs: [in0, in1]
    nodes:
      pre0: {{from: in0, op: fit, reduction: 1}}
      pre1: {{from: in1, op: fit, reduction: 1}}
      n0: {{from: [pre0, pre1], choose: normal}}
      n1: {{from: [pre0, pre1, n0], choose: normal}}
      out: {{concat: [n0, n1]}}
  reduce:
    inputs: [in0, in1]
    nodes:
      pre0: {{from: in0, op: fit, reduction: 1}}
      pre1: {{from: in1, op: fit, reduction: 1}}
      n0: {{from: [pre0, pre1], choose: reduce, reduction: 2}}
      n1: {{from: [pre0, pre1, n0], choose: reduce, reduction: 2}}
      out: {{concat: [n0, n1]}}
network:
  nodes:
    stem: {{from: images, op: stem, width: 3}}
    a: {{from: [-2, -1], cell: normal, repeat: 2}}
    r: {{from: [-2, -1], cell: reduce, width: 2}}
    head: {{from: -1, op: classifier, width: classes}}
"""
"""The space of DARTS with two nodes in a cell."""


def seed_of(description):
    (proposal,) = policy().propose(description, None, 1, Random(0))  # noqa: S311 - nothing secret
    seed = proposal.description
    assert not seed.is_open
    expand(seed, CATALOGUE)
    return seed


def candidates(description, **settings):
    """Return by group what each place that grows reads, and how many candidates that makes."""
    opened = policy(**settings).open(description, CATALOGUE)
    return {
        name: ([row[2] for row in group.rows], sum(map(sum, group.mask)))
        for name, group in expand(opened).layouts.items()
    }


def test_in_the_space_of_darts_it_is_one_sum_of_the_last_input():
    assert seed_of(load(DARTS)) == start("cells")


def test_candidates_read_what_the_frame_makes_of_its_inputs():
    """An input that the frame alone reads is left out: a cell's raw inputs, and the images."""
    assert candidates(seed_of(load(DARTS))) == {
        f"grow/{cell}/n0/1": (["pre0", "pre1"], 8) for cell in ("normal", "reduce")
    }
    chain = {"grow/network/l0/1": (["stem"], 4), "grow/network/l1/1": (["stem", "l0"], 4)}
    chain["grow/network/l2/1"] = (["stem", "l0", "l1"], 8)
    assert candidates(start("chain"), search="macro") == chain
    assert candidates(start("chain")) == {"grow/network/l2/1": chain["grow/network/l2/1"]}


def test_each_use_grows_by_itself_in_a_macro_search():
    assert set(candidates(start("cells"), search="macro")) == {
        f"grow/{use}/n0/1" for use in ("a-0", "a-1", "r")
    }


def test_an_auxiliary_head_is_no_layer():
    (place,) = candidates(start("chain"))
    assert place.startswith("grow/network/l2/")


def test_a_closed_description_is_its_own_seed():
    assert seed_of(start("chain")) is not None
    assert seed_of(start("chain")) == start("chain")


@pytest.mark.parametrize("ops", ["[sep_conv_3x3(affine=false), none]", "[none, sep_conv_5x5]", "[none]"])
def test_a_choice_without_the_two_takes_what_there_is(ops):
    text = (
        f"nascore: 1\nchannels: 4\nin_channels: 3\nclasses: 5\ngroups:\n  layers: {{ops: {ops}}}\nnetwork:\n"
    )
    text += "  nodes:\n    stem: {from: images, op: stem}\n    l0: {from: -1, choose: layers}\n"
    seed = seed_of(load(text + "    head: {from: -1, op: classifier, width: classes}\n"))
    (edge,) = seed.network.node("l0").edges
    assert [str(op) for op in edge.ops] == [
        {"[none]": "none", "[none, sep_conv_5x5]": "sep_conv_5x5"}.get(ops, "sep_conv_3x3(affine=false)")
    ]


CONCATENATED = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
groups:
  edges: {ops: [none, skip_connect, conv_3x3]}
cells:
  cell:
    inputs: [in]
    nodes:
      n0: {from: in, choose: edges}
      n1: {from: [in, n0], choose: edges}
      joined:
        concat:
          - {from: n0, choose: edges, ops: [none, skip_connect]}
          - {from: n1, choose: edges, ops: [none, skip_connect]}
      out: {from: [in, joined], choose: edges, ops: [none, conv_3x3], width: 2}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell}
    head: {from: -1, op: classifier, width: classes}
"""
"""A cell in which a concatenation has edges that may be there or not, and a sum reads it."""


def test_what_concatenates_keeps_all_its_edges():
    cell = seed_of(load(CONCATENATED)).cells["cell"]
    assert [[str(op) for op in edge.ops] for edge in cell.node("joined").edges] == [["skip_connect"]] * 2
    assert [edge.source for edge in cell.node("n1").edges] == ["n0"]


SPACES = {
    "tiny": Tiny(TinySettings()).describe(FACTS),
    "concatenated": load(CONCATENATED),
    **{
        f"planted {form}": Planted(PlantedSpaceSettings(form=form)).describe(FACTS)
        for form in ("chain", "cell", "nb201")
    },
}


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("search", ["cell", "macro"])
def test_a_space_grows_twice(name, search):
    description, growing = seed_of(SPACES[name]), policy(search=search)
    seen = {fingerprint(description)}
    for _ in range(2):
        opened = growing.open(description, CATALOGUE)
        even = {
            key: [[1.0] * len(group.ops)] * len(group.rows) for key, group in expand(opened).layouts.items()
        }
        description = growing.close(opened, even)
        network(description)
        seen.add(fingerprint(description))
    assert len(seen) == 3


def test_a_space_with_a_code_of_its_own_is_refused():
    @hookimpl
    def nascore_spaces():
        yield Component(
            name="fixed",
            slot="space",
            summary="A test's.",
            config=TinySettings,
            build="nascore.builtin.spaces:Tiny",
            provides=("fixed",),
        )

    mine = type("Mine", (), {"nascore_spaces": staticmethod(nascore_spaces)})()
    registry = Registry.of(builtin=nascore.builtin, petridish=nascore_petridish, mine=mine)
    with pytest.raises(RecipeError, match=r"(?s)petridish and fixed do not fit.*no code in a fixed encoding"):
        recipe_of(registry=registry, space="fixed")


def test_what_cannot_grow_is_refused_before_anything_is_trained(tmp_path):
    nodes = [node for node in start("chain").network.nodes if node.name in {"stem", "head"}]
    bare = evolve(start("chain"), auxiliary=None, network=evolve(start("chain").network, nodes=tuple(nodes)))
    path = tmp_path / "bare.yaml"
    path.write_text(dump(bare))
    with pytest.raises(RecipeError, match="this architecture cannot grow"):
        build_parts(recipe_of(space=f"file:{path}"), REGISTRY)
