"""A network written as a file that needs torch alone."""

from __future__ import annotations

import ast
import os
import runpy
import subprocess
import sys

import pytest
import torch
from descriptions import RESNET
from nn_samples import BENCHMARK, CATALOGUE, CHAIN, darts, images, network, petridish, random_mixture
from safetensors.torch import save_file

from nascore.description import Operation, choose, derive, final, load, resize
from nascore.errors import DescriptionError, PluginError
from nascore.nn import compile as compiled
from nascore.nn import standalone
from nascore.nn.preprocessing import Preprocessing

PROGRAM = """
import sys, torch
sys.modules["nascore"] = None  # an import of it fails now
sys.modules["safetensors"] = None
from model import load
torch.save(load()(torch.load("images.pt")), "logits.pt")
"""
FOREIGN = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, op: foreign}
    head: {from: -1, op: classifier, width: classes}
"""


def closed(description):
    strength = {name: each.tolist() for name, each in random_mixture(description).items()}
    return derive(description, choose(description, strength))


NETWORKS = {
    "darts": final(closed(darts())),
    "search form": closed(darts()),
    "child with a head": petridish(),
    "resnet": resize(load(RESNET), channels=4),
    "chain": closed(load(CHAIN)),
    "benchmark": closed(resize(load(BENCHMARK), channels=4, repeats={"a": 1, "b": 1, "c": 1})),
}


def trained(description):
    """A network whose weights and running statistics are none of the first ones."""
    net = network(description, random_gates=True)
    with torch.no_grad():
        for _ in range(3):
            net.train()(images(8, size=32))
    return net


def prepared(x):
    channels = x.shape[1]
    return Preprocessing(shape=tuple(x.shape[1:]), mean=(0.25,) * channels, std=(0.5,) * channels)


def written(net, folder, x):
    source = standalone(net, prepared(x))
    (folder / "model.py").write_text(source, encoding="utf-8")
    save_file(
        {name: value.contiguous() for name, value in net.state_dict().items()}, folder / "weights.safetensors"
    )
    return source


@pytest.mark.parametrize("name", NETWORKS)
def test_it_gives_what_the_network_gives(name, tmp_path):
    net, x = trained(NETWORKS[name]), images(3, size=32)
    source = written(net, tmp_path, x)
    assert net.training
    model = runpy.run_path(str(tmp_path / "model.py"))["load"]()
    assert not model.training
    assert torch.equal(model(x), net.eval()(x))
    own = dict(net.named_parameters())
    assert all(value.shape == own[path].shape for path, value in model.named_parameters())
    assert "images [N, 3, 32, 32]" in source


def test_it_serves_other_sizes_than_the_one_it_was_traced_with(tmp_path):
    net = trained(NETWORKS["darts"])
    written(net, tmp_path, images(1, size=32))
    model = runpy.run_path(str(tmp_path / "model.py"))["load"]()
    x = images(5, size=27)
    assert torch.equal(model(x), net.eval()(x))


def test_it_imports_torch_and_the_standard_library(tmp_path):
    tree = ast.parse(written(trained(petridish()), tmp_path, images(size=32)))
    names = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names == {"__future__", "hashlib", "json", "struct", "pathlib", "torch"}
    assert ast.get_docstring(tree)


def test_it_runs_in_a_process_in_which_nascore_cannot_be_imported(tmp_path):
    net, x = trained(petridish()), images(3, size=32)
    written(net, tmp_path, x)
    torch.save(x, tmp_path / "images.pt")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, check=True)
    assert torch.equal(torch.load(tmp_path / "logits.pt"), net.eval()(x))


def test_weights_of_every_type_are_read(tmp_path):
    source = standalone(network(petridish()), prepared(images()))
    (tmp_path / "model.py").write_text(source, encoding="utf-8")
    read = runpy.run_path(str(tmp_path / "model.py"))["read"]
    types = (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.uint8,
        torch.bool,
    )
    tensors = {str(kind): torch.arange(6).reshape(2, 3).to(kind) for kind in types}
    tensors["scalar"] = torch.tensor(3)
    save_file(tensors, tmp_path / "some.safetensors", metadata={"made": "by a test"})
    found = read(tmp_path / "some.safetensors")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_missing_weights_are_named(tmp_path):
    net = network(NETWORKS["chain"])
    (tmp_path / "model.py").write_text(standalone(net, prepared(images())), encoding="utf-8")
    weights = net.state_dict()
    del weights["ops.head/-1/classifier.linear.bias"]
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(KeyError, match=r"classifier\.linear\.bias"):
        runpy.run_path(str(tmp_path / "model.py"))["load"]()


def foreign(build):
    catalogue = {**CATALOGUE, "foreign": Operation(name="foreign", build=build)}
    return compiled(load(FOREIGN), catalogue)


class Scaled(torch.nn.Module):
    def __init__(self, _c_in, c_out, _stride):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.rand(1, c_out, 1, 1))
        self.register_buffer("shift", torch.rand(1, c_out, 1, 1))
        self.act = torch.nn.GELU(approximate="tanh")

    def forward(self, x):
        return torch.nn.functional.hardtanh(self.act(x) * self.scale + self.shift, min_val=-0.5)


class Deciding(torch.nn.Module):
    def __init__(self, *_place):
        super().__init__()

    def forward(self, x):
        return x if x.sum() > 0 else -x


class Picky(torch.nn.Module):
    def __init__(self, *_place):
        super().__init__()

    def forward(self, x):
        if type(x) is not torch.Tensor:
            raise KeyError("images are tensors")
        return x


class Hidden(torch.nn.Module):
    def __init__(self, _c_in, c_out, _stride):
        super().__init__()
        self.register_buffer("shift", torch.rand(1, c_out, 1, 1), persistent=False)

    def forward(self, x):
        return x + self.shift


def test_an_operation_of_a_plugin_is_written_as_what_it_is_made_of(tmp_path):
    net, x = foreign(Scaled), images(3)
    source = written(net, tmp_path, x)
    assert "nn.GELU(approximate='tanh')" in source
    assert torch.equal(runpy.run_path(str(tmp_path / "model.py"))["load"]()(x), net.eval()(x))


@pytest.mark.parametrize("build", [Deciding, Hidden, Picky])
def test_what_cannot_be_written_is_refused(build):
    net = foreign(build)
    with pytest.raises(PluginError, match="cannot be written out"):
        standalone(net, prepared(images()))
    assert net.training


def test_an_open_network_is_refused():
    with pytest.raises(DescriptionError, match="the network is open"):
        standalone(network(darts()), prepared(images()))
