"""The schema of a recipe and the loader agree on what a file may hold."""

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from recipe_mutations import Mutations
from recipe_sample import CORE, NEXT_TO_XNAS, TABLE, registry

from nascore.recipe import Request, check_fit, resolve
from nascore.recipe.settling.schema import component_schema, recipe_schema

INSTALLED = registry()
SCHEMA = recipe_schema(INSTALLED, TABLE, CORE)
VALID = Draft202012Validator(SCHEMA).is_valid
MUTATIONS = Mutations(SCHEMA, reach=10**6)
SAME = settings(
    max_examples=150,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""The same examples each time: a test that fails now and then is not looked at."""


def refused(text, folder, installed=INSTALLED):
    """What the loader refuses in a recipe's text; whether the parts fit is not the schema's question."""
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    recipe = resolve(Request(recipe=path).layers(installed, slots=TABLE), installed, run=CORE, slots=TABLE)
    unfit = check_fit(recipe, installed)
    return [one for one in recipe.refused if one not in unfit and "Nesterov" not in one.text]


def said(problems):
    return {one.path for one in problems}


def test_it_is_valid_against_the_meta_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_so_is_that_of_slots_which_nothing_fills():
    schema = recipe_schema(type(INSTALLED)([]), TABLE, CORE)
    valid = Draft202012Validator(schema).is_valid

    Draft202012Validator.check_schema(schema)
    assert valid({"nascore": 2, "regularizer": "none"})
    assert not valid({"nascore": 2, "updater": "darts"})


def test_every_component_is_defined_once_and_every_map_is_closed():
    found = {f"{slot.name}.{one.name}" for slot in TABLE for one in INSTALLED.components(slot.name)}

    def maps(schema):
        if isinstance(schema, list):
            return [one for item in schema for one in maps(item)]
        if not isinstance(schema, dict):
            return []
        return [schema] * ("properties" in schema) + [one for item in schema.values() for one in maps(item)]

    assert set(SCHEMA["$defs"]) == found
    assert all(one["additionalProperties"] is False for one in maps(SCHEMA))


SLOT_FORMS = [
    ("updater: darts", True),
    ("updater: sample:darts", True),
    ("updater: other:darts", False),
    ("updater: {name: darts, lr: 0.1}", True),
    ("updater: {name: sample:darts}", True),
    ("updater: {lr: 0.1}", False),
    ("updater: {darts: {lr: 0.1}}", False),
    ("updater: {name: xnas, lr: 0.1}", False),
    ("updater: [darts]", False),
    ("updater: null", False),
    ("updater: none", False),
    ("space: file:a.yaml", True),
    ("space: {name: 'sample:file:a:b', path: c}", True),
    ("space: darts:3", False),
    ("regularizer: none", True),
    ("regularizer: l1", True),
    ("regularizer: sample:l1", True),
    ("regularizer: null", False),
    ("regularizer: []", True),
    ("regularizer: {}", True),
    ("regularizer: [l1, {name: cost, target: 2K}]", True),
    ("regularizer: [l1, none]", False),
    ("regularizer: [l1, l1]", False),
    ("regularizer: [l1, {name: sample:l1, weight: 1.5}]", False),
    ("regularizer: {l1: {weight: 1.5}, entropy: {}, cost: null}", True),
    ("regularizer: {l1: {}, sample:l1: {}}", False),
    ("regularizer: {l1: {wight: 1.5}}", False),
    ("regularizer: {l1: 3}", False),
    ("regularizer: {name: l1}", False),
    ("include: darts-cifar10", True),
    ("include: [darts-cifar10]", True),
    ("include: []", True),
    ("include: darts-cifar", False),
    ("include: null", False),
    ("scale: mini", True),
    ("scale: null", True),
    ("scale: big", False),
    ("plugins: {x: x==1}", True),
    ("plugins: {x: 1}", False),
    ("plugins: null", False),
    ("training: {epochs: 3}", True),
    ("training: {epoch: 3}", False),
    ("training: null", False),
    ("seed: 1.5", False),
    ("epochs: 3", False),
]


@pytest.mark.parametrize(("line", "right"), SLOT_FORMS)
def test_both_take_a_form_or_both_refuse_it(line, right, tmp_path):
    text = f"nascore: 2\n{line}\n"

    assert VALID(yaml.safe_load(text)) is right
    assert (refused(text, tmp_path) == []) is right


def test_both_want_the_format(tmp_path):
    for text in ("seed: 1\n", "nascore: 3\n", "nascore: '1'\n", "nascore: true\n"):
        assert not VALID(yaml.safe_load(text))
        assert said(refused(text, tmp_path)) == {"nascore"}


def test_of_two_components_of_one_name_only_the_full_names_are_taken(tmp_path):
    installed = registry(other=NEXT_TO_XNAS)
    valid = Draft202012Validator(recipe_schema(installed, TABLE, CORE)).is_valid

    for name, right in (("xnas", False), ("sample:xnas", True), ("other:xnas", True), ("darts", True)):
        assert valid({"nascore": 2, "updater": name}) is right
        assert (refused(f"nascore: 2\nupdater: {name}\n", tmp_path, installed) == []) is right


@SAME
@given(mutant=MUTATIONS.sound)
def test_what_the_schema_allows_the_loader_takes(mutant, tmp_path_factory):
    assert VALID(mutant.value)
    assert refused(mutant.text, tmp_path_factory.getbasetemp()) == []


@SAME
@given(mutant=MUTATIONS.wrong)
def test_what_the_schema_refuses_the_loader_refuses_by_name(mutant, tmp_path_factory):
    assert VALID(mutant.value) is not bool(mutant.refused)
    paths = said(refused(mutant.text, tmp_path_factory.getbasetemp()))
    # What is below a place names it too: `plugins.a` of `plugins: {a: 1}`.
    assert all(any(f"{path}.".startswith(f"{one}.") for path in paths) for one in mutant.refused)


def test_a_component_s_own_schema_is_that_of_its_settings():
    trainer = INSTALLED.get("trainer", "alternating")
    schema = component_schema(trainer)
    valid = Draft202012Validator(schema).is_valid

    Draft202012Validator.check_schema(schema)
    assert valid({"epochs": 3, "estimate": "unrolled"})
    assert not valid({"epochs": 0})
    assert not valid({"estimate": "third"})
    assert not valid({"name": "alternating"})
    assert schema["properties"]["epochs"] == {
        "description": "passes", "type": "integer", "minimum": 1, "default": 50,
    }  # fmt: skip


def test_whole_floats_are_the_known_disagreement(tmp_path):
    assert VALID({"nascore": 2, "seed": 2.0})  # JSON Schema: 2.0 is a whole number
    assert said(refused("nascore: 2\nseed: 2.0\n", tmp_path)) == {"seed"}
