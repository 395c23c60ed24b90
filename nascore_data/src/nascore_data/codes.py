"""The law of codes: which operations M draws from one distribution touch."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def prefix_probabilities(shares: Sequence[float], draws: int) -> list[float]:
    """Return for each n the probability that M draws touch exactly the first n entries, each at least once.

    It is the sum over all counts ``m_i >= 1`` that add up to M of ``M! prod p_i^m_i / m_i!``: the coefficient
    of x^M in ``M! prod (exp(p_i x) - 1)``. The series are multiplied, which adds positive numbers only;
    inclusion and exclusion over subsets gives the same with large terms of both signs.

    Args:
        shares: Probabilities p_i of the entries; what they lack to 1 belongs to others, which stay untouched.
        draws: M.

    Returns:
        As many probabilities as there are shares; zero where n is above M.
    """
    found: list[float] = []
    series = [1.0, *([0.0] * draws)]
    for share in shares:
        term = [0.0, *(share**power / factorial(power) for power in range(1, draws + 1))]
        series = [
            sum(series[low] * term[power - low] for low in range(power + 1)) for power in range(draws + 1)
        ]
        found.append(factorial(draws) * series[draws])
    return found


def code_probability(chosen: Sequence[float], draws: int) -> float:
    """Return the probability that M draws touch exactly these entries.

    Args:
        chosen: Probabilities p_i of the entries, at least one.
        draws: M.
    """
    return prefix_probabilities(chosen, draws)[-1]


def most_probable(shares: Sequence[float], draws: int) -> list[int]:
    """Return the entries of the most probable code, the most probable entry first.

    Of all codes with n entries the n largest p have the highest probability, so one per size is compared; of
    equals the smaller stands. Of equal entries the earlier does.

    Args:
        shares: p, the probabilities of all entries.
        draws: M.
    """
    ranked = sorted(range(len(shares)), key=lambda place: -shares[place])[:draws]
    chances = prefix_probabilities([shares[place] for place in ranked], draws)
    return ranked[: chances.index(max(chances)) + 1]
