"""Parameters and multiply-accumulates: the published figures, and that choices add up."""

from __future__ import annotations

import pytest
import torch
from descriptions import DARTS, EXAMPLES, RESNET
from nn_samples import (
    BENCHMARK,
    CATALOGUE,
    CHAIN,
    layouts,
    network,
    petridish,
    random_mixture,
)

from nascore.description import Operation, choose, derive, final, load, resize
from nascore.errors import DescriptionError
from nascore.nn import costs

SIZE = (32, 32)


def counted(description, size=SIZE):
    return costs(description, CATALOGUE, size)


def everything(found):
    return found.params + sum(int(group.params.sum()) for group in found.groups.values())


def weights(net):
    return sum(each.numel() for each in net.parameters())


def random_picks(description, seed=0):
    strength = random_mixture(description, seed=seed)
    return choose(description, {name: each.tolist() for name, each in strength.items()})


@pytest.mark.parametrize(
    ("channels", "repeats", "count"),
    [
        (16, {}, 1_930_618),
        (8, {"a": 1, "b": 0, "c": 1}, 347_298),
        (4, {"a": 1, "b": 0, "c": 0}, 72_854),
    ],
)
def test_supernets_of_darts(channels, repeats, count):
    description = resize(load(DARTS), channels=channels, repeats=repeats)
    assert everything(counted(description)) == count
    with torch.device("meta"):
        assert weights(network(description)) == count


def test_resnet_20():
    description = load(RESNET)
    assert counted(description).params == 269_722
    assert weights(network(description)) == 269_722


@pytest.mark.parametrize(
    ("ops", "params", "macs"),
    [
        (["nor_conv_3x3"] * 6, 1_531_546, 220_119_680),
        (["nor_conv_1x1"] * 6, 241_306, None),
        (["none"] * 6, 73_306, None),
        (["skip_connect"] * 6, 73_306, None),
        (["nor_conv_3x3"] * 3 + ["skip_connect"] + ["nor_conv_3x3"] * 2, 1_288_506, None),
        (["nor_conv_3x3"] * 3 + ["skip_connect", "nor_conv_3x3", "skip_connect"], 1_045_466, None),
    ],
)
def test_networks_of_the_benchmark(ops, params, macs):
    description = load(BENCHMARK)
    columns = layouts(description)["cell"].column_names()
    picks = {"cell": [(row, columns.index(op)) for row, op in enumerate(ops)]}
    found = counted(final(derive(description, picks)))
    assert found.params == params
    assert macs is None or found.macs == macs


def test_supernet_of_the_benchmark():
    assert everything(counted(load(BENCHMARK))) == 1_692_826


@pytest.mark.parametrize(
    "description", [load(DARTS), load(BENCHMARK), load(CHAIN)], ids=["darts", "nb", "chain"]
)
@pytest.mark.parametrize("seed", range(3))
def test_the_costs_of_picks_are_those_of_the_derived_network(description, seed):
    picks = random_picks(description, seed)
    taken, derived = counted(description).of(picks), counted(derive(description, picks))
    assert (taken.params, taken.macs, taken.groups) == (derived.params, derived.macs, {})


def test_the_costs_of_one_group_leave_the_other_open():
    description = load(DARTS)
    picks = random_picks(description)
    found, some = counted(description), {"reduce": picks["reduce"]}
    taken, derived = found.of(some), counted(derive(description, some))
    assert (taken.params, taken.macs) == (derived.params, derived.macs)
    assert torch.equal(taken.groups["normal"].macs, derived.groups["normal"].macs)
    with pytest.raises(DescriptionError, match="this group does not exist"):
        found.of({"normla": []})


def test_an_operation_costs_in_each_use_what_it_costs_there():
    description = load(DARTS)
    group = counted(description).groups["normal"]
    layout = layouts(description)["normal"]
    assert group.macs.shape == group.params.shape == (6, 14, 8)
    column = layout.column_names().index("sep_conv_3x3")
    by_use = [(16, 32)] * 2 + [(32, 16)] * 2 + [(64, 8)] * 2
    assert group.params[:, 0, column].tolist() == [2 * (9 * c + c * c) for c, _ in by_use]
    assert group.macs[:, 0, column].tolist() == [2 * (9 * c + c * c) * side**2 for c, side in by_use]
    assert not group.params[..., 0].any()


@pytest.mark.parametrize("name", EXAMPLES)
def test_counted_weights_are_those_of_the_network(name):
    description = resize(load(EXAMPLES[name]), channels=4)
    found = counted(description)
    assert everything(found) == weights(network(description))
    other = counted(description, (31, 29))  # odd sizes cost other MACs and the same weights
    assert everything(other) == everything(found)
    assert other.macs < found.macs


def test_an_auxiliary_head_costs_weights_and_no_inference():
    with_head = counted(petridish())
    assert any(name.startswith("ops.aux/") for name, _ in network(petridish()).named_parameters())
    net = network(petridish()).eval()
    seen = []
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.register_forward_hook(lambda m, _, y, name=name: seen.append((name, macs_of(m, y))))
    net(torch.zeros(1, 3, *SIZE))
    assert with_head.macs == sum(count for _, count in seen)
    assert not any("aux" in name for name, _ in seen)


def macs_of(module, y):
    per_output = module.weight[0].numel()
    return per_output * y[0].numel()


def test_counting_draws_no_random_numbers():
    before = torch.get_rng_state()
    counted(load(CHAIN))
    assert torch.equal(torch.get_rng_state(), before)


def kind(width):
    """An operation that counts how often it is built; each has hidden channels of its own."""
    built = []

    def build(c_in, c_out, _stride):
        built.append(c_in)
        return torch.nn.Sequential(torch.nn.Conv2d(c_in, width, 1), torch.nn.Conv2d(width, c_out, 1))

    return build, built


def test_an_operation_is_measured_once_and_another_of_its_name_by_itself():
    text = CHAIN.replace("mbconv(expand=3;kernel=3), none", "new, none")
    text = text.replace("[mbconv(expand=3;kernel=3)", "[new, mbconv(expand=3;kernel=3)")
    description, params = load(text), []
    for width in (2, 3):
        build, built = kind(width)
        catalogue = {**CATALOGUE, "new": Operation(name="new", build=build)}
        first = costs(description, catalogue, SIZE)
        often = len(built)
        assert (
            costs(description, catalogue, SIZE).groups["layers"].params.equal(first.groups["layers"].params)
        )
        assert len(built) == often > 0
        params.append(int(first.groups["layers"].params.sum()))
    assert params[0] < params[1]


def test_a_wrong_description_is_told_in_full():
    text = BENCHMARK.replace("nor_conv_1x1", "nor_conv_1x2").replace("stem}", "stem(relux=true)}")
    with pytest.raises(DescriptionError) as caught:
        counted(load(text))
    assert len(caught.value.problems) == 2
