"""What the plugin declares, what its updater and its penalty do, and its presets."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch.optim import Adam

import nascore.builtin
import nascore_data
from nascore.api import RecipeError
from nascore.contract import Gradients, Horizon
from nascore.engine.loop import run_phase
from nascore.nn import ArchitectureState
from nascore.plugin import Registry
from nascore.recipe import EVALUATE_RUN, Request, settled
from nascore.testing.choices import alike, generator, scattered
from nascore.testing.harness import searching
from nascore_data import UpdaterSettings
from nascore_data.updater import Updater

TINY = {"space": ["tiny"], "updater": ["data"]}
REGISTRY = Registry.of(builtin=nascore.builtin, data=nascore_data)


def settled_with(*sets, scale="paper", **names):
    return settled(Request(names={**TINY, **names}, scale=scale, sets=sets), REGISTRY)


def values(recipe):
    return {path: value for path, value, _ in recipe.rows()}


def test_the_plugin_loads():
    assert [(plugin.status, plugin.reason) for plugin in REGISTRY.plugins] == [("ready", ""), ("ready", "")]
    assert set(REGISTRY.presets()) == {"data-m4-cifar10", "data-m7-cifar10"}


def test_the_plugin_imports_no_torch():
    code = "import sys, nascore_data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_wishes_settle_the_search():
    recipe = settled_with()
    found = values(recipe)
    assert recipe.part("relaxation").name == "egs"
    assert recipe.names("regularizer") == ("l1",)
    assert (found["regularizer.l1.target"], found["regularizer.l1.weight"]) == ("code", 0.1)
    assert (found["trainer.estimate"], found["trainer.sequence"]) == ("first", "architecture-first")
    assert (found["relaxation.draws"], found["updater.lr"]) == (7, 3e-4)
    assert not recipe.problems


def test_the_penalty_can_be_left_out_and_is_at_mini():
    assert settled_with(regularizer=["none"]).names("regularizer") == ()
    mini = settled_with(scale="mini")
    assert mini.names("regularizer") == ()
    assert values(mini)["updater.lr"] == 0.05


@pytest.mark.parametrize("relaxation", ["softmax", "one-hot", "linear"])
def test_without_its_sampler_it_is_plain_adam(relaxation):
    problems = settled_with(relaxation=[relaxation], regularizer=["none"]).problems
    assert [(problem.verdict, "plain Adam" in str(problem)) for problem in problems] == [("warned", True)]


def test_single_level_is_warned_of():
    (problem,) = settled_with("trainer.estimate=single-level").problems
    assert problem.verdict == "warned"
    assert "overfits" in str(problem)


@pytest.mark.parametrize("path", ["relaxation.tau", "relaxation.tau_last", "relaxation.draws"])
def test_what_no_sampler_can_be_set_to_is_refused(path):
    with pytest.raises(RecipeError, match=path):
        settled_with(f"{path}=0")


@pytest.mark.parametrize(
    ("sets", "declared"),
    [
        ((), True),
        (("relaxation.normalize=sum",), False),
        (("relaxation.normalize=sum", "relaxation.draws=1"), True),
    ],
)
def test_it_is_a_distribution_where_it_sums_to_one(sets, declared):
    assert ("normalized" in settled_with(*sets).part("relaxation").provides) is declared


def test_the_updater_is_adam_without_weight_decay():
    groups, slopes = alike(), scattered(alike(), 0)
    start = scattered(groups, 1)
    state = ArchitectureState(groups=groups, theta=start)
    updater = Updater(UpdaterSettings())
    updater.start(state, Horizon(updates=5, samples=4, replicas={}, keep={}), generator(0))
    mine = {name: theta.clone().requires_grad_() for name, theta in start.items()}
    adam = Adam([mine[name] for name in sorted(mine)], lr=3e-4, betas=(0.5, 0.999), weight_decay=0)
    for step in range(5):
        slope = {name: value * (-1) ** step * (step + 1) for name, value in slopes.items()}
        updater.step(state, Gradients(theta=slope))
        for name, theta in mine.items():
            theta.grad = slope[name].clone()
        adam.step()
    assert all(torch.equal(state.theta[name], mine[name]) for name in mine)


def test_without_a_gradient_nothing_decays():
    state = ArchitectureState(groups=alike(), theta=scattered(alike(), 1))
    updater = Updater(UpdaterSettings())
    updater.start(state, Horizon(updates=5, samples=4, replicas={}, keep={}), generator(0))
    updater.step(state, Gradients(theta={name: torch.zeros_like(one) for name, one in state.theta.items()}))
    assert all(torch.equal(state.theta[name], one) for name, one in scattered(alike(), 1).items())


ONE_STEP = ("trainer.batch=352", "trainer.epochs=1", "trainer.warm_up=0")
PENALTY = ("regularizer.l1.target=code", "regularizer.l1.weight=0.1")


def first_gradient(monkeypatch, regularizer, *sets):
    """The gradient of the first architecture step [E, O], and p and the drawn code there."""
    caught = {}

    def step(self, state, gradients):
        del self
        caught["gradient"] = gradients.theta["cell"].clone()
        caught["theta"], caught["segments"] = state.theta["cell"].detach().clone(), state.segments("cell")

    monkeypatch.setattr(Updater, "step", step)
    names = {"space": "tiny", "updater": "data", "regularizer": regularizer}
    with searching(REGISTRY, names, sets=(*ONE_STEP, *sets)) as found:
        drawing = found.live.streams(1)["mixture"]
        run_phase(found.phase, found.trainer, found.live.observers)
        caught["code"] = (
            found.search.annealed()
            .mixture(
                caught["theta"], caught["segments"], found.search.state.groups["cell"], generator=drawing
            )
            .weights
        )
    return caught


def test_the_penalty_changes_the_gradient_by_its_own(monkeypatch):
    without = first_gradient(monkeypatch, "none")
    with_it = first_gradient(monkeypatch, "l1", *PENALTY)
    theta = with_it["theta"].clone().requires_grad_()
    assert torch.equal(theta, without["theta"])
    segments = with_it["segments"]
    share = torch.zeros_like(theta)
    for one in segments.unique():
        share = share + torch.where(segments == one, theta, -torch.inf).flatten().softmax(0).reshape(
            theta.shape
        )
    penalty = 0.1 * (share - with_it["code"]).abs()[segments >= 0].mean()
    (wanted,) = torch.autograd.grad(penalty, theta)
    found = with_it["gradient"] - without["gradient"]
    assert wanted.abs().max() > 1e-4
    assert torch.allclose(found, wanted, atol=1e-6)


def test_the_presets_are_the_authors_code():
    for draws in (4, 7):
        preset = REGISTRY.presets()[f"data-m{draws}-cifar10"]
        lines = preset.read().splitlines()
        # Its space is of another plugin, which need not be here.
        assert "  name: darts" in lines
        request = Request(preset=preset.name, names={"space": ["tiny"], "dataset": ["synthetic"]})
        found = values(settled(request, REGISTRY))
        expected = {
            "relaxation.draws": draws,
            "relaxation.tau": 1,
            "updater.weight_decay": 0,
            "updater.beta1": 0.5,
            "regularizer.l1.target": "code",
            "regularizer.l1.weight": 0.1,
            "trainer.estimate": "first",
            "trainer.epochs": 100,
            "trainer.batch": 64,
            "ranking.epochs": 20,
        }
        assert {key: found[key] for key in expected} == expected
        found = values(settled(request, REGISTRY, run=EVALUATE_RUN, slots=()))
        expected = {"training.epochs": 600, "training.lr": 0.035, "training.drop_path": 0.2}
        assert {key: found[key] for key in expected} == expected
        heads = ("name:", "training:")
        settings = [line for line in lines if line.startswith("  ") and not any(one in line for one in heads)]
        assert len(settings) > 30
