"""Oracle 10: the law of codes, against enumeration, and what is wrong on purpose is seen."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest

from nascore_data import codes
from nascore_data.codes import code_probability, inclusion, most_probable

LAWS = [(0.5, 0.5), (0.4, 0.3, 0.2, 0.1), (0.7, 0.1, 0.1, 0.05, 0.05)]


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


def without_counts(chosen, draws):
    chance = 1.0
    for share in chosen:
        chance *= 1 - (1 - share) ** draws
    return chance


def one_too_few(chosen, draws, right=code_probability):
    return right(chosen, draws - 1) if draws > 1 else right(chosen, draws)


@pytest.mark.parametrize("wrong", [without_counts, one_too_few])
def test_the_oracle_sees_another_law(wrong, monkeypatch):
    monkeypatch.setattr(codes, "code_probability", wrong)
    assert [(draws, chosen) for draws, chosen, _ in modes()] != [
        (draws, chosen) for draws, chosen, _ in MODES
    ]
