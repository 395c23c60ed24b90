"""Batch norm: how an operation builds it, and which batch norms keep running statistics."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from attrs import frozen
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self


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
    """Makes running statistics the plain mean over the first batches, until their own momentum takes over.

    Torch begins with mean 0 and variance 1, which keep a share of 0.9^n after n batches. If the true variance
    is far below 1, a network that is trained for a few dozen steps is then evaluated with the wrong scale.

    Attributes:
        norms: The norms of a network that have seen no batch, each with its momentum.
    """

    norms: tuple[tuple[_BatchNorm, float], ...] = ()

    @classmethod
    def of(cls, network: nn.Module) -> Self:
        """Return those of a network; norms with inherited statistics are left alone."""
        return cls(
            norms=tuple(
                (module, module.momentum)
                for module in network.modules()
                if isinstance(module, _BatchNorm)
                and module.momentum
                and module.num_batches_tracked is not None
                and not int(module.num_batches_tracked)
            )
        )

    @contextmanager
    def batch(self, number: int) -> Iterator[None]:
        """Run a batch, counted from 0, with the momentum 1 / (number + 1), or the norm's own if larger.

        The mean of the first n batches is then exact, and no share of the initial values is left.
        """
        share = 1 / (number + 1)
        if all(momentum >= share for _, momentum in self.norms):
            yield
            return
        for module, momentum in self.norms:
            module.momentum = max(momentum, share)
        try:
            yield
        finally:
            for module, momentum in self.norms:
                module.momentum = momentum
