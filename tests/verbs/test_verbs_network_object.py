"""A torch module, or a function that returns one, from Python is evaluated."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import nascore
from nascore.cli import main
from nascore.errors import DescriptionError, NascoreError, PluginError, RecipeError

BRIEF = {"training.epochs": 1, "training.batch": 512}
STILL = {**BRIEF, "training.lr": 1e-12, "training.weight_decay": 0}


class Net(nn.Module):
    """A small network with running statistics."""

    def __init__(self, num_classes=10, in_channels=1, width=4):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width, num_classes)

    def forward(self, images):
        return self.head(self.norm(self.conv(images)).relu().mean((2, 3)))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A module, a copy of its tensors from before, and its finished run."""
    module = Net()
    module.norm.running_mean.fill_(100.0)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    out = tmp_path_factory.mktemp("runs") / "run"
    return module, before, nascore.evaluate(module, settings=STILL, out=out)


def trained(run):
    (path,) = run.model().network.ops
    return run.model().network.ops[path].state_dict()


def test_training_begins_with_the_weights_of_the_module_and_changes_a_copy(made):
    module, before, run = made
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    found = trained(run)
    for name, _ in module.named_parameters():
        assert torch.allclose(found[name], before[name], atol=1e-6), name
    assert run.result["params"] == sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize("measured", [True, False])
def test_statistics_that_were_measured_count_and_initial_ones_do_not(made, tmp_path, measured):
    _, _, run = made

    def make():
        found = Net()
        torch.nn.init.constant_(found.conv.weight, 0.0)
        if measured:
            found.norm.running_mean.fill_(100.0)
        return found

    anew = trained(nascore.evaluate(make, settings=STILL, out=tmp_path / "anew"))
    assert trained(run)["norm.running_mean"].min() > 10
    # The true variance is 0.
    assert (anew["norm.running_mean"].min() > 10, anew["norm.running_var"].max() < 1e-3) == (
        measured,
        not measured,
    )


def test_the_run_is_opened_again_with_a_module_of_this_structure(made):
    _, _, run = made
    images = torch.rand(2, 1, 8, 8)
    again = nascore.load_run(run.path, network=Net())
    assert torch.equal(again.predict(images).logits, run.predict(images).logits)
    assert nascore.replay(run).verdict == "bit-equal"


@pytest.mark.parametrize("network", [None, Net(width=5)])
def test_without_the_module_the_message_says_how_to_open_the_run(made, network):
    _, _, run = made
    with pytest.raises(DescriptionError, match=r"Open it in Python with the same module or function"):
        nascore.load_run(run.path, network=network).predict(torch.rand(1, 1, 8, 8))


@pytest.mark.parametrize("verb", ["draw", "replay", "evaluate"])
def test_verbs_say_that_the_folder_has_no_code(made, verb):
    done = CliRunner().invoke(main, [verb, str(made[2].path)])
    assert done.exit_code == 3
    assert "a network that was passed from Python: its folder has no code of it." in done.output


def test_a_run_is_evaluated_again_with_its_module(made, tmp_path):
    module, _, run = made
    again = nascore.evaluate(run, settings=BRIEF, out=tmp_path / "again")
    assert again.network is module


def test_a_class_is_built_for_the_data_and_resumed(tmp_path):
    with pytest.raises(NascoreError, match="the budget of 1steps is spent"):
        nascore.evaluate(Net, settings=BRIEF, out=tmp_path / "part", budget="1steps")
    with pytest.raises(DescriptionError, match="the run trained python_Net, a network"):
        nascore.resume(tmp_path / "part")
    resumed = nascore.resume(tmp_path / "part", network=Net)
    whole = nascore.evaluate(Net, settings=BRIEF, out=tmp_path / "whole")
    files = [(run.path / "best/weights.safetensors").read_bytes() for run in (whole, resumed)]
    assert files[0] == files[1]
    assert len(resumed.predict(torch.rand(2, 1, 8, 8)).names) == 2


def uncopied():
    net = Net()
    net.extra = net.conv.weight * 2
    return net


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (lambda: Net(num_classes=7), RecipeError, "A network of your own has to return 10 outputs for these"),
        (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), RecipeError, "layers of unknown shape: 1"),
        (uncopied, NascoreError, "the module Net cannot be copied"),
        (lambda: lambda depth: depth, PluginError, "the network python_lambda cannot be used: <lambda> requ"),
        (lambda: lambda: 3, RecipeError, "it builds int, not a torch.nn.Module"),
        (lambda: 3, RecipeError, "a int is not an architecture"),
    ],
)
def test_other_networks_are_refused_before_anything_is_trained(network, error, message, tmp_path):
    with pytest.raises(error, match=message):
        nascore.evaluate(network(), settings=BRIEF, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_published_weights_are_refused():
    with pytest.raises(RecipeError, match="this architecture has no published weights"):
        nascore.evaluate(Net, pretrained=True)
