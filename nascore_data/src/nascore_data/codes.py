"""The law of codes: which operations M draws from one distribution touch."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def code_probability(chosen: Sequence[float], draws: int) -> float:
    """Return the probability that M draws touch exactly these entries, each at least once.

    It is the sum over all counts ``m_i >= 1`` that add up to M of ``M! prod p_i^m_i / m_i!``: the coefficient
    of x^M in ``M! prod (exp(p_i x) - 1)``. The series are multiplied, which adds positive numbers only;
    inclusion and exclusion over subsets gives the same with large terms of both signs.

    Args:
        chosen: Probabilities p_i of the entries.
        draws: M.
    """
    series = [1.0, *([0.0] * draws)]
    for share in chosen:
        term = [0.0, *(share**power / factorial(power) for power in range(1, draws + 1))]
        series = [
            sum(series[low] * term[power - low] for low in range(power + 1)) for power in range(draws + 1)
        ]
    return factorial(draws) * series[draws]


def inclusion(share: float, draws: int) -> float:
    """Return the probability that M draws touch an entry: 1 - (1 - p)^M."""
    return 1 - (1 - share) ** draws


def most_probable(shares: Sequence[float], draws: int) -> list[int]:
    """Return the entries of the most probable code, the most probable entry first.

    Of all codes with i entries the i largest p have the highest probability, so one per size is compared; of
    equals the smaller stands.

    Args:
        shares: p, the probabilities of all entries.
        draws: M.
    """
    ranked = sorted(range(len(shares)), key=lambda place: -shares[place])
    sizes = range(1, min(draws, len(ranked)) + 1)
    best = max(sizes, key=lambda size: code_probability([shares[one] for one in ranked[:size]], draws))
    return ranked[:best]
