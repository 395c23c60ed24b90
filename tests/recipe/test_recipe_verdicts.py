"""The verdict table: what fits, warns and is refused is what the needs of all parts together say."""

from collections import Counter

import pytest
from recipe_table import (
    COUNTS,
    RULES,
    TABLE,
    changed,
    combinations,
    differences,
    differing_rows,
    expected,
    installed,
    listed,
)

from nascore.plugin import discover

REGISTRY = discover()
CONCERNED = ("space", "growth", "updater", "trainer", "relaxation", "regularizer")
WHOLE = pytest.mark.needs(
    "nascore-darts",
    "nascore-data",
    "nascore-geonas",
    "nascore-nasbench",
    "nascore-petridish",
    "nascore-xnas",
)

pytestmark = WHOLE


def needs():
    """Every need of an installed component that the table concerns."""
    table = {name for names in TABLE["choices"].values() for name in names} | {"planted", "alternating"}
    for slot in CONCERNED:
        for component in REGISTRY.components(slot):
            if component.name in table:
                for number, need in enumerate(component.needs):
                    if need.terms == ("not relaxation.sparse",):
                        continue  # nothing that is installed is: tests/recipe/test_recipe_reasons.py has one
                    if need.terms[0].startswith("not trick."):
                        continue  # tests/recipe/test_recipe_tricks.py has a trick for each of these
                    yield pytest.param(
                        component, need, id=f"{slot}-{component.name}-{number}-{'-or-'.join(need.terms)}"
                    )


def test_the_table_says_what_it_says_it_says():
    assert Counter(map(expected, combinations())) == COUNTS


def test_every_rule_speaks_of_what_can_be_chosen():
    for rule in RULES:
        for key in rule.keys() - {"verdict"}:
            assert set(listed(rule[key])) <= set(TABLE["choices"][key]), rule


def test_every_combination_of_what_is_installed_has_the_verdict_of_the_table():
    found = installed(REGISTRY)
    assert {"chain", "nb201"} <= set(found["space"])
    assert {"darts", "sgd", "uniform", "geonas", "xnas"} <= set(found["updater"])
    assert list(differences(REGISTRY, combinations(**found), explain=True)) == []


def test_the_table_is_of_what_is_installed():
    assert installed(REGISTRY) == TABLE["choices"]
    assert list(differences(REGISTRY, combinations())) == []


def test_every_combination_of_other_settings_has_the_verdict_of_the_table():
    assert list(differing_rows(REGISTRY)) == []


@pytest.mark.parametrize(("component", "need"), list(needs()))
def test_a_need_that_is_dropped_is_missed(component, need):
    """The mutation: each need of each component, left out, shows in the table."""
    kept = tuple(one for one in component.needs if one is not need)
    mutated = changed(REGISTRY, component, needs=kept)
    fixed = {} if component.slot == "trainer" else {component.slot: [component.name]}
    found = installed(mutated) | fixed
    assert any(differing_rows(mutated)) or any(differences(mutated, combinations(**found)))


def test_a_need_that_is_added_is_noticed():
    softmax = REGISTRY.get("relaxation", "softmax")
    mutated = changed(REGISTRY, softmax, provides=("normalized", "deterministic"))
    found = installed(mutated) | {"relaxation": ["softmax"], "updater": ["geonas"]}
    assert any(differences(mutated, combinations(**found)))
