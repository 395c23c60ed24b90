"""What cannot be trained is refused before anything is built: outputs, sizes, widths and batches of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from command_line import cli
from engine_runs import REGISTRY, growth_of, recipe_of
from failing_plugins import QUICK_EVALUATE, UNIFORM
from torch import nn

from nascore.description import Operation, load
from nascore.engine.build import build_parts
from nascore.engine.return_checks import ReturnCheck
from nascore.errors import DescriptionError, PluginError, RecipeError
from nascore.nn.shapes import check_shapes, single_image_error
from nascore.slots import BUILTIN

START = """\
nascore: 1
channels: {channels}
in_channels: 3
classes: 10
groups:
  g: {{ops: [conv_3x3, skip_connect]}}
network:
{output}  nodes:
    stem: {{from: images, op: stem}}
    l0: {{from: stem, {what}}}
{head}"""
HEAD = "    head: {from: -1, op: classifier, width: classes}\n"
ADD = "head: {from: -1, op: classifier, width: classes}"
FORMS = {
    "without a head": ({}, "network.nodes.l0", 10, ADD),
    "an inner node is the output": (
        {"output": "  output: l0\n", "head": HEAD},
        "network.nodes.l0",
        11,
        "output: head",
    ),
    "too few outputs": (
        {"head": HEAD.replace("classes", "3"), "channels": 1},
        "network.nodes.head",
        11,
        "width: classes",
    ),
    "too many outputs": (
        {"head": HEAD.replace("classes", "20"), "channels": 1},
        "network.nodes.head",
        11,
        "width: classes",
    ),
    "as many channels as classes by chance": ({"channels": 10}, "network.nodes.l0", 10, ADD),
}


def text_of(*, channels=4, output="", what="op: conv_3x3", head=""):
    text = START.format(channels=channels, output=output, what=what, head=head)
    return text if "choose" in what else re.sub(r"(?m)^(groups:|  g:).*\n", "", text)


def search_in(path, *more):
    return cli(*[path if word == "tiny" else word for word in UNIFORM], *more)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


VERBS = ("search", "dry", "check", "evaluate", "draw")
CASES = [
    (form, what, verb)
    for form in FORMS
    for what in ("op: conv_3x3", "choose: g")
    for verb in VERBS
    # An open description is refused by evaluate for being open; what is drawn is not run.
    if not (verb in {"evaluate", "draw"} and "choose" in what) and not (verb == "draw" and "chance" in form)
]


@pytest.mark.parametrize(("form", "what", "verb"), CASES)
def test_an_output_that_is_no_logits_is_refused_with_its_line(form, what, verb):
    changed, path, line, cure = FORMS[form]
    text = text_of(what=what, **changed)
    if "choose" not in what:
        line -= 2
    Path("own net.yaml").write_text(text, encoding="utf-8")
    Path("recipe.yaml").write_text(
        "nascore: 1\nspace: {name: file, path: own net.yaml}\nupdater: uniform\n", encoding="utf-8"
    )
    words = {
        "evaluate": ["evaluate", "own net.yaml", *QUICK_EVALUATE],
        "draw": ["draw", "own net.yaml"],
        "check": ["check", "recipe.yaml"],
    }
    done = (
        cli(*words[verb])
        if verb in words
        else search_in("file:own net.yaml", *["--dry-run"] * (verb == "dry"))
    )
    assert done.exit_code == 3, done.output
    assert f"{path}: " in done.stderr
    assert cure in done.stderr
    if not ("chance" in form and verb == "evaluate"):
        assert f"own net.yaml:{line}:5" in done.stderr
    assert not Path("run").exists()


def test_sound_networks_are_not_refused():
    for output, head in (("", HEAD), ("  output: head\n", HEAD)):
        check_shapes(load(text_of(output=output, head=head, what="choose: g")), REGISTRY.operations(), (8, 8))


class Wrong(nn.Module):
    def __init__(self, c_in, c_out, stride, *, kind="narrow"):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride, padding=1)
        self.kind = kind

    def forward(self, x):
        if self.kind == "raises":
            raise ZeroDivisionError("no luck")
        y = self.conv(x)
        return {"narrow": y[:, 1:], "small": y[:, :, 1:], "list": [y]}[self.kind]


def with_wrong(kind):
    catalogue = {
        **REGISTRY.operations(),
        "wrong": Operation(name="wrong", build=Wrong, settings={"kind": kind}),
    }
    text = text_of(head=HEAD.replace("-1", "both")).replace(
        "    head", "    both: {sum: [stem, {from: l0, op: wrong}]}\n    head"
    )
    return load(text), catalogue


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("narrow", "wrong returns [2, 3, 8, 8], not 4 channels"),
        ("small", "different sizes: 8x8 by the bare edge from stem and 7x8 by wrong from l0"),
        ("list", "it returns list, not a tensor"),
        ("raises", "wrong fails on [2, 4, 8, 8] (at both/l0/wrong): ZeroDivisionError: no luck."),
    ],
)
def test_an_operation_that_does_not_do_what_its_place_asks_for_is_refused(kind, said):
    with pytest.raises(DescriptionError, match=re.escape(said)) as caught:
        check_shapes(*with_wrong(kind), (8, 8))
    assert caught.value.problems[0].path.startswith("network.nodes.both")


def test_what_an_output_does_not_need_is_not_run():
    description, catalogue = with_wrong("raises")
    text = text_of(head="    idle: {from: stem, op: wrong}\n" + HEAD.replace("-1", "l0"))
    del description
    check_shapes(load(text), catalogue, (8, 8))


def test_the_check_draws_no_random_numbers():
    before = torch.get_rng_state()
    check_shapes(load(text_of(head=HEAD)), REGISTRY.operations(), (13, 13))
    assert torch.equal(before, torch.get_rng_state())


def test_a_space_of_other_data_is_its_plugins_mistake(monkeypatch):
    monkeypatch.setattr(
        "nascore.builtin.spaces.Tiny.describe", lambda *_: load(text_of(head=HEAD, what="choose: g"))
    )
    with pytest.raises(
        PluginError, match=r"Tiny.describe of the plugin nascore returns a network with classes=10"
    ):
        build_parts(recipe_of(), REGISTRY)
    monkeypatch.setattr("nascore.builtin.spaces.Tiny.describe", lambda *_: None)
    with pytest.raises(
        PluginError, match=r"Tiny.describe .* returns None, but the slot requires a Description"
    ):
        build_parts(recipe_of(), REGISTRY)


def test_a_batch_of_one_is_refused_where_batch_norm_would_see_one_value():
    settings = {"dataset__size": 1, "trainer__batch": 1, "ranking__batch": 1}
    with pytest.raises(RecipeError) as caught:
        build_parts(recipe_of(**settings), REGISTRY)
    assert [one.path for one in caught.value.problems] == ["trainer.batch", "ranking.batch"]
    assert all(
        "a batch of 1 is too small" in str(one) and "Set 2 or more." in str(one)
        for one in caught.value.problems
    )
    with pytest.raises(RecipeError) as caught:
        build_parts(growth_of(**settings), REGISTRY)
    assert [one.path for one in caught.value.problems] == ["ranking.batch"]
    assert build_parts(recipe_of(**{**settings, "dataset__size": 2}), REGISTRY)
    assert build_parts(recipe_of(**{**settings, "trainer__batch": 2, "ranking__batch": 2}), REGISTRY)


def test_one_image_alone_is_seen_at_the_auxiliary_head_too():
    head = "    aux: {from: l0, op: auxiliary, width: classes}\n"
    text = text_of(output="  output: head\n", head=HEAD + head) + "auxiliary: aux\n"
    said = single_image_error(load(text), REGISTRY.operations(), (8, 8))
    assert "auxiliary fails on [1, 4, 8, 8]" in said
    assert single_image_error(load(text_of(head=HEAD)), REGISTRY.operations(), (8, 8)) == ""


def test_batches_of_one_are_refused_on_the_command_line_before_a_folder_is_made():
    Path("net.yaml").write_text(text_of(head=HEAD), encoding="utf-8")
    for words in (UNIFORM, ("evaluate", "net.yaml", *QUICK_EVALUATE)):
        done = cli(*(re.sub(r"(size|batch)=8", r"\1=1", word) for word in words))
        assert done.exit_code == 3
        group = "training" if words[0] == "evaluate" else "ranking"
        assert f"{group}.batch: a batch of 1 is too small for this network" in done.stderr
        assert f"from --set {group}.batch=1" in done.stderr
        assert "unexpected" not in done.stderr
    assert not Path("run").exists()


def test_too_few_cells_are_refused_at_their_setting_with_the_least_number():
    stages = "".join(
        f"    {name}: {{from: -1, cell: c{more}}}\n"
        for name, more in (("a", ", repeat: 2"), ("r", ""), ("s", ""), ("b", ", repeat: 2"))
    )
    cell = "cells:\n  c:\n    inputs: [in0]\n    nodes:\n      n: {from: in0, op: conv_3x3}\n"
    text = text_of(head=stages + HEAD).replace("network:", cell + "network:")
    Path("net.yaml").write_text(text, encoding="utf-8")
    words = ("evaluate", "net.yaml", *(word.replace("cells=3", "cells=1") for word in QUICK_EVALUATE))
    done = cli(*words)
    assert done.exit_code == 3, done.output
    assert "training.cells: 1 cell is too few: this network needs at least 3" in done.stderr
    assert cli(*(word.replace("cells=1", "cells=3") for word in words)).exit_code == 0


def test_who_returned_what_is_named_with_the_line():
    error = ReturnCheck(Wrong(1, 1, 1), "forward", "space").wrong("None", "a tensor")
    assert str(error.problems[0].origin).startswith(f"{Path(__file__)}:")
    assert BUILTIN not in str(error)


def test_an_auxiliary_head_that_is_no_logits_is_refused():
    text = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
network:
  nodes:
    stem: {from: images, op: stem}
    head: {from: -1, op: classifier, width: classes}
    aux: {from: stem, op: OP, width: classes}
  output: head
auxiliary: aux
"""
    catalogue = REGISTRY.operations()
    assert check_shapes(load(text.replace("OP", "auxiliary")), catalogue, (8, 8))
    with pytest.raises(DescriptionError, match=r"aux has shape \[B, 10, 8, 8\], not logits.*op: auxiliary"):
        check_shapes(load(text.replace("OP", "conv_3x3")), catalogue, (8, 8))
