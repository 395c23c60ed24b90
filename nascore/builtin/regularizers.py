"""Built-in penalties: L1, entropy and cost. A penalty of weight zero has a gradient of exactly zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.builtin.relaxations import even

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torch import Tensor

    from nascore.api import Horizon
    from nascore.builtin.components import CostSettings, EntropySettings, L1Settings
    from nascore.nn import ArchitectureState, Costs

    Mixture = Mapping[str, Tensor]


class L1:
    """The sum of absolute values: of theta, of the drawn mixture, or of the distance from a drawn code.

    Targets `theta` and `mixture` are Petridish's lasso (arXiv 1905.13360), a sum over live entries; with
    `average` and `per_use` as in the authors' code, where each use of a cell adds a mean over its candidates.
    Target `code` is the term in the code of DATA (Chang et al., NeurIPS 2019), a mean over the live entries
    of each group, summed over groups; the draw is held constant.
    """

    def __init__(self, settings: L1Settings) -> None:
        self.weight = settings.weight
        self.target = settings.target
        self.average = settings.average or settings.target == "code"
        self.per_use = settings.per_use

    def start(self, state: ArchitectureState, horizon: Horizon, costs: Callable[[], Costs]) -> None:
        """Begin a phase; this penalty needs no preparation."""

    def penalty(self, state: ArchitectureState, drawn: Mixture, expected: Mixture, progress: float) -> Tensor:
        """Return the penalty, a scalar; only target `code` reads `expected`."""
        del progress
        return self.weight * _sum(self._of(name, state, drawn, expected) for name in state.theta)

    def _of(self, name: str, state: ArchitectureState, drawn: Mixture, expected: Mixture) -> Tensor:
        sizes = self._sizes(name, state, drawn, expected)[state.segments(name) >= 0]
        total = sizes.sum() / max(1, sizes.numel()) if self.average else sizes.sum()
        return total * state.groups[name].replicas if self.per_use else total

    def _sizes(self, name: str, state: ArchitectureState, drawn: Mixture, expected: Mixture) -> Tensor:
        if self.target == "theta":
            return state.theta[name].abs()
        if self.target == "mixture":
            return drawn[name].abs()
        return (expected[name] - drawn[name].detach()).abs()


class Entropy:
    """The entropy of the expected mixture, in nats, summed over segments.

    Toward `decided` it is the entropy of each segment; toward `even` the divergence from the even mixture of
    its live entries, the entropy that gives Geometric NAS its geometry (arXiv 2004.07802, section 3).
    """

    def __init__(self, settings: EntropySettings) -> None:
        self.weight = settings.weight
        self.toward = settings.toward

    def start(self, state: ArchitectureState, horizon: Horizon, costs: Callable[[], Costs]) -> None:
        """Begin a phase; this penalty needs no preparation."""

    def penalty(self, state: ArchitectureState, drawn: Mixture, expected: Mixture, progress: float) -> Tensor:
        """Return the penalty, a scalar; it reads `expected`, since a draw of one operation has no entropy."""
        del drawn, progress
        return self.weight * _sum(self._of(state.segments(name), expected[name]) for name in state.theta)

    def _of(self, segments: Tensor, mixture: Tensor) -> Tensor:
        live = segments >= 0
        negative = _u_log_u(mixture[live]).sum()
        if self.toward == "decided":
            return -negative
        sizes = torch.bincount(segments[live])
        return negative + sizes.clamp_min(1).to(mixture).log().sum()


def _u_log_u(u: Tensor) -> Tensor:
    # The slope at 0 is minus infinity. Softmax multiplies it by the 0 itself, and theta would be NaN.
    return u * u.clamp_min(torch.finfo(u.dtype).tiny).log()


class Cost:
    """The expected cost of the network under the expected mixture.

    Without a target it is relative to the cost of the even mixture at the start of the phase; with a target
    it is the distance |cost / target - 1|, the absolute reward of TuNAS (Bender et al., arXiv 2008.06120). A
    candidate counts once for every use of its cell.
    """

    def __init__(self, settings: CostSettings) -> None:
        self.weight = settings.weight
        self.of = settings.of
        self.target = settings.target
        self.fixed = 0.0
        self.shares: dict[str, Tensor] = {}

    def start(self, state: ArchitectureState, horizon: Horizon, costs: Callable[[], Costs]) -> None:
        """Compute the fixed cost and the cost of each entry [E, O], relative to the target or the start."""
        del horizon
        counted = costs()
        fixed: int = getattr(counted, self.of)
        sums = {name: getattr(counted.groups[name], self.of).sum(dim=0).double() for name in state.theta}
        unit: float = self.target or fixed + _at_even(state, sums)
        unit = unit or 1.0  # if all costs are 0, such as the parameters of pools
        self.fixed = fixed / unit
        # Divided before they are rounded: counts of a large network do not fit into 16-bit floats.
        self.shares = {name: (cost / unit).to(state.theta[name]) for name, cost in sums.items()}

    def penalty(self, state: ArchitectureState, drawn: Mixture, expected: Mixture, progress: float) -> Tensor:
        """Return the penalty, a scalar; it reads `expected`, whatever was drawn."""
        del drawn, progress
        cost = self.fixed + _sum((expected[name] * self.shares[name]).sum() for name in state.theta)
        return self.weight * (cost if self.target is None else (cost - 1).abs())


def _at_even(state: ArchitectureState, costs: Mapping[str, Tensor]) -> float:
    return sum(float((even(state.segments(name)).to(cost) * cost).sum()) for name, cost in costs.items())


def _sum(parts: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(parts)).sum()
