"""What the plugin declares, refuses and brings."""

from __future__ import annotations

import subprocess
import sys

import pytest
from petridish_rules import PetridishConformance
from petridish_runs import recipe_of
from petridish_samples import CATALOGUE, REGISTRY, policy, start

from nascore.cli import main
from nascore.description import expand
from nascore.errors import RecipeError
from nascore.recipe import EVALUATE_RUN, Request, settled
from nascore.testing import PluginConformance
from nascore_petridish.settings import OPERATIONS


class TestPlugin(PluginConformance):
    plugin = "nascore-petridish"


class TestPetridish(PetridishConformance):
    """Its defaults; other settings are in test_petridish_conformance.py."""


def values(recipe):
    return {path: value for path, value, _ in recipe.rows()}


def test_the_plugin_loads():
    assert [(plugin.status, plugin.reason) for plugin in REGISTRY.plugins] == [("ready", ""), ("ready", "")]
    assert REGISTRY.get("growth", "petridish").paper == "arXiv 1905.13360"


def test_the_policy_needs_no_torch():
    code = (
        "import sys, nascore_petridish.policy, nascore_petridish.settings; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_wishes_settle_the_search():
    recipe = settled(Request(scale="mini", names={"space": ["tiny"], "growth": ["petridish"]}), REGISTRY)
    names = [recipe.part(slot).name for slot in ("updater", "trainer", "relaxation", "regularizer")]
    assert names == ["sgd", "alternating", "linear", "l1"]
    found = values(recipe)
    assert found["trainer.estimate"] == "single-level"
    assert (found["regularizer.l1.weight"], found["regularizer.l1.target"]) == (1e-3, "theta")
    assert (found["growth.count"], found["growth.seed_epochs"], found["growth.child_epochs"]) == (5, 5, 3)
    assert not recipe.problems


def test_candidates_that_learn_from_other_images_are_warned_of():
    (problem,) = recipe_of(trainer__estimate="first").problems
    assert problem.verdict == "warned"
    assert "a parent fits its images too well" in str(problem)


# Candidates


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        (["sep_conv_3x3", "none"], "none cannot be a candidate: it adds nothing"),
        (["none"], "none cannot be a candidate"),
        (["fit"], "fit cannot be a candidate: it is only for the fixed parts"),
        (["sep_konv_3x3"], "no operation 'sep_konv_3x3'. Did you mean sep_conv_3x3"),
        (["sep_conv_3x3", "sep_conv_3x3(affine=false)"], "sep_conv_3x3(affine=false) is named twice"),
        (["a(b"], "'a(b' is not an operation"),
        ([], "the list of candidates is empty"),
    ],
)
def test_what_cannot_be_a_candidate_is_refused(operations, said):
    with pytest.raises(RecipeError) as refused:
        recipe_of(growth__operations=operations)
    assert said in str(refused.value)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("text", ["sep_conv_3x3(affine=true)", "max_pool_3x3(pool_norm=false)", "noise"])
def test_a_candidate_that_no_norm_holds_is_warned_of(text):
    (problem,) = recipe_of(growth__operations=["sep_conv_5x5", "skip_connect", text]).problems
    assert (problem.verdict, problem.path) == ("warned", "growth.operations")
    assert "does not end in a batch norm without weights" in str(problem)
    assert text.partition("(")[0] in str(problem)


def test_the_command_line_says_so(capsys):
    words = "search --space tiny --growth petridish --scale mini --dry-run --set growth.operations=[none]"
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 3
    assert "growth.operations: none cannot be a candidate" in capsys.readouterr().err


def test_none_of_the_candidates_is_none_and_all_but_the_identity_end_in_a_norm_without_weights():
    assert "none" not in OPERATIONS
    opened = policy(operations=list(OPERATIONS)).open(start("cells"), CATALOGUE)
    (ops, _) = (group.ops for group in expand(opened).layouts.values())
    assert [op.name for op in ops] == list(OPERATIONS)
    pools = [op.settings for op in ops if "pool" in op.name]
    assert pools == [(("pool_norm", True),)] * 2
    assert all(op.settings == (("affine", False),) for op in ops if "pool" not in op.name)


def test_a_candidate_may_have_settings_of_its_own():
    opened = policy(operations=["mbconv(expand=2)", "mbconv(expand=3)"]).open(start("chain"), CATALOGUE)
    (group,) = expand(opened).layouts.values()
    assert [str(op) for op in group.ops] == ["mbconv(affine=false;expand=2)", "mbconv(affine=false;expand=3)"]


# The preset


def test_the_preset_is_the_authors_search():
    assert set(REGISTRY.presets()) == {"petridish-cifar10"}
    names = {
        "space": ["tiny"],
        "dataset": ["digits"],
        "trick": ["none"],
    }  # its own are of other plugins, which need not be here
    assert "  name: darts" in REGISTRY.presets()["petridish-cifar10"].read().splitlines()
    found = values(settled(Request(preset="petridish-cifar10", names=names), REGISTRY))
    expected = {
        "growth.search": "cell",
        "growth.keep": 3,
        "growth.operations": list(OPERATIONS),
        "growth.depth": 8,
        "growth.limit": 166_666_666 // 2,
        "growth.eps": 0.025,
        "growth.seed_epochs": 200,
        "growth.child_epochs": 80,
        "trainer.epochs": 80,
        "trainer.batch": 32,
        "trainer.lr": 0.1 / 128 * 32,
        "trainer.lr_min": 0,
        "trainer.weight_decay": 2e-4,  # on CIFAR the code does not read its regularize_const
        "trainer.estimate": "single-level",
        "ranking.weight_decay": 2e-4,
        "ranking.auxiliary": 0,
        "ranking.lr": 0.1 / 128 * 32,
        "ranking.drop_path": 0.4,
        "updater.lr": 0.025,
        "regularizer.l1.weight": 1e-2,
        "regularizer.l1.average": True,
        "regularizer.l1.per_use": True,
    }
    assert {key: found[key] for key in expected} == expected


def test_the_preset_trains_what_it_finds_as_the_authors_do():
    names = {"space": ["tiny"], "dataset": ["digits"], "trick": ["none"]}
    found = values(settled(Request(preset="petridish-cifar10", names=names), REGISTRY, run=EVALUATE_RUN))
    expected = {
        "training.channels": 32,
        "training.cells": 20,
        "training.epochs": 600,
        "training.batch": 32,
        "training.lr": 0.1 / 128 * 32,
        "training.lr_min": 0,
        "training.momentum": 0.9,
        "training.nesterov": False,
        "training.weight_decay": 2e-4,
        "training.clip": 5,
        "training.drop_path": 0.4,
        "training.auxiliary": 0.4,
    }
    assert {key: found[key] for key in expected} == expected


def test_the_settings_own_defaults_are_those_of_the_preset():
    recipe = settled(Request(scale="paper", names={"space": ["tiny"], "growth": ["petridish"]}), REGISTRY)
    names = {"space": ["tiny"], "dataset": ["digits"], "trick": ["none"]}
    preset = settled(Request(preset="petridish-cifar10", names=names), REGISTRY)
    assert recipe.part("growth").settings == preset.part("growth").settings


def test_every_value_of_the_preset_has_its_source():
    lines = REGISTRY.presets()["petridish-cifar10"].read().splitlines()
    settings = [
        line for line in lines if line.startswith("  ") and line.split(":")[1] and "name:" not in line
    ]
    assert len(settings) >= 50
    assert all(any(mark in line for mark in ("[code]", "[paper]", "ours:")) for line in settings)
