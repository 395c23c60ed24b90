"""Running a network: drop path, other weights, copies, what is held, and what is inherited."""

from __future__ import annotations

import copy
import weakref
from itertools import pairwise

import torch
from nn_samples import (
    CHAIN,
    darts,
    images,
    layouts,
    network,
    petridish,
    uniform,
)
from torch.func import functional_call

from nascore.description import derive, load, resize
from nascore.nn import inherit

SPACE = darts()


def test_drop_path_falls_on_samples_of_operations_that_are_neither_frame_nor_identity():
    description = load(CHAIN)
    picks = {"layers": [(0, 0), (1, 2), (2, 1)]}
    net, seen = network(derive(description, picks)), {}
    for path, module in net.ops.items():
        module.register_forward_hook(lambda _, x, y, path=path: seen.update({path: (x[0], y)}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net(images(64), drop_path=0.25)
    order = list(net.ops)
    for path, reader in pairwise(order):
        scale = (seen[reader][0] / seen[path][1]).nan_to_num(1).flatten(1)
        dropped = int((scale == 0).all(1).sum())
        if "mbconv" in path:
            assert 4 <= dropped <= 28
            kept = scale[(scale != 0).any(1)]
            assert torch.allclose(kept, torch.full_like(kept, 1 / 0.75), rtol=1e-5)
        else:
            assert torch.equal(seen[reader][0], seen[path][1])


def test_a_skip_that_halves_is_dropped():
    description = SPACE
    column = layouts(description)["reduce"].column_names().index("skip_connect")
    skips = {name: [(row, column) for row in range(14)] for name in ("normal", "reduce")}
    net = network(derive(description, skips))
    links = {
        branch.path: branch.drops
        for step in net.programs[True].steps
        for link in step.readers
        for branch in link.branches
    }
    assert links["r1/n0/pre0/skip_connect"]
    assert not links["r1/n1/n0/skip_connect"]
    assert not links["a-0/n0/pre0/skip_connect"]
    assert not links["r1/pre0/in0/fit"]


def test_drop_path_draws_from_the_global_generator_in_training_only():
    net, x = network(petridish()), images(size=32)
    with torch.random.fork_rng(devices=[]):
        before = torch.get_rng_state()
        net.eval()(x, drop_path=0.5)
        net.train()(x, drop_path=0.0)
        assert torch.equal(torch.get_rng_state(), before)
        first = net(x, drop_path=0.5)[0]
        torch.set_rng_state(before)
        assert torch.equal(net(x, drop_path=0.5)[0], first)
        assert not torch.equal(net(x, drop_path=0.5)[0], first)


def test_other_weights_by_functional_call():
    description = SPACE
    net, mixture, x = network(description), uniform(description), images()
    other = network(description, seed=5)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        found = functional_call(net, dict(other.state_dict()), (x, mixture), {"drop_path": 0.0})
        assert torch.equal(found, other(x, mixture))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_gates_can_be_replaced_too():
    net, x = network(petridish()).eval(), images(size=32)
    gates = {name: torch.ones(()) for name, _ in net.named_parameters() if name.startswith("gates.")}
    opened = functional_call(net, gates, (x,))
    assert not torch.equal(opened, net(x))
    assert torch.equal(opened, network_with_open_gates()(x))


def network_with_open_gates():
    net = network(petridish()).eval()
    with torch.no_grad():
        for gate in net.gates.values():
            gate.fill_(1)
    return net


def test_a_copy_is_independent():
    net, x = network(petridish()).eval(), images(size=32)
    wanted = net(x)
    other = copy.deepcopy(net)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    assert torch.equal(other(x), wanted)
    assert not torch.equal(net(x), wanted)


def test_values_are_freed_by_their_last_use():
    text = CHAIN.split("groups:")[0] + "network:\n  nodes:\n    stem: {from: images, op: stem}\n"
    text += (
        "    a: {from: -1, op: conv_3x3, repeat: 12}\n    head: {from: -1, op: classifier, width: classes}\n"
    )
    net, alive, most = network(load(text)).eval(), weakref.WeakSet(), []

    def watch(_, __, y):
        most.append(len(alive))
        alive.add(y)

    for module in net.ops.values():
        module.register_forward_hook(watch)
    with torch.no_grad():
        net(images())
    assert len(most) == 14
    assert max(most) <= 2


def test_inheriting_tells_what_was_left_over():
    child, parent = network(petridish()), network(resize(petridish(), channels=8))
    inherited, left = inherit(child, parent.state_dict())
    assert set(inherited) | set(left) == set(parent.state_dict())
    assert "ops.r1/x/pre1/sep_conv_3x3.first.depthwise.weight" in left
    gates = [name for name in inherited if name.startswith("gates.")]
    assert len(gates) == 2
    again, rest = inherit(child, network(petridish(), seed=4))
    assert (set(again), rest) == (set(child.state_dict()), ())
    x = images(size=32)
    assert torch.equal(child.eval()(x), network(petridish(), seed=4).eval()(x))
