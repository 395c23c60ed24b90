"""An evaluation begins with weights of a file."""

from __future__ import annotations

import hashlib

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

import nascore
from nascore.cli import main
from nascore.errors import RecipeError

MODULE = """
from torch import nn


def make(num_classes, in_channels):
    conv = nn.Conv2d(in_channels, 4, 3, padding=1)
    head = nn.Linear(4, num_classes)
    return nn.Sequential(conv, nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
"""
BRIEF = {"training.epochs": 1, "training.batch": 512}
STILL = {**BRIEF, "training.lr": 1e-12, "training.weight_decay": 0}


def module(outputs=10):
    conv = nn.Conv2d(1, 4, 3, padding=1)
    return nn.Sequential(
        conv, nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, outputs)
    )


@pytest.fixture
def net(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(MODULE, encoding="utf-8")
    return f"{file}:make"


def saved(tmp_path, state, name="net.pt"):
    torch.save(state, tmp_path / name)
    return tmp_path / name


def trained(run):
    """Return the tensors of a finished run without the name of its operation."""
    network = run.model(plugins=[next((run.path / "files").glob("*.py")).as_posix() + ":make"]).network
    (path,) = network.ops
    return network.ops[path].state_dict()


def refusal(net, tmp_path, file, **call):
    with pytest.raises(RecipeError) as caught:
        nascore.evaluate(net, weights=file, settings=BRIEF, out=tmp_path / "run", **call)
    assert not (tmp_path / "run").exists()
    return str(caught.value)


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "safetensors"])
def test_training_begins_with_the_weights(net, tmp_path, wrapper):
    state = module().state_dict()
    if wrapper == "safetensors":
        file = tmp_path / "net.safetensors"
        save_file(state, file)
    else:
        file = saved(tmp_path, {wrapper: state, "epoch": 3} if wrapper else state)
    run = nascore.evaluate(net, weights=file, settings=STILL, out=tmp_path / "run")
    found = trained(run)
    for name in ("0.weight", "0.bias", "1.weight", "4.weight", "4.bias"):
        assert torch.allclose(found[name], state[name], atol=1e-6), name
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest in (run.path / "recipe.yaml").read_text(encoding="utf-8")


def test_resume_and_replay_read_the_file_again_and_refuse_another(net, tmp_path):
    file = saved(tmp_path, module().state_dict())
    call = {"settings": {**BRIEF, "training.epochs": 2}, "weights": file}
    whole = nascore.evaluate(net, out=tmp_path / "whole", **call)
    with pytest.raises(Exception, match="the budget of 3steps is spent"):
        nascore.evaluate(net, out=tmp_path / "part", budget="3steps", **call)
    assert nascore.replay(whole, plugins=[net]).verdict == "bit-equal"
    content = file.read_bytes()
    saved(tmp_path, module().state_dict())
    again = [tmp_path / "part" / "files" / "net.py:make"]
    with pytest.raises(RecipeError, match=r"net\.pt has changed: its SHA-256 is"):
        nascore.resume(tmp_path / "part", plugins=again)
    with pytest.raises(RecipeError, match=r"net\.pt has changed: its SHA-256 is"):
        nascore.replay(whole, plugins=[net])
    recipe = whole.path / "recipe.yaml"
    with pytest.raises(RecipeError, match=r"net\.pt has changed"):
        nascore.evaluate(net, recipe=recipe, out=tmp_path / "other")
    nascore.evaluate(net, recipe=recipe, weights=file, plugins=[net], out=tmp_path / "other")
    file.write_bytes(content)
    resumed = nascore.resume(tmp_path / "part", plugins=again)
    files = [(run.path / "best/weights.safetensors").read_bytes() for run in (whole, resumed)]
    assert files[0] == files[1]


def test_every_tensor_that_does_not_fit_is_named(net, tmp_path):
    state = module(1000).state_dict()
    del state["0.bias"], state["1.num_batches_tracked"]
    state["0.weight"] = torch.zeros(4, 3, 3, 3)
    state |= {f"more.{number}": torch.zeros(2) for number in range(5)}
    text = refusal(net, tmp_path, saved(tmp_path, state))
    assert "the file lacks 1 tensor of the network: 0.bias [4]." in text
    assert "no place for 5 tensors of the file: more.0 [2]; more.1 [2]; more.2 [2] and 2 more." in text
    shape = (
        "1 tensor of the file and the network differ in shape: 0.weight is [4, 3, 3, 3], not [4, 1, 3, 3]."
    )
    assert shape in text
    heads = "the classifier of the file is not for 10 outputs: 4.weight is [1000, 4], not [10, 4]; 4.bias is"
    assert heads in text
    assert "Begin with a new classifier: --set weights.head=new." in text


@pytest.mark.parametrize("outputs", [1000, None])
def test_a_new_classifier_leaves_that_of_the_file_out(net, tmp_path, outputs):
    state = module(outputs or 1).state_dict()
    if outputs is None:
        del state["4.weight"], state["4.bias"]
    file = saved(tmp_path, state)
    words = ["--weights", str(file), "--set", "weights.head=new", "--out", str(tmp_path / "run")]
    sets = [word for path, value in STILL.items() for word in ("--set", f"{path}={value}")]
    done = CliRunner().invoke(main, ["evaluate", net, *words, *sets, "--json"])
    assert done.exit_code == 0, done.output
    found = trained(nascore.load_run(tmp_path / "run"))
    assert torch.allclose(found["0.weight"], state["0.weight"], atol=1e-6)
    assert found["4.weight"].shape == (10, 4)


def test_other_files_are_refused(net, tmp_path):
    assert "no such file" in refusal(net, tmp_path, tmp_path / "missing.pt").lower()
    pickled = saved(tmp_path, module(), "whole.pt")
    assert "whole.pt is not a file of weights. Save a state dict" in refusal(net, tmp_path, pickled)
    (tmp_path / "text.safetensors").write_text("text", encoding="utf-8")
    assert "is not a file of weights" in refusal(net, tmp_path, tmp_path / "text.safetensors")
    assert "holds a Tensor, not a state dict" in refusal(net, tmp_path, saved(tmp_path, torch.zeros(3)))
    assert "has epoch beside tensors" in refusal(
        net, tmp_path, saved(tmp_path, {"epoch": 3, "a": torch.zeros(1)})
    )


def test_the_weights_of_a_run_fit_its_architecture(tmp_path):
    words = ["--dataset", "synthetic", "--set", "dataset.count=64", "--set", "training.epochs=1"]
    small = ["--scale", "mini", "--set", "training.channels=2", "--set", "training.cells=3"]
    runner = CliRunner()
    first = runner.invoke(main, ["evaluate", "DARTS_V2", *words, *small, "--out", str(tmp_path / "first")])
    assert first.exit_code == 0, first.output
    weights = ["--weights", str(tmp_path / "first" / "best" / "weights.safetensors")]
    again = runner.invoke(
        main, ["evaluate", "DARTS_V2", *words, *small, *weights, "--out", str(tmp_path / "again"), "--json"]
    )
    assert again.exit_code == 0, again.output
    other = runner.invoke(
        main,
        ["evaluate", "DARTS_V2", *words, *small[:4], *weights, "--out", str(tmp_path / "other"), "--json"],
    )
    assert "weights.file: the file lacks" in other.output
