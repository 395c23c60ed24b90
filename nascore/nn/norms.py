"""The statistics of batch norms: running statistics of the norm itself, or those of each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from torch import nn


def keep_statistics(module: nn.Module, *, keep: bool) -> None:
    """Make every batch norm in a module keep running statistics, or take those of each batch.

    A network that is handed over has to classify an image whatever else is in the batch, so norms outside
    choices keep running statistics, with or without weights. The norms of candidates take the statistics of
    the batch, in evaluation too: theirs change with the mixture from step to step, and an average over the
    steps would belong to no network in particular.

    Args:
        module: An operation; it is changed in place.
        keep: Whether its norms keep running statistics; new ones begin at mean 0 and variance 1.
    """
    for norm in module.modules():
        if isinstance(norm, _BatchNorm) and norm.track_running_stats != keep:
            norm.track_running_stats = keep
            norm.running_mean = torch.zeros(norm.num_features) if keep else None
            norm.running_var = torch.ones(norm.num_features) if keep else None
            norm.num_batches_tracked = torch.tensor(0) if keep else None
