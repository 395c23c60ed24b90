"""What an updater learns: it goes downhill, ranks by what it learned, and finds what is useful."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from attrs import evolve

from nascore.testing.choices import alike, leaders, scattered
from nascore.testing.conformance import NotExaminedError
from nascore.testing.part import PartConformance
from nascore.testing.planted import MARGIN, SEEDS, planted
from nascore.testing.trial import UPDATES, begun

if TYPE_CHECKING:
    from torch import Tensor

    from nascore.testing.trial import Trial

ORDER = (2, 0, 1)
CLOSE = 1e-4


class UpdaterLearning(PartConformance):
    """Checks of what it learns; one that follows no gradient must choose, and choose at random."""

    def test_moves_downhill(self) -> None:
        """On a linear loss the entry of the lowest slope ends with the largest theta of its segment."""
        self._learning()
        for seed in (10, 11):
            trial, slopes = self._linear(seed)
            for name, theta in trial.theta().items():
                segments = trial.state.segments(name)
                top, flat = leaders(theta, segments), theta.flatten()
                best, worst = leaders(-slopes[name], segments), leaders(slopes[name], segments)
                # Others may be as large: a rule that follows signs alone moves them alike, up to rounding.
                raised = all(
                    place == worst[one]
                    or flat[top[one]] - flat[place] < CLOSE * (flat[place] - flat[worst[one]])
                    for one, place in best.items()
                )
                self.hold(raised, f"does not raise the entry that lowers the loss most (group {name})")

    def test_heeds_penalties(self) -> None:
        """It heeds the penalty's gradient, which updaters that follow the mixture get apart."""
        if self.made().gradient != "mixture":
            raise NotExaminedError("it is handed no gradient of penalties apart")
        groups = alike()
        slopes = scattered(groups, 12)
        still = {name: torch.zeros_like(slope) for name, slope in slopes.items()}
        trial = begun(self.made(), groups)
        for _ in range(UPDATES // 2):
            trial.updater.step(trial.state, trial.gradients(still, slopes))
        for name, theta in trial.theta().items():
            segments = trial.state.segments(name)
            heeds = leaders(theta, segments) == leaders(-slopes[name], segments)
            self.hold(heeds, f"does not move down the penalty that it is handed (group {name})")

    def test_its_strength_follows_theta(self) -> None:
        """Its strength ranks the entries of a segment as the mixture does; without learning, at random."""
        if not self._learns():
            self._ranks_at_random()
            return
        for seed in (13, 14):
            trial, _slopes = self._linear(seed)
            strength, expected = trial.strength(), trial.expected()
            for name in strength:
                segments = trial.state.segments(name)
                follows = leaders(strength[name], segments) == leaders(expected[name], segments)
                self.hold(follows, f"has a strength that ignores theta (group {name})")

    def test_the_order_of_candidates_means_nothing(self) -> None:
        """With the candidates in another order it learns the same of each."""
        self._learning()
        groups = alike()
        other = {
            name: evolve(one, ops=tuple(one.ops[column] for column in ORDER)) for name, one in groups.items()
        }
        slopes = scattered(groups, 15)
        first, second = begun(self.made(), groups), begun(self.made(), other)
        first.steps(slopes, UPDATES)
        second.steps({name: slope[:, ORDER] for name, slope in slopes.items()}, UPDATES)
        for name, theta in first.theta().items():
            close = _close(theta[:, ORDER], second.theta()[name])
            self.hold(close, f"learns otherwise when the candidates stand in another order (group {name})")

    def test_finds_what_is_useful(self) -> None:
        """In places with one useful candidate among noise it weighs that one at least twice the mean."""
        self._learning()
        for seed in SEEDS:
            found = planted(self.found(), {"updater": self.component}, seed, sets=self.typed())
            shares = ", ".join(f"{share:.2f}" for share in found.shares.values())
            text = f"weighs the useful candidate {shares} times the mean, not {MARGIN:g} times (seed {seed})"
            self.hold(not found.missed(), text)

    def _learning(self) -> None:
        if not self._learns():
            raise NotExaminedError("it follows no gradient")

    def _learns(self) -> bool:
        return self.made().gradient is not None

    def _linear(self, seed: int) -> tuple[Trial, dict[str, Tensor]]:
        groups = alike()
        trial, slopes = begun(self.made(), groups), scattered(groups, seed)
        trial.steps(slopes, UPDATES)
        return trial, slopes

    def _ranks_at_random(self) -> None:
        strengths = [begun(self.made(), alike(), seed=seed).strength() for seed in range(4)]
        for name in strengths[0]:
            places = {tuple(one[name].argmax(dim=1).tolist()) for one in strengths}
            self.hold(
                len(places) > 1, f"learns nothing, and yet ranks the same with every seed (group {name})"
            )


def _close(one: Tensor, other: Tensor) -> bool:
    return bool(torch.allclose(one, other, rtol=CLOSE, atol=CLOSE))
