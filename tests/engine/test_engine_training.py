"""What the settings say is what the trainers are told."""

from __future__ import annotations

import pytest
from attrs import fields

from nascore.builtin.alternating import Alternating
from nascore.builtin.components import AlternatingSettings
from nascore.contract import WeightSettings
from nascore.engine.training import supervised
from nascore.recipe.sources.run_settings import TrainingSettings

RULE = {
    "lr": 0.5,
    "lr_min": 0.01,
    "momentum": 0.5,
    "nesterov": True,
    "weight_decay": 0.1,
    "clip": 1.0,
    "label_smoothing": 0.125,
    "drop_path": 0.3,
    "auxiliary": 0.7,
}
"""None of these values is a default of the settings or of the rule."""
DEFAULTS = {field.name: field.default for field in fields(WeightSettings)}


def test_no_field_of_the_rule_is_left_out_here():
    assert set(RULE) == {field.name for field in fields(WeightSettings)}


@pytest.mark.parametrize("name", RULE)
def test_the_rule_for_closed_networks_is_that_of_the_settings(name):
    plain = getattr(TrainingSettings(), name)
    assert RULE[name] not in {plain, DEFAULTS.get(name)}
    trainer = supervised(TrainingSettings(**{name: RULE[name]}))
    assert getattr(trainer.rule, name) == RULE[name]
    assert getattr(supervised(TrainingSettings()).rule, name) == plain


@pytest.mark.parametrize("name", ["label_smoothing", "auxiliary"])
def test_the_criterion_is_that_of_the_settings(name):
    assert getattr(supervised(TrainingSettings(**{name: RULE[name]})).criterion, name) == RULE[name]


def test_the_demand_for_closed_networks_is_that_of_the_settings():
    demand = supervised(TrainingSettings(epochs=7, batch=11)).demand
    assert (demand.epochs, demand.batch, demand.warm_up) == (7, 11, 0)
    assert demand.augment


@pytest.mark.parametrize("name", ["lr", "lr_min", "momentum", "weight_decay", "clip"])
def test_the_rule_of_a_search_is_that_of_the_settings(name):
    trainer = Alternating(AlternatingSettings(**{name: RULE[name]}))
    assert getattr(trainer.rule, name) == RULE[name]


@pytest.mark.parametrize(
    ("name", "value"), [("augment", False), ("augment", True), ("epochs", 7), ("batch", 11), ("warm_up", 3)]
)
def test_the_demand_of_a_search_is_that_of_the_settings(name, value):
    assert getattr(Alternating(AlternatingSettings(**{name: value})).demand, name) == value


@pytest.mark.parametrize(
    ("estimate", "halves"), [("first", True), ("unrolled", True), ("single-level", False)]
)
def test_a_search_of_one_level_demands_no_halves(estimate, halves):
    assert Alternating(AlternatingSettings(estimate=estimate)).demand.halves is halves
