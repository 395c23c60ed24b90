"""What training steps keep for their backward passes is counted against the memory before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command_line import cli
from engine_runs import NAMES, REGISTRY, recipe_of
from tiny import CLOSED

from nascore.description import choose, derive, expand
from nascore.engine.build import build_parts
from nascore.engine.memory import CERTAIN, GIB
from nascore.nn import compile  # noqa: A004 - what it does to a description
from nascore.nn.costs import activations
from nascore.plugin import discover
from nascore.recipe import Request, settled

BATCH = 4
DATA = ("--dataset", "synthetic", "--scale", "mini")
SMALL = ("search", "--space", "tiny", "--updater", "sgd", *DATA)
LARGE = ("--set", "dataset.size=512")


@pytest.fixture(autouse=True)
def eight(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nascore.engine.memory.available_memory", lambda: 8 * GIB)


def kept_bytes(network, *given):
    """Return the bytes of all tensors that are saved for the backward pass, but parameters and buffers."""
    own = {one.untyped_storage().data_ptr() for one in (*network.parameters(), *network.buffers())}
    saved = []

    def pack(tensor):
        saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = network(*given)
    assert result is not None
    stores = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in saved}
    return sum(size for at, size in stores.items() if at not in own)


def even(description):
    groups = expand(description).layouts
    return {
        name: torch.tensor(group.mask, dtype=torch.float32).requires_grad_() for name, group in groups.items()
    }


@pytest.mark.parametrize(
    "space",
    [
        "tiny",
        *(pytest.param(name, marks=pytest.mark.needs("nascore-darts")) for name in ("darts",)),
        *(pytest.param(name, marks=pytest.mark.needs("nascore-spaces")) for name in ("mbconv", "resnet")),
        pytest.param("nb201", marks=pytest.mark.needs("nascore-nasbench")),
    ],
)
def test_the_estimate_is_that_of_the_network(space):
    registry = discover()
    recipe = settled(Request(scale="mini", names={"space": [space], "updater": ["uniform"]}), registry)
    dataset, parts = build_parts(recipe, registry)
    description, facts, catalogue = parts.description, dataset.facts, registry.operations()
    images = torch.rand(BATCH, facts.channels, facts.height, facts.width)
    counted = 4 * BATCH * activations(description, catalogue, (facts.height, facts.width))
    for execution in ("plain", "fused"):
        network = compile(description, catalogue, execution=execution).train()
        assert CERTAIN < kept_bytes(network, images, even(description)) / counted < 1.25


def test_that_of_a_closed_network_too():
    registry = discover()
    recipe = settled(Request(scale="mini", names={"space": ["tiny"], "updater": ["uniform"]}), registry)
    _, parts = build_parts(recipe, registry)
    description, catalogue = parts.description, registry.operations()
    last = {
        name: [[float(column) for column, _ in enumerate(group.ops)] for _ in group.rows]
        for name, group in expand(description).layouts.items()
    }
    closed = derive(description, choose(description, last))
    counted = 4 * BATCH * activations(closed, catalogue, (8, 8))
    assert 0.1 < kept_bytes(compile(closed, catalogue).train(), torch.rand(BATCH, 1, 8, 8)) / counted < 1.5


@pytest.mark.needs("nascore-darts")
def test_recomputed_cells_are_counted_once():
    registry = discover()
    recipe = settled(Request(scale="mini", names={"space": ["darts"], "updater": ["uniform"]}), registry)
    dataset, parts = build_parts(recipe, registry)
    description, facts, catalogue = parts.description, dataset.facts, registry.operations()
    size = (facts.height, facts.width)
    images = torch.rand(BATCH, facts.channels, *size)
    whole, counted = (
        4 * BATCH * activations(description, catalogue, size, recompute=recompute)
        for recompute in (False, True)
    )
    assert counted < 0.75 * whole
    network = compile(description, catalogue, execution="fused", recompute=True).train()
    # What is kept after the forward pass; one cell more is computed again in the backward pass.
    assert kept_bytes(network, images, even(description)) < counted


@pytest.mark.needs("nascore-darts")
def test_a_step_that_fits_only_if_cells_are_recomputed_is_accepted_then():
    words = ("search", "--space", "darts", "--updater", "darts", *DATA, *LARGE, "--dry-run")
    refused = cli(*words, "--set", "trainer.batch=400", "--set", "ranking.batch=2")
    assert refused.exit_code == 3, refused.output
    assert "execution.recompute=true needs less memory and more time" in refused.stderr
    recomputed = ("--set", "execution.recompute=true")
    done = cli(*words, "--set", "trainer.batch=400", "--set", "ranking.batch=2", *recomputed)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--seeds", "0..1")])
def test_a_step_larger_than_memory_is_refused_with_the_batch_that_fits(words, tmp_path):
    done = cli(*SMALL, *LARGE, "--set", "trainer.batch=450", *words)
    assert done.exit_code == 3, done.output
    assert "trainer.batch: a step on 450 images keeps about " in done.stderr
    assert "for its backward pass, and the device has 8.0 GiB. Set " in done.stderr
    assert (
        "or set fewer space.channels or space.cells, or smaller images; execution.recompute=true"
        in done.stderr
    )
    assert list(tmp_path.iterdir()) == []
    fits = done.stderr.partition("8.0 GiB. Set ")[2].partition(" ")[0]
    assert cli(*SMALL, *LARGE, "--dry-run", "--set", f"trainer.batch={fits}").exit_code == 0


def test_a_step_larger_than_what_is_free_is_warned_of(monkeypatch):
    words = (*SMALL, *LARGE, "--set", "trainer.batch=32", "--dry-run")
    assert "backward pass" not in cli(*words).stderr
    monkeypatch.setattr("nascore.engine.memory._free", lambda: [GIB])
    done = cli(*words)
    assert done.exit_code == 0, done.output
    assert "warning: trainer.batch: a step on 32 images keeps about 5.5 GiB" in done.stderr
    assert "and 1.0 GiB are free: the system may end the run without a message. Set " in done.stderr
    assert "from --set trainer.batch=32" in done.stderr


def test_the_training_behind_it_is_counted_too(monkeypatch):
    monkeypatch.setattr("nascore.engine.memory.available_memory", lambda: 4 * GIB)
    wide = ("--set", "ranking.batch=400", "--set", "ranking.channels=64")
    done = cli(*SMALL, *LARGE, *wide, "--dry-run")
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith("ranking.batch: a step on 400 images keeps about ")
    assert "set fewer ranking.channels or ranking.cells" in done.stderr
    trained = [word.replace("ranking", "training") for word in wide]
    done = cli(*SMALL, *LARGE, *trained, "--evaluate")
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith("training.batch: a step on 400 images keeps about ")
    assert "set fewer training.channels or training.cells" in done.stderr
    Path("net.yaml").write_text(CLOSED, encoding="utf-8")
    done = cli("evaluate", "net.yaml", *DATA, *LARGE, *trained)
    assert done.exit_code == 3, done.output
    assert "training.batch: a step on 400 images keeps about " in done.stderr


@pytest.mark.parametrize("growth", ["petridish"])
@pytest.mark.needs("nascore-petridish")
def test_what_grows_is_counted_as_it_is_opened(growth):
    done = cli(*SMALL, *LARGE, "--growth", growth, "--set", "trainer.batch=390", "--dry-run")
    assert done.exit_code == 3, done.output
    assert "trainer.batch: a step on 390 images keeps about " in done.stderr


def test_a_sampler_of_one_path_needs_less_where_theta_has_no_pass_of_its_own():
    found = {}
    for relaxation in ("softmax", "one-hot"):
        names = {**NAMES, "updater": ["uniform"], "relaxation": [relaxation]}
        _, parts = build_parts(recipe_of(names=names), REGISTRY)
        found[relaxation] = parts.steps["trainer.batch"].numbers
    assert found["one-hot"] < 0.7 * found["softmax"]
