"""What a relaxation declares of chance and choice, against what it does: the fit check relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.nn import segment_softmax
from nascore.testing.choices import alike, generator, group, scattered
from nascore.testing.mixing import live, states
from nascore.testing.part import PartConformance, same

if TYPE_CHECKING:
    from torch import Generator, Tensor

MANY, COPIES = 16, 256
PAIR = 2
"""Rows that lead to one node."""

CLOSE = 1e-5
SIGMAS = 5.0
SEEDS = 6


class RelaxationDeclared(PartConformance):
    """Checks that each capability which it declares is there, and none that it uses is missing."""

    def test_draws_nothing_if_it_says_so(self) -> None:
        """It draws nothing if it declares `deterministic`; else other seeds give other mixtures."""
        part, moved, differs = self.made(), False, False
        for name, state in states(part, alike(), scattered(alike(), 0)):
            theta, segments = state.theta[name], state.segments(name)

            def draw(handed: Generator, theta: Tensor = theta, segments: Tensor = segments) -> Tensor:
                weights: Tensor = part.mixture(theta, segments, generator=handed).weights
                return weights.detach()

            first = draw(generator(0))
            for seed in range(SEEDS):
                handed = generator(seed)
                differs = differs or not same(draw(handed), first)
                moved = moved or not torch.equal(handed.get_state(), generator(seed).get_state())
        if self.provides("deterministic"):
            self.hold(not differs, "declares deterministic, and gives another mixture for another seed")
            self.hold(not moved, "declares deterministic, and draws from the generator that it is handed")
            return
        self.hold(differs, "does not declare deterministic, and gives the same mixture for every seed")
        self.hold(
            moved, "does not declare deterministic, and draws nothing from the generator that it is handed"
        )

    def test_what_was_not_drawn_gets_a_gradient(self) -> None:
        """The gradient of a drawn mixture reaches what was not drawn too; else that would never learn."""
        if self.provides("deterministic"):
            return
        part = self.made()
        for name, state in states(part, alike(), scattered(alike(), 8)):
            theta, slope = state.theta[name], scattered(alike(), 9)[name]
            for seed in range(SEEDS):
                weights = part.mixture(theta, state.segments(name), generator=generator(seed)).weights
                # Without any gradient there is another check.
                if weights.requires_grad:
                    (found,) = torch.autograd.grad((weights * slope).sum(), theta)
                    forgotten = (weights == 0) & live(state, name) & (found == 0)
                    self.hold(not forgotten.any(), "gives what was not drawn a gradient of zero")

    def test_is_unbiased_if_it_says_so(self) -> None:
        """The mean of its draws is the softmax of theta if it declares `unbiased`."""
        if not self.provides("unbiased"):
            return
        part, handed = self.made(), generator(0)
        # Many rows of the same numbers: one call is many draws.
        groups = {"same": group(PAIR * COPIES, 3)}
        theta = scattered({"same": group(PAIR, 3)}, 1, size=1.5)["same"].repeat(COPIES, 1)
        for name, state in states(part, groups, {"same": theta}):
            segments = state.segments(name)
            draws = [
                part.mixture(theta, segments, generator=handed).weights.double() for _ in range(self._many())
            ]
            each = torch.cat(draws).reshape(-1, PAIR, 3)
            mean, error = each.mean(dim=0), each.std(dim=0, correction=0) / len(each) ** 0.5
            away = (mean - segment_softmax(theta, segments)[:PAIR]).abs()
            text = f"the mean of its draws is {float(away.max()):.3f} off the softmax of theta"
            far = bool((away > SIGMAS * error + CLOSE).any())
            self.hold(not far, f"declares unbiased, and {text}")

    def _many(self) -> int:
        return 1 if self.provides("deterministic") else MANY
