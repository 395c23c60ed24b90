"""Training begins with published weights that are on this machine; nothing is downloaded."""

from __future__ import annotations

import hashlib

import pytest
import timm
import torch
from attrs import evolve
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn
from torchvision import models

import nascore
from nascore.api import Pretrained
from nascore.cli import main
from nascore.engine.initial_weights import with_initial_weights
from nascore.errors import PluginError, RecipeError
from nascore.recipe import EVALUATE_RUN, Request
from nascore.recipe.settling.request import settled
from nascore.slots import SLOTS_OF_EVALUATE
from nascore.verbs.architecture import read_architecture
from nascore.verbs.pretrained import pretrained_file, with_pretrained
from nascore.verbs.resolution import installed

REGISTRY = installed()
DATA = ["--dataset", "synthetic", "--scale", "mini", "--set", "dataset.count=64"]
SMALL = ["--set", "dataset.size=32", "--set", "dataset.channels=3", "--set", "training.epochs=1"]
STILL = ["--set", "training.lr=1e-12", "--set", "training.weight_decay=0"]


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """The folder of an empty cache of the Hugging Face hub."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch):
    """The folder of torch's downloaded weights, not made yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def cached(hub, repository, name, state):
    """Write a file as the hub's cache keeps it; returns it."""
    root = hub / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text("abc", encoding="utf-8")
    folder = root / "snapshots" / "abc"
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith(".safetensors"):
        save_file(state, folder / name)
    else:
        torch.save(state, folder / name)
    return folder / name


def begun_with(text):
    """Return the recipe and the initial tensors of an evaluation with published weights, without training."""
    settings = {"dataset.size": 32, "dataset.channels": 3}
    request = Request(names={"dataset": ["synthetic"]}, scale="mini", settings=settings, from_python=True)
    request = with_pretrained(request, text, REGISTRY)
    recipe = settled(request, REGISTRY, run=EVALUATE_RUN, slots=SLOTS_OF_EVALUATE)
    description = evolve(read_architecture(text, REGISTRY), classes=1000)
    return with_initial_weights(recipe, description, REGISTRY.operations())


def test_a_network_of_timm_begins_with_its_published_weights_and_repeats(hub, tmp_path):
    state = timm.create_model("test_resnet").state_dict()
    repository = "timm/test_resnet.r160_in1k"
    cached(hub, repository, "pytorch_model.bin", {"never": torch.zeros(1)})
    file = cached(hub, repository, "model.safetensors", state)
    words = ["evaluate", "timm:test_resnet(drop_rate=0.1)", "--pretrained", *DATA, *SMALL, *STILL]
    done = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    run = nascore.load_run(tmp_path / "run")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert all(one in run.recipe for one in (digest, str(file), "head: new"))
    network = run.model().network
    (path,) = network.ops
    found = network.ops[path].state_dict()
    weights = [name for name in state if name.endswith("weight") and not name.startswith("fc.")]
    assert all(torch.allclose(found[name], state[name], atol=1e-6) for name in weights)
    assert found["fc.weight"].shape != state["fc.weight"].shape
    assert nascore.replay(run).verdict == "bit-equal"
    save_file({**state, "fc.bias": state["fc.bias"] + 1}, file)
    with pytest.raises(RecipeError, match=r"model\.safetensors has changed: its SHA-256 is"):
        nascore.replay(run)


def test_the_classifier_is_loaded_where_the_outputs_are_equal(hub):
    state = timm.create_model("test_resnet").state_dict()
    cached(hub, "timm/test_resnet.r160_in1k", "pytorch_model.bin", state)
    recipe, tensors = begun_with("timm:test_resnet.r160_in1k")
    assert recipe.run.weights.head == "loaded"
    assert len(tensors) == len(state)


def test_weights_of_timm_may_be_in_the_checkpoints_of_torch(checkpoints):
    url = timm.models.get_pretrained_cfg("resnet18").url
    checkpoints.mkdir(parents=True)
    file = checkpoints / url.rpartition("/")[2]
    file.write_bytes(b"weights")
    assert pretrained_file("timm:resnet18", REGISTRY) == file


