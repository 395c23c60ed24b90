"""The soft variant: candidates join through gates that learn, from the start on."""

from __future__ import annotations

import pytest
import torch
from petridish_samples import CATALOGUE, equal, images, mixture, network, outputs, policy, start, strength

from nascore.nn import inherit
from nascore_petridish.places import softened


@pytest.mark.parametrize("execution", ["plain", "fused"])
@pytest.mark.parametrize("name", ["cells", "chain"])
@pytest.mark.parametrize("search", ["cell", "macro"])
def test_soft_candidates_change_nothing_at_the_start(name, search, execution):
    description = start(name)
    growing = policy(search=search, soft=True)
    for number in range(2):
        parent = network(description, execution, number)
        opened = growing.open(description, CATALOGUE)
        assert not any(node.shadow for graph in opened.graphs().values() for node in graph.nodes)
        net = network(opened, execution, number + 5)
        assert not inherit(net, parent)[1]
        assert equal(outputs(net, images(), mixture(opened)), outputs(parent, images()))
        description = growing.close(opened, strength(mixture(opened, number)))


def test_soft_gates_learn_and_candidates_behind_them_after():
    opened = policy(soft=True).open(start("cells"), CATALOGUE)
    net, weights = network(opened), mixture(opened)
    net(images(), weights).square().sum().backward()
    assert len(net.gates) == 3
    assert all(float(gate.grad.abs()) > 0 for gate in net.gates.values())
    behind = [value for name, value in net.named_parameters() if "n0+1/" in name and value.requires_grad]
    assert not any(value.grad.any() for value in behind)
    with torch.no_grad():
        for gate in net.gates.values():
            gate.sub_(gate.grad)
    net(images(), weights).square().sum().backward()
    assert all(value.grad.any() for value in behind)


def test_the_hard_variant_has_no_gates_while_it_is_open():
    opened = policy().open(start("cells"), CATALOGUE)
    assert not network(opened).gates
    assert len(network(softened(opened)).gates) == 3


def test_a_soft_child_is_that_of_the_hard_variant():
    opened = [policy(soft=soft).open(start("cells"), CATALOGUE) for soft in (False, True)]
    hard, soft = (policy().close(one, strength(mixture(one))) for one in opened)
    assert hard == soft
