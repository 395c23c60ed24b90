"""What has grown classifies an image alike, whatever else is in the batch: in every space, and in a run."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from petridish_runs import grown, recipe_of
from petridish_samples import CATALOGUE, mixture, network, policy, strength
from safetensors.torch import load_file
from streamed_data import images_of

from nascore.component import load as built
from nascore.description import load
from nascore.engine.augmentation import normalise
from nascore.engine.batches import fit_and_validation
from nascore.engine.sources import source_of
from nascore.engine.streams import Streams
from nascore.plugin import discover
from nascore.run import read
from nascore.testing.dataset import facts
from nascore.testing.space import CLOSE, batch_difference

REGISTRY = discover()
KIND = facts(channels=1, size=8, classes=5)
NO_SPACES = {"file", "planted"}
"""One needs a file; of the other Petridish begins with noise, which is another each time."""
SPACES = [
    part.name
    for part in REGISTRY.components("space")
    if part.name not in NO_SPACES and "fixed" not in part.given(part.config())
]
IMAGES = 24


def space_of(name):
    part = REGISTRY.get("space", name)
    return built(part.build)(part.config(**part.mini)).describe(KIND)


@pytest.mark.parametrize("name", SPACES)
def test_what_grows_in_a_space_classifies_one_image_at_a_time(name):
    growing, catalogue = policy(search="cell"), REGISTRY.operations()
    description = growing.propose(space_of(name), None, 1, None)[0].description
    for number in (1, 2):
        assert batch_difference(description, catalogue, KIND) <= CLOSE
        opened = growing.open(description, catalogue)
        description = growing.close(opened, strength(mixture(opened, number)))
    assert batch_difference(description, catalogue, KIND) <= CLOSE


@pytest.fixture(scope="module", params=[False, True], ids=["shadows", "soft"])
def run(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("grown") / "a run"
    return read(grown(path, growth__soft=request.param, growth__count=3, growth__child_epochs=2))


def check_single_image_batches(model, images):
    """The logits of images one at a time, in pairs and in another order are those of the batch."""
    with torch.no_grad():
        whole = model(images)
        for size in (1, 2, IMAGES // 2):
            parts = torch.cat([model(part) for part in images.split(size)])
            assert torch.allclose(parts, whole, rtol=CLOSE, atol=CLOSE)
        assert torch.allclose(model(images.flip(0)).flip(0), whole, rtol=CLOSE, atol=CLOSE)
    assert not torch.allclose(whole[0], whole[1], rtol=CLOSE, atol=CLOSE)


def images():
    return torch.randn(IMAGES, 3, 8, 8, generator=torch.Generator().manual_seed(3))


def test_every_architecture_of_the_gallery_does(run):
    assert len(run.gallery) == 3
    for entry in run.gallery:
        description = load((run.path / entry.description).read_text(), catalogue=CATALOGUE)
        net = network(description)
        net.load_state_dict(load_file(run.path / entry.weights))
        assert all(norm.num_batches_tracked > 0 for norm in used_norms(net))
        check_single_image_batches(net.eval(), images())


def test_it_was_measured_as_it_classifies_one_image_at_a_time(run):
    recipe = recipe_of()
    part = recipe.part("dataset")
    data = built(part.component.build)(part.settings)
    _, held = fit_and_validation(source_of(data.train()), Streams(0)["validation"])
    pictures = normalise(images_of(held), data.facts)
    for entry in run.gallery:
        description = load((run.path / entry.description).read_text(), catalogue=CATALOGUE)
        net = network(description)
        net.load_state_dict(load_file(run.path / entry.weights))
        with torch.no_grad():
            answers = torch.cat([net.eval()(picture).argmax(1) for picture in pictures.split(1)])
        assert float((answers == held.labels).float().mean()) == pytest.approx(entry.accuracy)


def used_norms(net):
    """Return the norms that the output depends on: those of what no state reads never see an image."""
    steps = net.programs[False].steps
    paths = {branch.path for step in steps for link in step.readers for branch in link.branches}
    modules = (module for path in paths for module in net.ops[path].modules())
    return [module for module in modules if isinstance(module, torch.nn.BatchNorm2d)]


def test_the_program_of_the_best_does(run):
    spec = importlib.util.spec_from_file_location("grown_model", run.path / "best" / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check_single_image_batches(module.load(), images())
