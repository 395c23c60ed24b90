"""What is opened, and the child, compute what the parent does; nothing that was learned is lost."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from petridish_samples import (
    CATALOGUE,
    begins_anew,
    equal,
    images,
    mixture,
    network,
    outputs,
    policy,
    start,
    strength,
    with_program,
)

from nascore.description import expand
from nascore.nn import inherit

KEPT = 3
PLACES = {("cells", "cell"): 2, ("cells", "macro"): 3, ("chain", "cell"): 1, ("chain", "macro"): 3}


def paths(description, *, offered):
    """Return the paths of the operations that are offered, or of those that stand."""
    return {
        wire.op_path(op)
        for state in expand(description).feature_maps
        for wire in state.wires
        if (wire.group is not None) == offered
        for op in wire.ops
    }


def check_opened(net, parent, weights):
    """The network with candidates has all that the parent has, and gives the same."""
    inherited, left = inherit(net, parent)
    assert not left
    assert set(inherited) == set(parent.state_dict())
    assert equal(outputs(net, images(), weights), outputs(parent, images()))


def check_child(child, opened, parent, kept):
    """The child has all that the parent has and its candidates have learned, and gives the same."""
    taken, _ = inherit(child, opened)
    assert set(parent.state_dict()) <= set(taken)
    fresh = set(child.state_dict()) - set(taken)
    assert fresh
    assert all(begins_anew(name) or name.startswith("gates.") for name in fresh)
    learned = opened.state_dict()
    own = {
        name for name in learned if any(name.startswith(f"ops.{path.replace('.', '_')}.") for path in kept)
    }
    assert own <= set(taken)
    assert all(torch.equal(child.state_dict()[name], learned[name]) for name in own)
    assert equal(outputs(child, images()), outputs(parent, images()))
    return own


def grow(description, parent, *, search, execution="plain", seed=1, gate=0.0):
    """Grow once, check what is promised, and return the child."""
    growing = policy(search=search)
    opened = growing.open(description, CATALOGUE)
    weights = mixture(opened, seed)
    net = network(opened, execution, seed)
    check_opened(net, parent, weights)
    closed = growing.close(opened, strength(weights))
    child = network(closed, execution, seed + 10)
    with torch.no_grad():
        for value in child.gates.values() if gate else ():
            value.fill_(gate)
    kept = paths(opened, offered=True) & paths(closed, offered=False)
    return closed, child, check_child(child, net, parent, kept), len(kept)


@pytest.mark.parametrize("execution", ["plain", "fused"])
@pytest.mark.parametrize(("name", "search"), PLACES)
def test_two_growths_keep_every_bit(name, search, execution):
    description = start(name)
    net, x = network(description, execution), images()
    before = outputs(net, x)
    for number in range(2):
        description, child, learned, kept = grow(
            description, net, search=search, execution=execution, seed=number + 1
        )
        assert kept >= KEPT * PLACES[name, search]  # more where a cell is used more than once
        assert learned
        with torch.no_grad():
            for gate in child.gates.values():
                gate.add_(0.3)
        net = child
    assert len(net.gates) >= 2 * PLACES[name, search]
    assert not torch.allclose(outputs(net, x)[0], before[0])  # what has grown is of use, once it is let in


def test_each_place_keeps_three():
    growing, description = policy(), start("cells")
    opened = growing.open(description, CATALOGUE)
    child = growing.close(opened, strength(mixture(opened)))
    for cell in ("normal", "reduce"):
        node = child.cells[cell].node("n0+1")
        assert node.join == "concat"
        assert sum(len(edge.ops) for edge in node.edges) == KEPT


def test_the_second_growth_stands_beside_the_first():
    growing, description = policy(), start("cells")
    for number in (1, 2):
        opened = growing.open(description, CATALOGUE)
        assert set(expand(opened).layouts) == {f"grow/{cell}/n0/{number}" for cell in ("normal", "reduce")}
        description = growing.close(opened, strength(mixture(opened, number)))
    names = [node.name for node in description.cells["normal"].nodes]
    assert names == ["pre0", "pre1", "n0+1", "n0+1+1", "n0+2", "n0+2+1", "n0", "out"]
    (first, *grown) = description.cells["normal"].node("n0").edges
    assert [str(op) for op in first.ops] == ["sep_conv_3x3", "skip_connect"]
    assert [(edge.source, edge.gate) for edge in grown] == [("n0+1+1", True), ("n0+2+1", True)]


def test_a_shadow_that_is_read_as_it_is_is_seen():
    """A mutation of the network."""
    description = start("cells")
    opened = policy().open(description, CATALOGUE)
    net = with_program(network(opened), shadow=False)
    with pytest.raises(AssertionError):
        check_opened(net, network(description), mixture(opened))


def test_a_gate_that_begins_at_one_is_seen():
    """A mutation of the child."""
    parent = network(start("cells"))
    with pytest.raises(AssertionError):
        grow(start("cells"), parent, search="cell", gate=1.0)


def test_a_lost_tensor_is_seen():
    """A mutation of what is opened: the parent's convolution is gone."""
    description = start("cells")
    parent = network(description)
    opened = policy().open(description, CATALOGUE)
    cell = opened.cells["normal"]
    first, *others = cell.node("n0").edges
    less = evolve(cell.node("n0"), edges=(evolve(first, ops=first.ops[1:]), *others))
    nodes = tuple(less if node.name == "n0" else node for node in cell.nodes)
    lost = evolve(opened, cells={**opened.cells, "normal": evolve(cell, nodes=nodes)})
    with pytest.raises(AssertionError):
        check_opened(network(lost), parent, mixture(lost))


def test_a_candidate_that_is_not_inherited_is_seen():
    """A mutation of the child: what a candidate has learned is replaced by fresh weights."""
    growing, description = policy(), start("cells")
    parent, opened = network(description), growing.open(description, CATALOGUE)
    weights, net = mixture(opened), network(opened, seed=2)
    inherit(net, parent)
    closed = growing.close(opened, strength(weights))
    kept = paths(opened, offered=True) & paths(closed, offered=False)
    learned = {name: value for name, value in net.state_dict().items() if "+1/" not in name}
    forgetful = network(opened, seed=3)
    forgetful.load_state_dict(learned, strict=False)
    child = network(closed, seed=4)
    own = check_child(child, net, parent, kept)
    inherit(child, forgetful)
    assert not all(torch.equal(child.state_dict()[name], net.state_dict()[name]) for name in own)
