"""The compiled network: names, arguments, one-hot mixtures, what runs, and what is refused."""

from __future__ import annotations

import pytest
import torch
from nn_samples import (
    BENCHMARK,
    CATALOGUE,
    CHAIN,
    darts,
    images,
    is_statistic,
    layouts,
    network,
    one_hot,
    per_sample,
    petridish,
    random_mixture,
    uniform,
)

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
    assert {name for name in child.state_dict() if not is_statistic(name)} <= set(inherited)
    x, mixture = images(dtype=DOUBLE), one_hot(description, picks, DOUBLE)
    wanted = child(x)
    assert (supernet(x, mixture) - wanted).abs().max() < 1e-12
    alive = {name: weights > 0 for name, weights in mixture.items()}
    assert (supernet(x, mixture, alive=alive) - wanted).abs().max() < 1e-12
    assert (supernet(x, uniform(description, DOUBLE)) - wanted).abs().max() > 1e-6


def test_names_are_paths():
    names = set(dict(network(petridish()).named_parameters()))
    assert "ops.r1/x/pre1/sep_conv_3x3.first.depthwise.weight" in names
    assert "ops.a-0/x+1/pre0/sep_conv_3x3(affine=false).second.pointwise.weight" in names
    assert "gates.a-0/x/x+1" in names
    assert all(name.startswith(("ops.", "gates.")) for name in names)


def test_a_dot_in_a_setting_is_written_as_a_line():
    class Shift(torch.nn.Module):
        def __init__(self, *_place, by):
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
        net.ops[path].register_forward_hook(lambda _, x, __, path=path: seen.update({path: x[0]}))
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
