"""All executions give the numbers of the plain one in every installed space: outputs and all gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from nascore.component import load
from nascore.engine.build import build_parts
from nascore.nn import compile  # noqa: A004 - what it does to a description
from nascore.plugin import discover
from nascore.recipe import Request, settled

BATCH = 3
CLOSE = 1e-10
"""Largest difference, as a share of the network's largest gradient."""

SPACES = (
    "tiny",
    pytest.param("darts", marks=pytest.mark.needs("nascore-darts")),
    pytest.param("nb201", marks=pytest.mark.needs("nascore-nasbench")),
    *(pytest.param(name, marks=pytest.mark.needs("nascore-spaces")) for name in ("mbconv", "resnet")),
)


def executions(registry):
    """Return the classes of the executions that can compute here."""
    found = registry.executions()
    return {
        name: load(found[name].build)
        for name in found
        if name != "plain" and not (found[name].check and list(load(found[name].check)()))
    }


def mixtures(network, form):
    """Return weights of the candidates: shared, of each use and image, or expanded over the images."""
    generator = torch.Generator().manual_seed(1)
    for name, group in network.groups.items():
        sizes = {
            "shared": (group.rows, group.columns),
            "one-image": (group.replicas, 1, group.rows, group.columns),
            "each-image": (group.replicas, BATCH, group.rows, group.columns),
            "expanded": (1, 1, group.rows, group.columns),
        }[form]
        weights = torch.rand(sizes, generator=generator, dtype=torch.float64)
        if form == "expanded":
            weights = weights.expand(group.replicas, BATCH, group.rows, group.columns)
        yield name, weights.requires_grad_()


def alive(network):
    """Return the candidates to run, about two of three."""
    generator = torch.Generator().manual_seed(2)
    return {
        name: torch.rand(group.rows, group.columns, generator=generator) < 2 / 3
        for name, group in network.groups.items()
    }


def numbers(description, catalogue, execution, shape, form, *, some):
    """Return the logits, and the gradients of weights, mixture and images."""
    torch.manual_seed(0)
    network = compile(description, catalogue, execution=execution).to(torch.float64).train()
    images = torch.rand(BATCH, *shape, dtype=torch.float64).requires_grad_()
    mixture = dict(mixtures(network, form))
    outputs = network(images, mixture, alive=alive(network) if some else None)
    logits = outputs[0] if isinstance(outputs, tuple) else outputs
    sources = {**dict(network.named_parameters()), **mixture, "images": images}
    loss = cross_entropy(logits, torch.arange(BATCH), reduction="sum")
    found = torch.autograd.grad(loss, list(sources.values()), allow_unused=True)
    return logits.detach(), dict(zip(sources, found, strict=True))


@pytest.mark.parametrize("space", SPACES)
def test_every_execution_gives_the_numbers_of_the_plain_one(space):
    registry = discover()
    recipe = settled(Request(scale="mini", names={"space": [space], "updater": ["uniform"]}), registry)
    dataset, parts = build_parts(recipe, registry)
    facts, catalogue = dataset.facts, registry.operations()
    shape = (facts.channels, facts.height, facts.width)
    for form, some in (("shared", False), ("one-image", False), ("each-image", True), ("expanded", False)):
        logits, slopes = numbers(parts.description, catalogue, "plain", shape, form, some=some)
        largest = max(float(slope.abs().max()) for slope in slopes.values() if slope is not None)
        for name, execution in executions(registry).items():
            other, others = numbers(parts.description, catalogue, execution, shape, form, some=some)
            torch.testing.assert_close(other, logits, rtol=1e-9, atol=1e-9, msg=f"{name}, {form}")
            for key, slope in slopes.items():
                wanted = 0 if slope is None else slope
                found = 0 if others[key] is None else others[key]
                difference = torch.as_tensor(found - wanted).abs().max()
                assert difference <= CLOSE * largest, (name, form, key)


def test_the_executions_of_the_core_are_compared():
    assert {"fused", "batched"} <= set(executions(discover()))
