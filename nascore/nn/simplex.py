"""Arithmetic on segments: softmax, argmax, sum and steps over the entries of a tensor that compete.

Segments are an int64 tensor of the shape of theta, usually [E, O]. Entries with the same number compete; an
entry with -1 is outside every segment: the group does not offer it, or it is dead.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from attrs import frozen
from torch.utils.weak import WeakTensorKeyDictionary

from nascore.nn.transfers import sent, version

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

FLOOR = 1e-5
"""Smallest share of an entry after an exponentiated-gradient step."""


def segment_softmax(theta: Tensor, segments: Tensor) -> Tensor:
    """Return the softmax over each segment, and 0 outside; differentiable in theta.

    If a segment is a row, the result is bit-equal to ``torch.softmax`` of that row.

    Args:
        theta: Logits, of any shape.
        segments: Segment numbers, of the same shape.
    """
    return _apply(theta, segments, lambda rows: torch.softmax(rows, dim=1), torch.zeros_like(theta))


def log_normalise(theta: Tensor, segments: Tensor) -> Tensor:
    """Return the log-softmax over each segment; entries outside keep their values.

    Args:
        theta: Logits, of any shape.
        segments: Segment numbers, of the same shape.
    """
    return _apply(theta, segments, lambda rows: torch.log_softmax(rows, dim=1), theta)


def segment_argmax(values: Tensor, segments: Tensor) -> Tensor:
    """Return a one-hot tensor with 1 at the largest entry of each segment, at one entry also in a tie.

    For values ``theta + Gumbel noise`` this is a sample from the softmax of theta (the Gumbel-max trick).

    Args:
        values: Values to compare, of any shape.
        segments: Segment numbers, of the same shape.
    """

    def largest(rows: Tensor) -> Tensor:
        return torch.zeros_like(rows).scatter_(1, rows.argmax(1, keepdim=True), 1)

    return _apply(values.detach(), segments, largest, torch.zeros_like(values, requires_grad=False))


def segment_rank(values: Tensor, segments: Tensor) -> Tensor:
    """Return the place of each entry in its segment, int64: 0 for the largest; outside of segments -1.

    Of equal values the first one has the lower place.

    Args:
        values: Values to compare, of any shape.
        segments: Segment numbers, of the same shape.
    """

    def places(rows: Tensor) -> Tensor:
        return rows.argsort(dim=1, descending=True, stable=True).argsort(dim=1)

    outside = torch.full_like(values, -1, dtype=torch.int64, requires_grad=False)
    return _apply(values.detach(), segments, places, outside)


def segment_sum(values: Tensor, segments: Tensor) -> Tensor:
    """Return for each entry the sum over its segment, and 0 outside; differentiable in the values.

    Args:
        values: Values to add, of any shape.
        segments: Segment numbers, of the same shape.
    """

    def total(rows: Tensor) -> Tensor:
        return rows.masked_fill(rows == -math.inf, 0).sum(1, keepdim=True).expand_as(rows)

    return _apply(values, segments, total, torch.zeros_like(values))


def eg_step(theta: Tensor, slope: Tensor, segments: Tensor, rate: float, *, floor: float = FLOOR) -> Tensor:
    """Return the log-weights after one exponentiated-gradient step on the simplex of each segment.

    The point ``u = exp(theta)`` becomes ``u * exp(-rate * slope)``, normalised; entries below ``floor`` are
    raised to it and the segment is normalised again (Geometric NAS, arXiv 2004.07802, section 3.2).

    Args:
        theta: Logarithms of points on the simplex, of any shape.
        slope: Derivative of the loss with respect to the points, of the same shape.
        segments: Segment numbers, of the same shape.
        rate: Learning rate.
        floor: Smallest share of an entry, above 0 and below 1; an entry at 0 could never grow again.
    """
    stepped = log_normalise(theta - rate * slope, segments)
    return torch.where(segments >= 0, log_normalise(stepped.clamp_min(math.log(floor)), segments), theta)


def learn_layout(segments: Tensor, on_cpu: Tensor) -> None:
    """Work out the layout of segments on the CPU, so that no function on them waits for their device.

    Args:
        segments: Segment numbers on a device.
        on_cpu: The same numbers on the CPU.
    """
    rows = _worked_out(on_cpu)
    entry, row, column = (sent(one, segments.device) for one in (rows.entry, rows.row, rows.column))
    _KNOWN[segments] = (version(segments), _Rows(entry, row, column, rows.shape))


@frozen
class _Rows:
    """Positions of the live entries in a dense matrix with one row per segment.

    Attributes:
        entry: [n], indices of the live entries in the flattened tensor.
        row: [n], their rows.
        column: [n], their columns, in the order of the entries.
        shape: Number of rows, and size of the largest segment.
    """

    entry: Tensor
    row: Tensor
    column: Tensor
    shape: tuple[int, int]


_KNOWN: Final[WeakTensorKeyDictionary] = WeakTensorKeyDictionary()
"""By segments, their version and rows: to work them out waits for the device."""


def _rows(segments: Tensor) -> _Rows:
    if segments.is_inference():  # such a tensor has no version
        return _worked_out(segments)
    now = version(segments)
    if segments not in _KNOWN or _KNOWN[segments][0] != now:
        _KNOWN[segments] = (now, _worked_out(segments))
    rows: _Rows = _KNOWN[segments][1]
    return rows


def _worked_out(segments: Tensor) -> _Rows:
    flat = segments.reshape(-1)
    live = torch.nonzero(flat >= 0).flatten()
    order = torch.argsort(flat[live], stable=True)
    entry = live[order]
    _, row, counts = torch.unique_consecutive(flat[entry], return_inverse=True, return_counts=True)
    starts = counts.cumsum(0) - counts
    column = torch.ones_like(entry).cumsum(0) - 1 - starts[row]
    return _Rows(entry, row, column, (len(counts), int(counts.max()) if len(counts) else 0))


def _apply(theta: Tensor, segments: Tensor, function: Callable[[Tensor], Tensor], outside: Tensor) -> Tensor:
    """Return ``outside`` with the live entries replaced by a function of their segments, one per row."""
    at = _rows(segments)
    if not len(at.entry):
        return outside.clone()
    # Dense rows instead of a mask with infinities over all entries: the sum of eight entries is then rounded
    # like any sum of eight, and ties stay ties.
    dense = theta.new_full(at.shape, -math.inf)
    dense = dense.index_put((at.row, at.column), theta.reshape(-1)[at.entry])
    values = function(dense)[at.row, at.column]
    return outside.reshape(-1).index_put((at.entry,), values).reshape(theta.shape)
