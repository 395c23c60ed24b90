"""Networks of timm and torchvision are evaluated like any other architecture."""

from __future__ import annotations

import json

import pytest
import timm
import torch
from click.testing import CliRunner
from torchvision import models

import nascore
from nascore.cli import main
from nascore.description import Op, dump, load
from nascore.errors import DescriptionError, PluginError, RecipeError
from nascore.nn import compile as compiled
from nascore.plugin import Registry
from nascore.verbs.architecture import read_architecture
from nascore.verbs.resolution import installed
from nascore.verbs.runs import naming_code

REGISTRY = installed()
BRIEF = {"training.epochs": 1, "training.batch": 128}


def described(text):
    return read_architecture(text, REGISTRY)


def network(text, classes, channels):
    notation, _, _ = text.partition(":")
    read = REGISTRY.translators()[notation].from_text(text, classes=classes, in_channels=channels)
    return compiled(read, REGISTRY.operations())


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """The smallest ResNet of timm on the digits."""
    settings = {"training.epochs": 2, "training.batch": 64}
    return nascore.evaluate(
        "timm:test_resnet", settings=settings, out=tmp_path_factory.mktemp("runs") / "resnet"
    )


def test_a_resnet_learns_the_digits(resnet):
    assert resnet.result["test_accuracy"] > 0.3  # 0.1 by chance
    model = timm.create_model("test_resnet", in_chans=1, num_classes=10)
    assert resnet.result["params"] == sum(weight.numel() for weight in model.parameters())
    assert str(resnet.best.network.nodes[0].edges[0].ops[0]) == "timm(name=test_resnet)"


def test_its_weights_are_those_of_the_library(resnet):
    ours = resnet.model()
    theirs = timm.create_model("test_resnet", in_chans=1, num_classes=10).eval()
    (path,) = ours.network.ops
    tensors = ours.network.ops[path].state_dict()
    theirs.load_state_dict(tensors)
    images = torch.rand(3, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))


def test_the_verbs_take_such_a_run(resnet):
    shown = CliRunner().invoke(main, ["export", str(resnet.path), "--to", "timm"])
    assert shown.output == "timm:test_resnet\n"
    drawn = CliRunner().invoke(main, ["draw", str(resnet.path)])
    assert "timm(name=test_resnet)(images)" in drawn.output
    assert "373,370 parameters" in drawn.output


def test_resnet18_has_the_parameters_of_the_library():
    made = network("timm:resnet18", 10, 1)
    theirs = timm.create_model("resnet18", in_chans=1, num_classes=10)
    counts = [sum(weight.numel() for weight in one.parameters()) for one in (made, theirs)]
    assert counts == [11_175_370] * 2


def test_costs_are_counted_as_for_other_networks(resnet):
    counted = 0

    def count(module, _inputs, output):
        nonlocal counted
        if isinstance(module, torch.nn.Conv2d):
            counted += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, torch.nn.Linear):
            counted += module.weight.numel()

    model = timm.create_model("test_resnet", in_chans=1, num_classes=10).eval()
    for module in model.modules():
        module.register_forward_hook(count)
    model(torch.rand(1, 1, 8, 8))
    assert resnet.result["macs"] == counted


@pytest.mark.parametrize("name", ["timm:test_resnet", "torchvision:squeezenet1_1"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_and_outputs_follow_the_data(name, channels):
    made = network(name, 7, channels).eval()
    with torch.no_grad():
        assert made(torch.rand(2, channels, 32, 32)).shape == (2, 7)


def test_torchvision_networks_of_three_channels_are_the_librarys():
    torch.manual_seed(3)
    ours = network("torchvision:mobilenet_v3_small", 5, 3).state_dict()
    torch.manual_seed(3)
    theirs = models.mobilenet_v3_small(num_classes=5).state_dict()
    assert all(torch.equal(one, other) for one, other in zip(ours.values(), theirs.values(), strict=True))


def test_settings_follow_the_name():
    text = "timm:vit_tiny_patch16_224.augreg_in21k(drop_path_rate=0.1;img_size=32)"
    read = described(text)
    assert read.network.nodes[0].edges[0].ops == (
        Op.parse("timm(name=vit_tiny_patch16_224;tag=augreg_in21k;drop_path_rate=0.1;img_size=32)"),
    )
    assert REGISTRY.translators()["timm"].to_text(read) == text
    assert load(dump(read), catalogue=REGISTRY.operations()) == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timm:resnet81", "timm has no network called resnet81. Did you mean resnet18?"),
        ("torchvision:mobilenetv2", "Did you mean mobilenet_v2?"),
        ("timm:", "timm has no network called nothing."),
    ],
)
def test_an_unknown_network_is_refused(text, message):
    with pytest.raises(DescriptionError) as caught:
        described(text)
    assert message in str(caught.value)


