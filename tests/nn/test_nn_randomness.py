"""What draws inside `redirect_draws` draws what torch's global generator would, and leaves that one alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from nascore.nn import Noise, conv_3x3, sep_conv_3x3
from nascore.nn.randomness import (
    _borrow_global_generator,
    current_generators,
    draws,
    redirect_draws,
    use_generators,
)

SEED = 11
DRAWS = {
    "rand": lambda: torch.rand(3),
    "randn": lambda: torch.randn(3, 2),
    "randint": lambda: torch.randint(9, (4,)),
    "randint from": lambda: torch.randint(2, 9, (4,)),
    "randperm": lambda: torch.randperm(7),
    "rand_like": lambda: torch.rand_like(torch.ones(3)),
    "randn_like": lambda: torch.randn_like(torch.ones(3)),
    "randint_like": lambda: torch.randint_like(torch.ones(3), 9),
    "bernoulli": lambda: torch.bernoulli(torch.full((5,), 0.5)),
    "multinomial": lambda: torch.multinomial(torch.ones(5), 3),
    "normal": lambda: torch.normal(torch.zeros(4), 2.0),
    "exponential_": lambda: torch.empty(4).exponential_(),
    "uniform_": lambda: torch.empty(4).uniform_(-1, 1),
    "gamma": lambda: torch.distributions.Gamma(torch.ones(3), 1.0).sample(),
    "dropout": lambda: functional.dropout(torch.ones(9)),
    "dropout2d": lambda: functional.dropout2d(torch.ones(2, 4, 2, 2)),
    "alpha_dropout": lambda: functional.alpha_dropout(torch.ones(9), training=True),
    "rrelu": lambda: functional.rrelu(-torch.ones(6), training=True),
    "gumbel": lambda: functional.gumbel_softmax(torch.ones(5)),
    "attention": lambda: functional.scaled_dot_product_attention(
        *torch.ones(3, 1, 1, 4, 8).unbind(), dropout_p=0.5
    ),
    "lstm": lambda: 1 * nn.LSTM(3, 4, 2, dropout=0.5)(torch.ones(2, 1, 3))[0],
    "first weights": lambda: 1 * nn.Conv2d(2, 3, 3).weight,
    "orthogonal": lambda: nn.init.orthogonal_(torch.empty(4, 4)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_numbers_are_those_of_the_global_generator(name):
    torch.manual_seed(SEED)
    expected = DRAWS[name]()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    with redirect_draws({"cpu": torch.Generator().manual_seed(SEED)}):
        found = DRAWS[name]()
    assert torch.equal(found, expected)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_that_is_given_is_used():
    with redirect_draws({"cpu": torch.Generator().manual_seed(SEED)}):
        found = torch.rand(3, generator=torch.Generator().manual_seed(5))
    assert torch.equal(found, torch.rand(3, generator=torch.Generator().manual_seed(5)))


def test_gradients_pass_what_was_redirected():
    x = torch.ones(64, requires_grad=True)
    with redirect_draws({"cpu": torch.Generator().manual_seed(SEED)}):
        y = functional.dropout(x, 0.5)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_fused_dropout_draws_as_often_as_it_says():
    x = torch.ones(20_000)
    with redirect_draws({"cpu": torch.Generator().manual_seed(SEED)}):
        kept, mask = torch.native_dropout(x, 0.25, train=True)
        whole, _ = torch.native_dropout(x, 0.25, train=False)
        again, _ = torch.native_dropout(x, 0.25, train=True)
    assert torch.equal(whole, x)
    assert not torch.equal(kept, again)
    assert kept.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(kept != 0, mask)


def test_generators_are_lent_in_one_place_only():
    generators = {"cpu": torch.Generator()}
    with use_generators(generators):
        assert current_generators() is generators
    assert current_generators() is None


class Own(nn.Module):
    """An operation of a plugin: nobody knows what it draws."""

    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("module", "may"),
    [
        (conv_3x3(2, 2, 1), False),
        (sep_conv_3x3(2, 2, 1), False),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Sequential(nn.Dropout(0.5))), True),
        (nn.RReLU(), True),
        (nn.Identity(), False),
        (Noise(2, 2, 1), True),
        (Own(), True),
    ],
)
def test_what_is_not_known_to_draw_nothing_may_draw(module, may):
    assert draws(module) == may


def test_what_a_hook_does_is_not_known():
    module = nn.Conv2d(1, 1, 1)
    module.register_forward_hook(lambda *_: None)
    assert draws(module)


class Fused:
    """Stands for an operation that draws and takes no generator, as there are on GPUs alone."""

    def __init__(self, *arguments):
        self._schema = SimpleNamespace(arguments=[SimpleNamespace(name=name) for name in arguments])

    def __call__(self, *args):
        del args
        return torch.rand(3)


def test_what_takes_no_generator_borrows_the_global_one_and_puts_it_back():
    generator, same = (torch.Generator().manual_seed(5) for _ in range(2))
    before = torch.get_rng_state()
    drawn = [_borrow_global_generator(Fused("x", "dropout_p"), generator, (None, 0.5), {}) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one, torch.rand(3, generator=same)) for one in drawn)
    # Without dropout nothing is drawn, so nothing is borrowed.
    assert torch.equal(
        _borrow_global_generator(Fused("x", "dropout_p"), generator, (None, 0.0), {}),
        torch.rand(3, generator=torch.Generator().set_state(before)),
    )
