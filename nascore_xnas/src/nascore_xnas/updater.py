"""The updater of XNAS (Nayman et al., NeurIPS 2019, arXiv 1906.08031, algorithm 1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import torch
from attrs import define

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.api import ChoiceGroup, Gradients, Horizon, Op
    from nascore.nn import ArchitectureState
    from nascore_xnas import UpdaterSettings


def bound(eta: float, clip: float, left: int) -> float:
    """Return by how much log v can still change in an operation's favour: it gains and the leader loses.

    Args:
        eta: Step size.
        clip: L, the bound on a reward.
        left: T - t, the rewards that are still to come.
    """
    return 2 * eta * clip * max(left, 0)


def survivors(theta: Tensor, segments: Tensor, gap: float, keep: int) -> Tensor:
    """Return what may still end among the best `keep` of its segment, [E, O] bool.

    The paper keeps one and compares with the largest v. For more the proof is the same with the `keep`-th
    largest, which needs as many to be left as are kept. When nothing more is to come, those who earned the
    same are told apart by their place, so that exactly `keep` are left.

    Args:
        theta: log v [E, O].
        segments: [E, O], -1 where nothing is alive.
        gap: What :func:`bound` gives.
        keep: How many of a segment must survive.
    """
    kept = segments >= 0
    for segment in set(segments[kept].tolist()):
        mine = segments == segment
        values = theta[mine]
        if len(values) > keep:
            ranked, order = values.sort(descending=True, stable=True)
            kept[mine] = values >= ranked[keep - 1] - gap if gap else order.argsort() < keep
    return kept


@define(kw_only=True)
class Game:
    """What is known of the rounds of one choice group.

    Attributes:
        rounds: T, the rewards that each operation is going to get: updates, times images, times uses;
            None where the run does not know.
        eta: Step size.
        keep: How many of a segment survive.
        played: t, the rewards so far.
    """

    rounds: int | None
    eta: float
    keep: int
    played: int = 0


class Updater:
    """Exponentiated gradient on clipped rewards; what can no longer win is wiped out.

    Theta is the logarithm of the paper's v and is never normalised; where it does not start at zero it is a
    prior, which changes nothing for wipe-out: that stands on what can still be earned.

    The reward of an operation is the negative derivative of the loss with respect to its weight, for each
    image and each use of the cell by itself, so that T counts as in the theorem; those of a batch are of one
    forecast. Networks whose batch norm takes its statistics from the batch let an image's weight also touch
    the other images' losses; its reward holds these cross terms.

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
        """Count the rounds, set the step sizes and take out what is not to win; draws nothing.

        That is `none`, and with wipe-out also what else deriving never keeps: it could be what survives.

        Raises:
            ValueError: The step size or wipe-out needs to know how many updates there will be.
        """
        del generator
        self.samples = horizon.samples
        for name, group in state.groups.items():
            _exclude(state.alive[name], [self._is_out(op, group) for op in group.ops], state.segments(name))
        if horizon.updates is None and (self.settings.wipe_out or self.settings.eta is None):
            raise ValueError("xnas needs to know the number of updates: for its step size and for wipe-out")
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
        """Credit every live operation with its rewards, in place, and wipe out what can no longer win."""
        if gradients.mixture is None:
            raise ValueError("the updater xnas follows the gradient of the mixture, and got none")
        for name, game in self.games.items():
            reward, count = self._reward(gradients.mixture[name], state.groups[name].replicas)
            if gradients.penalty is not None:
                # In the unit of the rewards' sum. Clipped again, since wipe-out stands on the bound.
                unit = 1 if self.granularity == "sample" else self.samples
                limit = count * self.settings.clip
                reward = (reward - unit * gradients.penalty[name]).clamp(-limit, limit)
            theta = state.theta[name]
            theta.copy_(torch.where(state.alive[name], theta + game.eta * reward, theta))
            game.played += count
            # In the first half nobody can be out of reach.
            if self.settings.wipe_out and game.rounds is not None and 2 * game.played > game.rounds:
                gap = bound(game.eta, self.settings.clip, game.rounds - game.played)
                state.alive[name].copy_(survivors(theta, state.segments(name), gap, game.keep))

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return log v, lifted above 0: after wipe-out all weights are 1 and rank nothing.

        It compares the edges of a group, since all share one step size.
        """
        del expected
        return {name: _lifted(state.theta[name].detach(), state.alive[name]) for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return the rounds played, and what they were counted by."""
        return {
            name: {"rounds": game.rounds, "eta": game.eta, "keep": game.keep, "played": game.played}
            for name, game in self.games.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of an updater that was started with the same groups.

        Raises:
            ValueError: It is of other groups.
        """
        if state.keys() != self.games.keys():
            raise ValueError(f"the saved state is for {sorted(state)}, these are {sorted(self.games)}")
        self.games = {name: Game(**state[name]) for name in self.games}

    def _is_out(self, op: Op, group: ChoiceGroup) -> bool:
        if op.name == "none":
            return self.settings.exclude_none
        return self.settings.wipe_out and op in group.never

    def _reward(self, slope: Tensor, replicas: int) -> tuple[Tensor, int]:
        """Return the summed clipped rewards [E, O], and how many each entry got."""
        clip = self.settings.clip
        if self.granularity == "sample":
            uses, samples = slope.shape[:2]
            return (-slope).clamp(-clip, clip).sum((0, 1)), uses * samples
        count = replicas * self.samples
        # The derivative of the mean loss sums over the uses; each round is credited with the mean of all.
        return count * (-slope / replicas).clamp(-clip, clip), count


def step_size(experts: int, rounds: int, clip: float) -> float:
    """Return the theorem's step size sqrt(2 ln N / (T L^2)) (arXiv 1906.08031, theorem 1).

    Args:
        experts: N, the operations that compete.
        rounds: T, the rewards that each is going to get.
        clip: L, the bound on a reward.
    """
    return math.sqrt(2 * math.log(max(experts, 1)) / max(rounds, 1)) / clip


def _exclude(alive: Tensor, columns: list[bool], segments: Tensor) -> None:
    """Take the marked columns out of `alive`, in place, except where a segment has nothing else."""
    marked = torch.tensor(columns, device=alive.device).expand_as(alive)
    others = segments[alive & ~marked]
    alive &= ~(marked & torch.isin(segments, others))


def _largest(segments: Tensor) -> int:
    live = segments[segments >= 0]
    return int(live.bincount().max()) if len(live) else 1


def _lifted(theta: Tensor, alive: Tensor) -> Tensor:
    if not bool(alive.any()):
        return torch.zeros_like(theta)
    return torch.where(alive, theta - theta[alive].min() + 1, torch.zeros_like(theta))