def test_a_mistyped_library_is_refused():
    with pytest.raises(RecipeError, match=r"no notation is called tim\. Did you mean timm\?"):
        described("tim:resnet18")


@pytest.mark.parametrize(("name", "size"), [("timm:vgg11", 32), ("torchvision:vgg11", 32)])
def test_images_that_are_too_small_are_refused_with_the_smallest_size(name, size, tmp_path):
    with pytest.raises(RecipeError, match=f"The smallest square images that it takes are {size}x{size}"):
        nascore.evaluate(name, settings=BRIEF, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_settings_without_effect_are_warned_of(tmp_path):
    words = ["--set", "training.drop_path=0.2", "--set", "training.auxiliary=0.4", "--budget", "1steps"]
    data = ["--dataset", "synthetic", "--scale", "mini", "--set", "dataset.count=128"]
    done = CliRunner().invoke(
        main, ["evaluate", "timm:test_resnet", *data, *words, "--out", str(tmp_path / "run")]
    )
    assert "warning: training.drop_path: all operations of this network belong to its frame" in done.output
    assert "warning: training.auxiliary: this network never reduces its resolution" in done.output


def test_a_stopped_evaluation_ends_as_one_that_nobody_stopped(tmp_path):
    call = {"dataset": "synthetic", "scale": "mini", "settings": {"dataset.count": 128, "training.epochs": 2}}
    whole = nascore.evaluate("timm:test_resnet", out=tmp_path / "whole", **call)
    with pytest.raises(Exception, match="the budget of 3steps is spent"):
        nascore.evaluate("timm:test_resnet", out=tmp_path / "part", budget="3steps", **call)
    resumed = nascore.resume(tmp_path / "part")
    files = [(run.path / "best/weights.safetensors").read_bytes() for run in (whole, resumed)]
    assert files[0] == files[1]
    assert nascore.replay(whole).verdict == "bit-equal"


def test_the_networks_are_found():
    done = CliRunner().invoke(main, ["list", "notation", "--json"])
    found = {row["name"]: row["plugin"] for row in json.loads(done.output)}
    assert found["timm"] == found["torchvision"] == "nascore-vision"


def test_without_the_plugin_its_name_is_the_answer():
    done = CliRunner().invoke(main, ["evaluate", "timm:resnet18", "--without", "nascore-vision"])
    assert done.exit_code == 4
    assert "no notation is called timm; nascore-vision is switched off" in done.output


@pytest.mark.parametrize("verb", ["draw", "evaluate", "replay"])
def test_a_run_without_the_plugin_names_it(resnet, verb):
    done = CliRunner().invoke(main, [verb, str(resnet.path), "--without", "nascore-vision"])
    assert done.exit_code == 4, done.output
    assert "has the operation timm; nascore-vision is switched off" in " ".join(done.output.split())


def test_a_run_names_the_command_that_installs_the_plugin(resnet):
    others = Registry(one for one in REGISTRY.plugins if one.name != "nascore-vision")
    with pytest.raises(PluginError) as caught, naming_code(resnet.path, others):
        compiled(resnet.best, others.operations())
    assert "nascore-vision provides it but is not installed. pip install nascore-vision" in str(caught.value)


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_training_begins_with_weights_of_the_library(library, tmp_path):
    name = {"timm": "timm:test_resnet", "torchvision": "torchvision:squeezenet1_1"}[library]
    made = {
        "timm": lambda: timm.create_model("test_resnet", num_classes=20),
        "torchvision": lambda: models.squeezenet1_1(num_classes=20),
    }
    state = made[library]().state_dict()
    torch.save(state, tmp_path / "weights.pth")
    still = {"dataset.count": 64, "training.epochs": 1, "training.lr": 1e-12, "training.weight_decay": 0}
    call = {"dataset": "synthetic", "scale": "mini", "weights": tmp_path / "weights.pth"}
    large = {"dataset.size": 32, "dataset.channels": 3}
    with pytest.raises(RecipeError, match=r"the classifier of the file is not for \d+ outputs"):
        nascore.evaluate(name, settings={**still, **large}, out=tmp_path / "run", **call)
    settings = {**still, **large, "weights.head": "new"}
    network = nascore.evaluate(name, settings=settings, out=tmp_path / "run", **call).model().network
    (path,) = network.ops
    found = network.ops[path].state_dict()
    kept = [name for name, value in state.items() if name in found and value.shape == found[name].shape]
    assert len(kept) == len(state) - 2
    weights = [name for name in kept if name.endswith("weight")]
    assert all(torch.allclose(found[name], state[name], atol=1e-6) for name in weights)
