"""Batch norm: how an operation builds it, and which batch norms keep running statistics."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


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
