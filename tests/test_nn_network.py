"""The compiled network: names, arguments, one-hot mixtures, what runs, drop path, what is held."""

from __future__ import annotations

import copy
import weakref

import pytest
import torch
from descriptions import EXAMPLES
from nn_samples import (
    BENCHMARK,
    CATALOGUE,
    CHAIN,
    darts,
    images,
    layouts,
    network,
    one_hot,
    per_sample,
    petridish,
    random_mixture,
    uniform,
)
from torch.func import functional_call

from nascore.description import Operation, choose, derive, load, resize
from nascore.errors import DescriptionError
from nascore.nn import compile as compiled
from nascore.nn import inherit

DOUBLE = torch.float64
SPACES = {
    "darts": darts(),
    "chain": load(CHAIN),
    "benchmark": resize(load(BENCHMARK), channels=4, repeats={"a": 1, "b": 1, "c": 1}),
}
GELU = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, op: shift(by=0.5)}
    l1: {concat: [{l0: [conv_3x3, skip_connect]}, stem]}
    head: {from: -1, op: classifier, width: classes}
"""


def picks_of(description, seed=0):
    strength = random_mixture(description, seed=seed)
    return choose(description, {name: each.tolist() for name, each in strength.items()})


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("seed", range(2))
def test_one_hot_equals_the_derived_network(name, seed):
    description = SPACES[name]
    picks = picks_of(description, seed)
    supernet = network(description, dtype=DOUBLE)
    child = network(derive(description, picks), seed=9, dtype=DOUBLE)
    inherited, _ = inherit(child, supernet)
    assert set(inherited) == set(child.state_dict())
    x, mixture = images(dtype=DOUBLE), one_hot(description, picks, DOUBLE)
    wanted = child(x)
    assert (supernet(x, mixture) - wanted).abs().max() < 1e-12
    alive = {name: weights > 0 for name, weights in mixture.items()}
    assert (supernet(x, mixture, alive=alive) - wanted).abs().max() < 1e-12
    assert (supernet(x, uniform(description, DOUBLE)) - wanted).abs().max() > 1e-6


def test_names_are_paths():
    description = load(EXAMPLES["petridish"])
    names = set(dict(network(petridish()).named_parameters()))
    assert "ops.r1/x/pre1/sep_conv_3x3.first.depthwise.weight" in names
    assert "ops.a-0/x+1/pre0/sep_conv_3x3(affine=false).second.pointwise.weight" in names
    assert "gates.a-0/x/x+1" in names
    assert all(name.startswith(("ops.", "gates.")) for name in names)
    assert description.auxiliary == "aux"


def test_a_dot_in_a_setting_is_written_as_a_line():
    class Shift(torch.nn.Module):
        def __init__(self, c_in, c_out, stride, *, by):
            super().__init__()
            self.by = torch.nn.Parameter(torch.tensor(by))

        def forward(self, x):
            return x + self.by

    catalogue = {**CATALOGUE, "shift": Operation(name="shift", build=Shift, settings={"by": 0.0})}
    net = compiled(load(GELU), catalogue)
    assert net.get_parameter("ops.l0/-1/shift(by=0_5).by").item() == 0.5
    assert net(images()).shape == (4, 5)


def test_a_closed_concat_lays_operations_side_by_side():
    description = load(GELU.replace("shift(by=0.5)", "conv_3x3"))
    net = network(description).eval()
    seen = {}
    for path in ("stem/images/stem", "l1/l0/conv_3x3", "l1/l0/skip_connect", "head/-1/classifier"):
        net.ops[path].register_forward_hook(lambda _, x, y, path=path: seen.update({path: (x[0], y)}))
    net(images())
    parts = [seen[path][1] for path in ("l1/l0/conv_3x3", "l1/l0/skip_connect", "stem/images/stem")]
    assert torch.equal(seen["head/-1/classifier"][0], torch.cat(parts, 1))


def test_gates_begin_closed():
    gates = network(petridish()).gates
    assert len(gates) == 2
    assert not any(gate.item() for gate in gates.values())


def test_the_auxiliary_head_is_run_in_training_only():
    net = network(petridish())
    x = images(size=32)
    logits, auxiliary = net.train()(x)
    assert logits.shape == auxiliary.shape == (4, 10)
    assert not torch.equal(logits, auxiliary)
    assert net.eval()(x).shape == (4, 10)


def test_only_what_is_alive_runs():
    description = SPACES["darts"]
    picks = picks_of(description)
    net, calls = network(description), []
    for path, module in net.ops.items():
        module.register_forward_hook(lambda *_, path=path: calls.append(path))
    mixture = one_hot(description, picks)
    net(images(), mixture, alive={name: weights > 0 for name, weights in mixture.items()})
    closed = network(derive(description, picks))
    assert sorted(calls) == sorted(closed.ops)
    calls.clear()
    net(images(), mixture)
    assert sorted(calls) == sorted(net.ops)


def test_where_nothing_is_alive_there_are_zeros():
    description = load(CHAIN)
    net, mixture = network(description), uniform(load(CHAIN))
    dead = {"layers": torch.zeros(3, 4, dtype=torch.bool)}
    logits = net(images(), mixture, alive=dead)
    assert torch.equal(logits, net.get_parameter("ops.head/-1/classifier.linear.bias").expand(4, 5))


def test_entries_outside_the_mask_are_never_read():
    description = load(CHAIN)
    net, mixture = network(description), uniform(load(CHAIN))
    outside = ~torch.tensor(layouts(description)["layers"].mask)
    spoilt = {"layers": mixture["layers"].masked_fill(outside, torch.nan)}
    assert outside.any()
    assert torch.equal(net(images(), mixture), net(images(), spoilt))


def test_states_that_the_output_does_not_need_are_built_and_not_run():
    text = CHAIN.replace("    head:", "    idle: {from: l0, op: conv_3x3}\n    head:").replace(
        "-1, op: cl", "l2, op: cl"
    )
    net, calls = network(load(text)), []
    net.ops["idle/l0/conv_3x3"].register_forward_hook(lambda *_: calls.append(1))
    net(images(), uniform(load(text)))
    assert not calls


@pytest.mark.parametrize("form", ["shared", "one", "each"])
def test_every_form_of_the_mixture_gives_the_same(form):
    description = SPACES["darts"]
    net, mixture, x = (
        network(description, dtype=DOUBLE),
        random_mixture(description, dtype=DOUBLE),
        images(dtype=DOUBLE),
    )
    wanted = net(x, mixture)
    count = {"shared": None, "one": 1, "each": len(x)}[form]
    given = mixture if count is None else per_sample(description, mixture, count)
    assert torch.allclose(net(x, given), wanted, atol=1e-12)


def test_a_mixture_per_use_reaches_its_use():
    description = SPACES["benchmark"]
    net, x = network(description, dtype=DOUBLE).eval(), images(dtype=DOUBLE)
    leaf = {
        name: each.detach() for name, each in per_sample(description, uniform(description, DOUBLE), 1).items()
    }
    seen = {}
    for path in ("r1/-1/residual_block", "r2/-1/residual_block"):
        net.ops[path].register_forward_hook(lambda _, x, y, path=path: seen.update({path: x[0]}))
    net(x, leaf)
    before = dict(seen)
    leaf["cell"][1] *= 2
    net(x, leaf)
    assert torch.equal(before["r1/-1/residual_block"], seen["r1/-1/residual_block"])
    assert not torch.allclose(before["r2/-1/residual_block"], seen["r2/-1/residual_block"])


OPEN, CLOSED = "the network is open", "the network is closed"


@pytest.mark.parametrize(
    ("spoil", "path", "text"),
    [
        (lambda _: None, "mixture.normal", OPEN),
        (lambda m: {"normal": m["normal"]}, "mixture.reduce", OPEN),
        (lambda m: {**m, "normla": m["normal"]}, "mixture.normla", "no group 'normla'"),
        (lambda m: {**m, "normal": m["normal"][:-1]}, "mixture.normal", "(13, 8)"),
        (lambda m: {**m, "normal": m["normal"].expand(2, 4, 14, 8)}, "mixture.normal", "(2, 4, 14, 8)"),
        (lambda m: {**m, "normal": m["normal"].expand(1, 3, 14, 8)}, "mixture.normal", "(1, 3, 14, 8)"),
    ],
)
def test_a_wrong_mixture_is_refused(spoil, path, text):
    description = SPACES["darts"]
    with pytest.raises(DescriptionError) as caught:
        network(description)(images(), spoil(uniform(description)))
    found = {problem.path: problem.text for problem in caught.value.problems}
    assert text in found[path]


def test_other_wrong_arguments_are_refused():
    description = SPACES["darts"]
    net, mixture = network(description), uniform(description)
    for alive in ({"normal": torch.ones(2, 2)}, {"normla": torch.ones(14, 8)}):
        with pytest.raises(DescriptionError, match="alive"):
            net(images(), mixture, alive=alive)
    with pytest.raises(DescriptionError, match=CLOSED):
        network(petridish())(images(), mixture)
    for share in (-0.1, 1.0):
        with pytest.raises(ValueError, match="drop_path"):
            net(images(), mixture, drop_path=share)


def test_nothing_is_built_of_a_wrong_description():
    built = []
    catalogue = {
        **CATALOGUE,
        "stem": Operation(name="stem", build=lambda *_: built.append(1), structural=True),
    }
    with pytest.raises(DescriptionError, match="conv_3x4"):
        compiled(load(GELU.replace("shift(by=0.5)", "conv_3x4")), catalogue)
    with pytest.raises(DescriptionError, match="execution"):
        compiled(petridish(), catalogue, execution="plian")
    assert not built


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
    for path, reader in zip(order, order[1:], strict=False):
        scale = (seen[reader][0] / seen[path][1]).nan_to_num(1).flatten(1)
        dropped = int((scale == 0).all(1).sum())
        if "mbconv" in path:
            assert 4 <= dropped <= 28
            kept = scale[(scale != 0).any(1)]
            assert torch.allclose(kept, torch.full_like(kept, 1 / 0.75), rtol=1e-5)
        else:
            assert torch.equal(seen[reader][0], seen[path][1])


def test_a_skip_that_halves_is_dropped():
    description = SPACES["darts"]
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
    description = SPACES["darts"]
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
