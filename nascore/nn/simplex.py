"""Arithmetic on segments, the entries of a tensor that compete.

Segments are an integer tensor of the shape of theta. Entries of the same number compete; -1 stands outside:
it is not offered, or no longer alive.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

FLOOR = 1e-5


def segment_softmax(theta: Tensor, segments: Tensor) -> Tensor:
    """Return the softmax over each segment, and zero outside; differentiable in theta.

    Where a segment is a row, the result has the same bits as ``torch.softmax`` of that row.

    Args:
        theta: Logits, of any shape.
        segments: Of the same shape.
    """
    return _apply(theta, segments, lambda rows: torch.softmax(rows, dim=1), torch.zeros_like(theta))


def log_normalise(theta: Tensor, segments: Tensor) -> Tensor:
    """Return the logarithms of the softmax over each segment; what is outside stays as it is.

    Args:
        theta: Logits, of any shape.
        segments: Of the same shape.
    """
    return _apply(theta, segments, lambda rows: torch.log_softmax(rows, dim=1), theta)


def segment_argmax(values: Tensor, segments: Tensor) -> Tensor:
    """Return ones at the largest entry of each segment, at one of them also among equals, else zeros.

    With values ``theta + Gumbel noise`` it draws from the softmax of theta (the Gumbel-max trick).

    Args:
        values: Of any shape.
        segments: Of the same shape.
    """

    def largest(rows: Tensor) -> Tensor:
        return torch.zeros_like(rows).scatter_(1, rows.argmax(1, keepdim=True), 1)

    return _apply(values.detach(), segments, largest, torch.zeros_like(values, requires_grad=False))


def segment_sum(values: Tensor, segments: Tensor) -> Tensor:
    """Return for each entry the sum over its segment, and zero outside; differentiable in the values.

    Args:
        values: Of any shape.
        segments: Of the same shape.
    """

    def total(rows: Tensor) -> Tensor:
        return rows.masked_fill(rows == -math.inf, 0).sum(1, keepdim=True).expand_as(rows)

    return _apply(values, segments, total, torch.zeros_like(values))


def eg_step(theta: Tensor, slope: Tensor, segments: Tensor, rate: float, *, floor: float = FLOOR) -> Tensor:
    """Return the logarithms after one exponentiated-gradient step on the simplex of each segment.

    The point ``u = exp(theta)`` becomes ``u * exp(-rate * slope)``, normalised; entries below ``floor`` are
    lifted to it and the segment is normalised again (Geometric NAS, arXiv 2004.07802, section 3.2).

    Args:
        theta: Logarithms of points on the simplex, of any shape.
        slope: Derivative of the loss with respect to the points, of the same shape.
        segments: Of the same shape.
        rate: Learning rate.
        floor: Least share that stays, so that no entry is lost for good.
    """
    moved = log_normalise(theta - rate * slope, segments)
    return torch.where(segments >= 0, log_normalise(moved.clamp_min(math.log(floor)), segments), theta)


@frozen
class _Rows:
    """Where the entries of each segment stand when each gets a row of its own.

    Attributes:
        entry: [n], places of the live entries in the flattened tensor.
        row: [n], their rows.
        column: [n], their columns, in the order of the entries.
        shape: Number of rows, and of columns of the longest.
    """

    entry: Tensor
    row: Tensor
    column: Tensor
    shape: tuple[int, int]


def _rows(segments: Tensor) -> _Rows:
    flat = segments.reshape(-1)
    live = torch.nonzero(flat >= 0).flatten()
    order = torch.argsort(flat[live], stable=True)
    entry = live[order]
    _, row, counts = torch.unique_consecutive(flat[entry], return_inverse=True, return_counts=True)
    starts = counts.cumsum(0) - counts
    column = torch.arange(len(entry), device=flat.device) - starts[row]
    return _Rows(entry, row, column, (len(counts), int(counts.max()) if len(counts) else 0))


def _apply(theta: Tensor, segments: Tensor, function: Callable[[Tensor], Tensor], outside: Tensor) -> Tensor:
    """Return ``outside`` with the live entries replaced by a function of the rows that they make."""
    at = _rows(segments)
    if not len(at.entry):
        return outside.clone()
    # Rows without gaps, not a mask of infinities over all entries: the sum of a row of eight then has
    # the rounding of a row of eight, and ties stay ties.
    dense = theta.new_full(at.shape, -math.inf)
    dense = dense.index_put((at.row, at.column), theta.reshape(-1)[at.entry])
    values = function(dense)[at.row, at.column]
    return outside.reshape(-1).index_put((at.entry,), values).reshape(theta.shape)
