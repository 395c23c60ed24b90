"""A mixture that picks one operation makes the supernet the network that deriving gives."""

from __future__ import annotations

import pytest
import torch

from nascore.api import choose, derive, expand
from nascore.builtin.operations import OPERATIONS
from nascore.contract import DataFacts
from nascore.nn import compile, inherit  # noqa: A004 - the name of the compiler
from nascore.nn.mixture_weights import Weights
from nascore_darts.space import Space, SpaceSettings

CATALOGUE = {entry.name: entry for entry in OPERATIONS}
FACTS = DataFacts(
    channels=3, height=8, width=8, classes=10, train=10, test=10, mean=(0.5,) * 3, std=(0.25,) * 3
)
DESCRIPTION = Space(SpaceSettings(channels=4, cells=3)).describe(FACTS)


@pytest.fixture(scope="module")
def supernet():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return compile(DESCRIPTION, CATALOGUE).double()


@pytest.fixture(scope="module")
def images():
    return torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1)).double()


STATISTICS = {"running_mean", "running_var", "num_batches_tracked"}


def random_picks(seed):
    generator = torch.Generator().manual_seed(seed)
    shapes = {name: (len(group.rows), len(group.ops)) for name, group in expand(DESCRIPTION).layouts.items()}
    return choose(
        DESCRIPTION, {name: torch.rand(shape, generator=generator).tolist() for name, shape in shapes.items()}
    )


def one_hot(picks):
    mixture = {name: torch.zeros(14, 8, dtype=torch.float64) for name in picks}
    for name, pairs in picks.items():
        for row, column in pairs:
            mixture[name][row, column] = 1
    return mixture


def derived(picks, supernet):
    child = compile(derive(DESCRIPTION, picks), CATALOGUE).double()
    inherited, _ = inherit(child, supernet)
    # Norms of candidates keep no running statistics; those of a closed network do, and begin fresh.
    missing = set(child.state_dict()).difference(inherited)
    assert missing.isdisjoint(name for name, _ in child.named_parameters())
    assert {name.rpartition(".")[2] for name in missing} == STATISTICS
    return child


def oracle(seed, supernet, images):
    picks = random_picks(seed)
    # In training mode both take the statistics of the batch.
    assert supernet.training
    with torch.no_grad():
        wanted = derived(picks, supernet)(images)
        found = supernet(images, one_hot(picks))
        alive = {name: weights != 0 for name, weights in one_hot(picks).items()}
        narrowed = supernet(images, one_hot(picks), alive=alive)
    assert (found - wanted).abs().max() < 1e-12
    assert torch.equal(narrowed, found)


@pytest.mark.parametrize("seed", range(4))
def test_one_hot_equals_the_derived_network(seed, supernet, images):
    oracle(seed, supernet, images)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shifted", [("of",), ("runs",), ("of", "runs")])
def test_the_oracle_sees_a_shifted_column(monkeypatch, shifted, seed, supernet, images):
    healthy = {"of": Weights.of, "runs": Weights.runs}

    def of(weights, link):
        first, *others = healthy["of"](weights, link)
        return (*others, first)

    def runs(weights, link, column):
        return healthy["runs"](weights, link, (column + 1) % len(weights.row(link)))

    mistaken = {"of": of, "runs": runs}
    for name in shifted:
        monkeypatch.setattr(Weights, name, mistaken[name])
    with pytest.raises(AssertionError):
        oracle(seed, supernet, images)


def test_none_alone_gives_zeros_to_the_classifier(supernet, images):
    nothing = {name: torch.zeros(14, 8, dtype=torch.float64) for name in ("normal", "reduce")}
    for weights in nothing.values():
        weights[:, 0] = 1
    with torch.no_grad():
        logits = supernet(images, nothing)
        # Zeros through pooling and a linear layer leave its bias.
        bias = dict(supernet.named_parameters())
        (name,) = [name for name in bias if name.endswith("linear.bias")]
    assert torch.equal(logits, bias[name].expand(4, 10))


def test_the_mixture_is_no_parameter(supernet):
    shapes = {tuple(value.shape) for value in supernet.parameters()}
    assert (14, 8) not in shapes
