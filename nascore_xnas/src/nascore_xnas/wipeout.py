"""Wipe-out: an operation that cannot be among the best at the end is taken out now (section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


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
