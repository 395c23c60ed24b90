"""Oracle 10: the law of codes, against enumeration, and what is wrong on purpose is seen."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, chain, combinations, product

import pytest

from nascore_data import relaxation
from nascore_data.relaxation import code_probability, most_probable, prefix_probabilities

LAWS = [(0.5, 0.5), (0.4, 0.3, 0.2, 0.1), (0.7, 0.1, 0.1, 0.05, 0.05)]


def inclusion(share: float, draws: int) -> float:
    """Return the probability that M draws touch an entry: 1 - (1 - p)^M."""
    return 1 - (1 - share) ** draws


def enumerated(shares, draws):
    """The probability of each set, by going through all sequences of draws."""
    found = {}
    for drawn in product(range(len(shares)), repeat=draws):
        chance = 1.0
        for one in drawn:
            chance *= shares[one]
        found[frozenset(drawn)] = found.get(frozenset(drawn), 0.0) + chance
    return found


def alternating(shares, chosen, draws):
    """The same by inclusion and exclusion."""
    subsets = chain.from_iterable(combinations(chosen, size) for size in range(len(chosen) + 1))
    return sum(
        (-1) ** (len(chosen) - len(subset)) * sum(shares[one] for one in subset) ** draws
        for subset in subsets
    )


@pytest.mark.parametrize("shares", LAWS)
@pytest.mark.parametrize("draws", [1, 2, 4, 5])
def test_the_law_of_codes(shares, draws):
    wanted = enumerated(shares, draws)
    found = {code: code_probability([shares[one] for one in code], draws) for code in wanted}
    assert found == pytest.approx(wanted, abs=1e-12)
    assert sum(found.values()) == pytest.approx(1)
    assert found == pytest.approx({code: alternating(shares, sorted(code), draws) for code in wanted})


@pytest.mark.parametrize("shares", LAWS)
@pytest.mark.parametrize("draws", [1, 3])
def test_inclusion(shares, draws):
    law = enumerated(shares, draws)
    for one, share in enumerate(shares):
        assert inclusion(share, draws) == pytest.approx(
            sum(chance for code, chance in law.items() if one in code)
        )


def test_the_poster_s_example():
    half = (0.5, 0.5)
    assert [code_probability(half[:1], 2), code_probability(half, 2)] == [0.25, 0.5]


MODES = [(1, [0], 0.4), (2, [0, 1], 0.24), (4, [0, 1, 2], 0.2592), (7, [0, 1, 2], 0.362)]


def modes():
    shares = (0.4, 0.3, 0.2, 0.1)
    return [
        (draws, most_probable(shares, draws), code_probability([shares[one] for one in chosen], draws))
        for draws, chosen, _ in MODES
    ]


def test_the_most_probable_codes():
    for (draws, chosen, chance), (_, wanted, likely) in zip(modes(), MODES, strict=True):
        assert chosen == wanted, draws
        assert chance == pytest.approx(likely, abs=5e-4)


@pytest.mark.parametrize("shares", LAWS)
@pytest.mark.parametrize("draws", [1, 2, 4, 5])
def test_no_code_is_more_probable(shares, draws):
    law = enumerated(shares, draws)
    assert law[frozenset(most_probable(shares, draws))] == pytest.approx(max(law.values()))


@pytest.mark.parametrize("draws", [1, 7, 64])
def test_the_law_of_many_entries(draws):
    """Forty entries, as a node of a growing network may have: against exact fractions."""
    counts = [1 + 7 * place % 40 for place in range(40)]
    shares = [count / sum(counts) for count in counts]
    exact = [Fraction(count, sum(counts)) for count in sorted(counts, reverse=True)]
    found = prefix_probabilities([float(one) for one in exact], draws)
    assert len(found) == 40
    for size in (1, 2, 5, 10):
        assert found[size - 1] == pytest.approx(float(alternating(exact, range(size), draws)), rel=1e-9)
    chosen = most_probable(shares, draws)
    assert [counts[one] for one in chosen] == sorted(counts, reverse=True)[: len(chosen)]
    assert found[len(chosen) - 1] == max(found)


def test_more_draws_than_entries():
    assert most_probable((0.6, 0.4), 64) == [0, 1]
    assert most_probable((1.0,), 64) == [0]
    assert most_probable((0.999, 0.001), 7) == [0]


def test_of_equals_the_smaller_and_the_earlier_stand():
    assert most_probable((0.5, 0.0, 0.5), 1) == [0]
    assert most_probable((0.0, 1.0, 0.0), 5) == [1]
    # Two draws of (2/3, 1/3): one entry alone and both together are of the same chance, 4/9.
    assert most_probable((2 / 3, 1 / 3), 2) == [0]


def without_counts(shares, draws):
    """Chances that each entry is touched, as if entries knew nothing of each other."""
    chances = accumulate((inclusion(share, draws) for share in shares), lambda one, other: one * other)
    return list(chances)


def touched_only(shares, draws):
    """Chances that nothing else is touched, whether or not all of these are."""
    return [sum(shares[: size + 1]) ** draws for size in range(len(shares))]


def one_too_few(shares, draws):
    return prefix_probabilities(shares, max(1, draws - 1))


@pytest.mark.parametrize("wrong", [without_counts, touched_only, one_too_few])
def test_the_oracle_sees_another_law(wrong, monkeypatch):
    monkeypatch.setattr(relaxation, "prefix_probabilities", wrong)
    assert [(draws, chosen) for draws, chosen, _ in modes()] != [
        (draws, chosen) for draws, chosen, _ in MODES
    ]
