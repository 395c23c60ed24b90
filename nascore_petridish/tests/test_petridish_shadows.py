"""Shadows: read as zero, trained by the gradient of what they would change (algorithms.md, oracle 11)."""

from __future__ import annotations

import pytest
import torch
from attrs import frozen
from petridish_samples import CATALOGUE, images, mixture, network, policy, start, with_program
from torch.nn.functional import cross_entropy

from nascore.description import expand
from nascore.nn import inherit

DOUBLE = torch.float64
LABELS = torch.tensor([0, 1, 2, 3])
GROWN = {("cells", "cell"): "n0", ("cells", "macro"): "n0", ("chain", "cell"): "l2"}
"""The sum that grows; its first operation gives as much to it as every other edge: its slope is the sum's."""


@frozen
class Backward:
    """What one pass back gave: the loss, and by name slopes and what operations gave."""

    loss: torch.Tensor
    weights: dict[str, torch.Tensor]
    alphas: dict[str, torch.Tensor]
    slopes: dict[str, torch.Tensor]
    given: dict[str, torch.Tensor]


def sums(description, name):
    """Return by prefix of its use the path of the first operation of each sum that grows."""
    found = {}
    for state in expand(description).feature_maps:
        if state.path.rpartition("/")[2] == name:
            wire = next(wire for wire in state.wires if wire.ops)
            found[state.path] = wire.op_path(wire.ops[0])
    return found


def slopes_of(loss, tensors):
    """Return the slopes; zeros for what is not read yet, such as an input that only candidates read."""
    found = torch.autograd.grad(loss, tensors, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(one) if got is None else got for one, got in zip(tensors, found, strict=True)]


def backward(net, weights=None):
    """Run a pass, keep what every operation gives, and go back."""
    given = {}
    handles = [
        module.register_forward_hook(lambda _m, _i, value, path=path: given.update({path: value}))
        for path, module in net.ops.items()
    ]
    outputs = net(images(dtype=DOUBLE), *([] if weights is None else [weights]))
    for handle in handles:
        handle.remove()
    logits, *heads = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = cross_entropy(logits, LABELS) + sum(0.4 * cross_entropy(head, LABELS) for head in heads)
    live = {path: value for path, value in given.items() if value.requires_grad}
    alphas, own = weights or {}, dict(net.named_parameters())
    slopes = iter(slopes_of(loss, [*own.values(), *alphas.values(), *live.values()]))
    return Backward(
        loss.detach(), *({name: next(slopes) for name in names} for names in (own, alphas, live)), given
    )


def check_shadows(name, search, **broken):
    description = start(name)
    opened = policy(search=search).open(description, CATALOGUE)
    parent = network(description, dtype=DOUBLE)
    net = with_program(network(opened, seed=1, dtype=DOUBLE), **broken)
    inherit(net, parent)
    weights = {group: value.requires_grad_() for group, value in mixture(opened, dtype=DOUBLE).items()}
    alone, beside = backward(parent), backward(net, weights)

    assert torch.equal(alone.loss, beside.loss)
    assert all(torch.equal(beside.weights[key], slope) for key, slope in alone.weights.items())
    targets = sums(description, GROWN[name, search])
    assert all(torch.equal(alone.slopes[path], beside.slopes[path]) for path in targets.values())
    check_candidates(net, opened, {path: alone.slopes[op] for path, op in targets.items()}, weights, beside)


def check_candidates(net, opened, at, weights, beside):
    """The slope of alpha_i is <dL/dx, f_i>; that of a candidate's weights is alpha_i dL/dx, pulled back."""
    plan = expand(opened)
    expected = {group: torch.zeros_like(value) for group, value in weights.items()}
    pulled = 0
    for state in (state for state in plan.feature_maps if state.shadow):
        slope = at[state.path.rpartition("+")[0]]
        for wire in state.wires:
            for op in wire.ops:
                path = wire.op_path(op)
                value, column = beside.given[path], plan.layouts[wire.group].ops.index(op)
                expected[wire.group][wire.row, column] += (slope * value).sum().detach()
                own = dict(net.ops[path].named_parameters())
                if own:
                    alpha = weights[wire.group][wire.row, column].detach()
                    right = torch.autograd.grad(value, list(own.values()), alpha * slope, retain_graph=True)
                    found = [beside.weights[f"ops.{path}.{part}"] for part in own]
                    assert all(map(torch.allclose, found, right))
                    assert any(each.any() for each in found)
                    pulled += 1
    assert pulled
    for group, value in expected.items():
        assert torch.allclose(beside.alphas[group], value)
        assert value.any()


@pytest.mark.parametrize(("name", "search"), GROWN)
def test_a_shadow_is_not_there_but_learns(name, search):
    check_shadows(name, search)


@pytest.mark.parametrize("broken", [{"detached": False}, {"shadow": False}], ids=["leaks", "is read"])
@pytest.mark.parametrize(("name", "search"), GROWN)
def test_a_broken_shadow_is_seen(name, search, broken):
    """Mutations: sources that are not detached; a shadow that is read as it is."""
    with pytest.raises(AssertionError):
        check_shadows(name, search, **broken)


def test_a_shadow_that_leaks_computes_the_same():
    """So that the mutation is one of gradients alone."""
    description = start("cells")
    opened = policy().open(description, CATALOGUE)
    weights, x = mixture(opened), images()
    whole, leaking = network(opened), with_program(network(opened), detached=False)
    assert torch.equal(whole(x, weights), leaking(x, weights))


@pytest.mark.parametrize("execution", ["plain", "fused"])
def test_what_grew_before_is_part_of_the_parent(execution):
    """A second growth leaves the loss and the slopes of the first one's weights as they are."""
    growing = policy()
    opened = growing.open(start("cells"), CATALOGUE)
    child = growing.close(opened, {n: v.abs().tolist() for n, v in mixture(opened).items()})
    again = growing.open(child, CATALOGUE)
    parent = network(child, execution, dtype=DOUBLE)
    with torch.no_grad():
        for gate in parent.gates.values():
            gate.fill_(0.5)
    net = network(again, execution, seed=2, dtype=DOUBLE)
    assert not inherit(net, parent)[1]
    x, results = images(dtype=DOUBLE), []
    for each, args in ((parent, ()), (net, (mixture(again, dtype=DOUBLE),))):
        loss = cross_entropy(each(x, *args), LABELS)
        own = [each.get_parameter(name) for name, _ in parent.named_parameters()]
        results.append([loss.detach(), *slopes_of(loss, own)])
    assert all(map(torch.equal, *results))
    names = [name for name, _ in parent.named_parameters()]
    assert any("n0+1/" in name and slope.any() for name, slope in zip(names, results[0][1:], strict=True))
