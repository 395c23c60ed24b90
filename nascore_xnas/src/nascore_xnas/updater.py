"""The updater of XNAS (Nayman et al., NeurIPS 2019, arXiv 1906.08031, algorithm 1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import torch
from attrs import define

from nascore.nn import segment_rank, segment_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.api import ChoiceGroup, Gradients, Horizon, Op
    from nascore.nn import ArchitectureState
    from nascore_xnas import UpdaterSettings


def bound(eta: float, clip: float, left: int) -> float:
    """Return the largest change of log v, relative to the leader's, that an operation can still reach.

    Args:
        eta: Step size.
        clip: L, the bound on a reward.
        left: T - t, the number of remaining rewards.
    """
    return 2 * eta * clip * max(left, 0)


def survivors(theta: Tensor, segments: Tensor, gap: float, keep: int) -> Tensor:
    """Return the entries that can still end among the best `keep` of their segment, [E, O] bool.

    The paper keeps one operation and compares with the largest v. The same proof holds for more operations
    with the `keep`-th largest v. After the last reward, ties are broken by position, so that exactly `keep`
    entries are left.

    Args:
        theta: log v [E, O].
        segments: The segment of each entry [E, O], -1 for dead entries.
        gap: The value of :func:`bound`.
        keep: Number of entries of a segment that must survive.
    """
    rank = segment_rank(theta, segments)
    among = (rank >= 0) & (rank < keep)
    if not gap:
        return among
    # The keep-th largest of each segment: a sum of one value and zeros.
    least = segment_sum(theta.where(rank == keep - 1, 0), segments)
    return among | ((rank >= keep) & (theta >= least - gap))


@define(kw_only=True)
class Game:
    """The rounds of one choice group.

    Attributes:
        rounds: T, the number of rewards of each operation: updates times images times uses; None if the
            run does not know its length.
        eta: Step size.
        keep: Number of entries of a segment that survive.
        played: t, the number of rewards so far.
    """

    rounds: int | None
    eta: float
    keep: int
    played: int = 0


class Updater:
    """Exponentiated gradient on clipped rewards; operations that can no longer win are wiped out.

    Theta is the logarithm of the paper's v and is never normalised. An initial theta other than zero is a
    prior; it does not affect the rule of wipe-out, which depends on the remaining rewards.

    The reward of an operation is the negative derivative of the loss with respect to its weight, separately
    for each image and each use of the cell, so that T counts as in the theorem; all rewards of a batch belong
    to one forecast. If batch norm uses the statistics of the batch, an image's weight also affects the losses
    of the other images, and its reward includes these cross terms.

    Args:
        settings: Step size, bound, wipe-out.
    """

    gradient: Literal["mixture"] = "mixture"

    def __init__(self, settings: UpdaterSettings) -> None:
        self.settings = settings
        self.granularity: Literal["sample", "batch"] = settings.granularity
        self.games: dict[str, Game] = {}
        self.samples = 0

    def start(self, state: ArchitectureState, horizon: Horizon, generator: torch.Generator) -> None:
        """Count the rounds, set the step sizes, and remove the operations that must not win.

        These are `none`, and with wipe-out all operations that deriving never keeps, since one could survive.

        Raises:
            ValueError: The step size or wipe-out needs the number of updates, and it is unknown.
        """
        del generator
        self.samples = horizon.samples
        for name, group in state.groups.items():
            _exclude(state.alive[name], [self._is_out(op, group) for op in group.ops], state.segments(name))
        if horizon.updates is None and (self.settings.wipe_out or self.settings.eta is None):
            raise ValueError("xnas needs the number of updates for its step size and for wipe-out")
        self.games = {}
        for name in sorted(state.theta):
            rounds = None
            if horizon.updates is not None:
                rounds = horizon.updates * horizon.samples * horizon.replicas[name]
            eta = self.settings.eta
            if eta is None:
                eta = step_size(_largest(state.segments(name)), rounds or 1, self.settings.clip)
            self.games[name] = Game(rounds=rounds, eta=eta, keep=horizon.keep[name])

    @torch.no_grad()
    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Add the rewards to every live operation, in place, and wipe out those that can no longer win."""
        if gradients.mixture is None:
            raise ValueError("the updater xnas follows the gradient of the mixture, and got none")
        for name, game in self.games.items():
            reward, count = self._reward(gradients.mixture[name], state.groups[name].replicas)
            if gradients.penalty is not None:
                # In the unit of the rewards' sum. Clip again, since wipe-out depends on the bound.
                unit = 1 if self.granularity == "sample" else self.samples
                limit = count * self.settings.clip
                reward = (reward - unit * gradients.penalty[name]).clamp(-limit, limit)
            theta = state.theta[name]
            theta.copy_(torch.where(state.alive[name], theta + game.eta * reward, theta))
            game.played += count
            # In the first half every operation can still win.
            if self.settings.wipe_out and game.rounds is not None and 2 * game.played > game.rounds:
                gap = bound(game.eta, self.settings.clip, game.rounds - game.played)
                state.alive[name].copy_(survivors(theta, state.segments(name), gap, game.keep))

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return log v, shifted above 0, since all weights are 1 after wipe-out and cannot rank.

        All edges of a group share one step size, so their strengths can be compared.
        """
        del expected
        return {name: _lifted(state.theta[name].detach(), state.alive[name]) for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return the rounds of each group."""
        return {
            name: {"rounds": game.rounds, "eta": game.eta, "keep": game.keep, "played": game.played}
            for name, game in self.games.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of an updater that was started with the same groups.

        Raises:
            ValueError: The state belongs to other groups.
        """
        if state.keys() != self.games.keys():
            raise ValueError(f"the saved state is for {sorted(state)}, these are {sorted(self.games)}")
        self.games = {name: Game(**state[name]) for name in self.games}

    def _is_out(self, op: Op, group: ChoiceGroup) -> bool:
        if op.name == "none":
            return self.settings.exclude_none
        return self.settings.wipe_out and op in group.never

    def _reward(self, slope: Tensor, replicas: int) -> tuple[Tensor, int]:
        """Return the summed clipped rewards [E, O], and the number of rewards of each entry."""
        clip = self.settings.clip
        if self.granularity == "sample":
            uses, samples = slope.shape[:2]
            return (-slope).clamp(-clip, clip).sum((0, 1)), uses * samples
        count = replicas * self.samples
        # The derivative of the mean loss sums over the uses; each round gets the mean over all uses.
        return count * (-slope / replicas).clamp(-clip, clip), count


def step_size(experts: int, rounds: int, clip: float) -> float:
    """Return the theorem's step size sqrt(2 ln N / (T L^2)) (arXiv 1906.08031, theorem 1).

    Args:
        experts: N, the number of competing operations.
        rounds: T, the number of rewards of each.
        clip: L, the bound on a reward.
    """
    return math.sqrt(2 * math.log(max(experts, 1)) / max(rounds, 1)) / clip


def _exclude(alive: Tensor, columns: list[bool], segments: Tensor) -> None:
    """Remove the marked columns from `alive`, in place, except where a segment has no others."""
    marked = torch.tensor(columns, device=alive.device).expand_as(alive)
    others = segments[alive & ~marked]
    alive &= ~(marked & torch.isin(segments, others))


def _largest(segments: Tensor) -> int:
    live = segments[segments >= 0]
    return int(live.bincount().max()) if len(live) else 1


def _lifted(theta: Tensor, alive: Tensor) -> Tensor:
    if not theta.numel():
        return torch.zeros_like(theta)
    least = theta.masked_fill(~alive, math.inf).min()
    return torch.where(alive, theta - least + 1, torch.zeros_like(theta))