@pytest.mark.parametrize(
    ("name", "more"), [("squeezenet1_1", {}), ("googlenet", {"aux_logits": True, "init_weights": False})]
)
def test_a_network_of_torchvision_begins_with_its_published_weights(name, more, checkpoints):
    state = models.get_model(name, weights=None, **more).state_dict()
    checkpoints.mkdir(parents=True)
    url = models.get_model_weights(name).DEFAULT.url
    torch.save(state, checkpoints / url.rpartition("/")[2])
    recipe, tensors = begun_with(f"torchvision:{name}")
    assert recipe.run.weights.head == "loaded"
    found = {key.partition("network.")[2].partition(".")[2] or key: value for key, value in tensors.items()}
    kept = {key for key in state if not key.startswith("aux")}
    assert len(found) == len(kept) > 0
    assert {tuple(one.shape) for one in tensors.values()} == {tuple(state[key].shape) for key in kept}


def test_old_names_of_published_densenets_are_read(checkpoints):
    state = models.densenet121(weights=None).state_dict()
    old = {
        key.replace("norm1.", "norm.1.").replace("norm2.", "norm.2.").replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for key, value in state.items()
    }  # fmt: skip
    assert old.keys() != state.keys()
    checkpoints.mkdir(parents=True)
    url = models.get_model_weights("densenet121").DEFAULT.url
    torch.save(old, checkpoints / url.rpartition("/")[2])
    _, tensors = begun_with("torchvision:densenet121")
    suffixes = [next(key for key in tensors if key.endswith(f".{name}")) for name in state]
    assert all(torch.equal(tensors[key], state[name]) for key, name in zip(suffixes, state, strict=True))


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "timm:test_resnet",
            [
                "the published weights of timm:test_resnet are not on this machine.",
                "model.safetensors or pytorch_model.bin of timm/test_resnet.r160_in1k in ",
                "Get it: hf download timm/test_resnet.r160_in1k model.safetensors.",
                "--weights FILE takes any file of weights.",
            ],
        ),
        (
            "torchvision:mobilenet_v2",
            [
                "hub/checkpoints/mobilenet_v2-7ebf99e0.pth.",
                "Download https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth to ",
            ],
        ),
        (
            "timm:resnet18.a1_in1",
            ["timm has no weights of resnet18 with the tag a1_in1. Did you mean a1_in1k?"],
        ),
        ("timm:botnet50ts_256", ["timm:botnet50ts_256 has no published weights."]),
        ("timm:resnet81", ["timm has no network called resnet81. Did you mean resnet18?"]),
        (
            "DARTS_V2",
            [
                "an architecture in the notation genotype has no published weights.",
                "Networks of timm and torchvision have them.",
            ],
        ),
    ],
)
def test_weights_that_are_not_here_are_refused_with_the_way_to_get_them(text, messages):
    done = CliRunner().invoke(main, ["evaluate", text, "--pretrained", "--scale", "mini"])
    assert done.exit_code == 3
    assert all(message in " ".join(done.output.split()) for message in messages), done.output


def test_two_sources_of_weights_are_refused():
    words = ["evaluate", "timm:test_resnet", "--pretrained", "--weights", "net.pt"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 3
    assert "--weights FILE and --pretrained both name the weights" in done.output
    with pytest.raises(RecipeError, match="both name the weights"):
        nascore.evaluate("timm:test_resnet", pretrained=True, weights="net.pt")


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda _text: "net.pt", r"returned 'net\.pt', not a Pretrained"),
        (lambda _text: Pretrained(file="net.pt"), "not a Pretrained with a Path"),
        (lambda _text: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_faulty_notation_is_named(result, message):
    class Registry:
        def translators(self):
            return {"timm": evolve(REGISTRY.translators()["timm"], pretrained=result)}

    with pytest.raises(PluginError, match=message):
        pretrained_file("timm:test_resnet", Registry())


def test_tensors_that_a_plugin_does_not_rename_are_refused(hub):
    cached(hub, "timm/test_resnet.r160_in1k", "pytorch_model.bin", nn.Linear(1, 1).state_dict())
    catalogue = dict(REGISTRY.operations())
    catalogue["timm"] = evolve(catalogue["timm"], weights=lambda tensors, **_settings: list(tensors))
    request = with_pretrained(Request(scale="mini", from_python=True), "timm:test_resnet", REGISTRY)
    recipe = settled(request, REGISTRY, run=EVALUATE_RUN, slots=SLOTS_OF_EVALUATE)
    with pytest.raises(PluginError, match="`weights` of the operation timm returned a list, not tensors"):
        with_initial_weights(recipe, read_architecture("timm:test_resnet", REGISTRY), catalogue)
