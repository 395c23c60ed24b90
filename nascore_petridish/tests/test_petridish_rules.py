"""Petridish's own rules fail where its policy is broken on purpose; the kit holds nobody else to them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import evolve
from petridish_rules import PetridishConformance

import nascore.builtin
from nascore.api import Op, Proposal, grow, hookimpl
from nascore.plugin import Registry
from nascore.testing import GrowthConformance, checks_of, examined
from nascore_petridish import PETRIDISH
from nascore_petridish.policy import Petridish

OPERATIONS = ["sep_conv_3x3", "skip_connect"]
OWN = set(checks_of(PetridishConformance)) - set(checks_of(GrowthConformance))


class OffersNone(Petridish):
    def open(self, parent, catalogue):
        cell = next(iter(parent.cells), "network")
        node = next(one.name for one in parent.graphs()[cell].nodes if one.join == "sum" and one.edges)
        return grow(parent, cell, node, (Op("conv_3x3"), Op("none")), catalogue, keep=1)


class KeepsTheWeakest(Petridish):
    def close(self, opened, strength):
        turned = {
            name: [[1 / value if value else 0.0 for value in row] for row in matrix]
            for name, matrix in strength.items()
        }
        return super().close(opened, turned)


class KeepsAll(Petridish):
    def close(self, opened, strength):
        groups = {name: evolve(group, keep=99) for name, group in opened.groups.items()}
        return super().close(evolve(opened, groups=groups), strength)


class GrowsTheNewest(Petridish):
    """The newest grows, whatever it is worth."""

    def propose(self, space, history, wave, rng):
        if wave == 1:
            return super().propose(space, history, wave, rng)
        if len(history.gallery) >= self.settings.count:
            return []
        newest = max(history.gallery, key=lambda entry: entry.id)
        opened = self.open(history.description(newest), history.catalogue)
        return [Proposal(description=opened, parent=newest, inherits=True)]


MUTANTS = {
    "offers-none": (OffersNone, "test_offers_no_none"),
    "keeps-the-weakest": (KeepsTheWeakest, "test_keeps_the_strongest"),
    "keeps-all": (KeepsAll, "test_keeps_the_strongest"),
    "grows-the-newest": (GrowsTheNewest, "test_grows_what_has_the_least_error"),
}


def failed(base, made, checks):
    """Return the checks that a policy fails, with the settings of Petridish but for few candidates."""
    component = evolve(PETRIDISH, build=made, check=None)
    plugin = SimpleNamespace(nascore_growths=hookimpl(lambda: [component]))
    registry = Registry.of(builtin=nascore.builtin, mutants=plugin)
    facts = {"component": "petridish", "registry": registry, "settings": {"operations": OPERATIONS}}
    return {f"test_{one.check}" for one in examined(type("Checked", (base,), facts), checks) if one.failure}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_its_check_alone(name):
    made, check = MUTANTS[name]
    assert failed(PetridishConformance, made, OWN) == {check}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_kit_holds_no_other_policy_to_it(name):
    made, _ = MUTANTS[name]
    assert failed(GrowthConformance, made, checks_of(GrowthConformance)) == set()


def test_each_rule_is_seen_to_fail():
    assert {check for _, check in MUTANTS.values()} == OWN
