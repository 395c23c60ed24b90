"""Schedules in closed form: the value of an epoch follows from its number, so there is no state to save."""

from __future__ import annotations

from math import cos, pi


def cosine(start: float, end: float, epoch: int, epochs: int) -> float:
    """Return the value of an epoch, counted from 0, falling from start towards end by half a cosine.

    As algorithm and code of DARTS have it: the first epoch has the full value, and `end` itself would be the
    value of the epoch after the last.
    """
    return end + (start - end) * (1 + cos(pi * epoch / epochs)) / 2


def linear(end: float, epoch: int, epochs: int) -> float:
    """Return the value of an epoch, counted from 0, rising from 0 towards end: DARTS's drop path."""
    return end * epoch / epochs
