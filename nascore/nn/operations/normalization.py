"""Batch norm: how an operation builds it, which batch norms keep running statistics, and how these begin."""

from __future__ import annotations

from contextlib import contextmanager
from math import ceil, log
from typing import TYPE_CHECKING, Final

import torch
from attrs import Factory, frozen
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from nascore.nn.transfers import read_all, version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from torch import Tensor

NEGLIGIBLE: Final = 0.01
"""Share of the initial values in torch's running statistics from which on they are not corrected."""


def norm(channels: int, *, affine: bool = True) -> nn.BatchNorm2d:
    """Return a batch norm over [B, C, H, W]; the compiler decides whether it keeps running statistics.

    Args:
        channels: C.
        affine: Whether it has a weight and a bias per channel.
    """
    return nn.BatchNorm2d(channels, affine=affine)


def set_running_statistics(module: nn.Module, *, keep: bool) -> None:
    """Make every batch norm in a module keep running statistics, or use the statistics of each batch.

    The prediction for an image must not depend on the rest of its batch, so norms outside choices keep
    running statistics, with or without weights. The norms of candidates use batch statistics, in evaluation
    too: their inputs change with the mixture at every step, so a running average would describe no network.

    Args:
        module: An operation; changed in place.
        keep: Whether its norms keep running statistics; new ones start at mean 0 and variance 1.
    """
    for batch_norm in module.modules():
        if isinstance(batch_norm, _BatchNorm) and batch_norm.track_running_stats != keep:
            batch_norm.track_running_stats = keep
            batch_norm.running_mean = torch.zeros(batch_norm.num_features) if keep else None
            batch_norm.running_var = torch.ones(batch_norm.num_features) if keep else None
            batch_norm.num_batches_tracked = torch.tensor(0) if keep else None


@frozen(kw_only=True)
class FirstStatistics:
    """Keeps the initial values out of running statistics: the first batches of a norm get larger momenta.

    Torch begins with mean 0 and variance 1, which keep a share of 0.9^n after n batches. If the true variance
    is far below 1, a network that is trained for a few dozen steps is then evaluated with the wrong scale.
    As in Adam's bias correction, the share of the initial values is divided among the batches seen. A plain
    mean would give the first batches, when weights change most, as much weight as the last ones. A norm's own
    counter of batches decides, so that inherited statistics continue beside those of new norms.

    Attributes:
        norms: The norms of a network that keep running statistics, each with its momentum.
        batches: Number of the first batches of a training in which a norm may need a larger momentum.
    """

    norms: tuple[tuple[_BatchNorm, float], ...] = ()
    batches: int = 0
    _known: dict[_BatchNorm, _Count] = Factory(dict)

    @classmethod
    def of(cls, network: nn.Module) -> Self:
        """Return those of a network at the beginning of a training; counters that are missing are set.

        Files from old versions of torch hold trained statistics without a counter.
        """
        norms = tuple(
            (module, module.momentum)
            for module in network.modules()
            if isinstance(module, _BatchNorm) and module.momentum and module.num_batches_tracked is not None
        )
        for module, momentum in norms:
            if module.num_batches_tracked is not None and not _is_counted(module):
                module.num_batches_tracked.fill_(_corrected_batches(momentum))
        return cls(
            norms=norms, batches=max((_corrected_batches(momentum) for _, momentum in norms), default=0)
        )

    @contextmanager
    def batch(self, number: int) -> Iterator[None]:
        """Run a batch of the training, counted from 0.

        A norm of momentum m whose n-th batch this is uses m / (1 - (1 - m)^n): 1 in its first batch, then
        less, down to m. The running mean is then that of torch without the share of the initial values.
        """
        if number >= self.batches:
            yield
            return
        self._read_counters()
        for module, momentum in self.norms:
            count = self._known[module].count
            if count < _corrected_batches(momentum):
                module.momentum = min(momentum / (1 - (1 - momentum) ** (count + 1)), 1.0)
        try:
            yield
        finally:
            for module, momentum in self.norms:
                module.momentum = momentum
            for module in list(self._known):
                following = self._known.pop(module).after_batch(module)
                if following is not None:
                    self._known[module] = following

    def _read_counters(self) -> None:
        """Read the counters that something else than a batch has changed, all at once."""
        counters = [(module, module.num_batches_tracked) for module, _ in self.norms]
        unknown = [
            (module, counter)
            for module, counter in counters
            if counter is not None and not (module in self._known and self._known[module].follows(counter))
        ]
        for (module, counter), count in zip(unknown, read_all([one for _, one in unknown]), strict=True):
            self._known[module] = _Count(counter, version(counter), int(count))


@frozen
class _Count:
    """The counter of a norm, with its value and its version: torch counts the changes of a tensor.

    A reading waits for the device; a change of the version does not.
    """

    counter: Tensor
    version: int
    count: int

    def follows(self, counter: Tensor) -> bool:
        """Return whether this is still the value of the counter."""
        return counter is self.counter and version(counter) == self.version

    def after_batch(self, norm: _BatchNorm) -> _Count | None:
        """Return the counter after a batch, in which each call of the norm has added one; None: unknown."""
        calls = version(self.counter) - self.version
        if not calls or norm.num_batches_tracked is not self.counter:
            return None  # not run, or compiled, and then the version says nothing
        return _Count(self.counter, self.version + calls, self.count + calls)


def _corrected_batches(momentum: float) -> int:
    """Return the number of batches after which the initial values have a negligible share."""
    return ceil(log(NEGLIGIBLE) / log(1 - momentum)) if momentum < 1 else 1


def _is_counted(norm: _BatchNorm) -> bool:
    """Return whether a norm has counted batches, or its running statistics have their initial values."""
    mean, var, counter = norm.running_mean, norm.running_var, norm.num_batches_tracked
    if mean is None or var is None or counter is None or int(counter):
        return True
    return not mean.any() and bool((var == 1).all())
