"""Things of one name from two plugins: never silently the first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import evolve

from nascore.api import Command, Op, Operation, Preset, Translator, hookimpl
from nascore.builtin.operations import entries
from nascore.description.operation import unknown
from nascore.errors import PluginError
from nascore.plugin import Registry
from nascore.plugin.known import distributions, provider
from nascore.plugin.registry import NameTable
from nascore.slots import SLOTS
from nascore.verbs.architecture import read_architecture
from nascore.verbs.plugins import doctor


def translator(name, found):
    return Translator(
        name=name,
        summary="Reads all.",
        to_text=str,
        from_text=lambda *_args, **_more: found,
        recognises=lambda text: text.startswith("X"),
    )


def bringing(mark):
    hooks = {
        "nascore_operations": lambda: [Operation(name="mix", build=f"{mark}:Mix")],
        "nascore_presets": lambda: [Preset(name="p", summary=mark, text=mark)],
        "nascore_commands": lambda: [Command(name="report", summary=mark, build=f"{mark}:report")],
        "nascore_translators": lambda: [translator("tree", mark)],
    }
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


@pytest.fixture
def two():
    return Registry.of(SLOTS, a=bringing("a"), b=bringing("b"))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("operations", "mix"), ("presets", "p"), ("commands", "report"), ("translators", "tree")],
)
def test_only_the_full_name_finds_one_of_two(two, kind, name):
    found = getattr(two, kind)()
    assert name not in found
    assert found.ambiguous(name) == (f"a:{name}", f"b:{name}")
    assert list(found) == [f"a:{name}", f"b:{name}"]
    assert found[f"a:{name}"] != found[f"b:{name}"]
    alone = getattr(Registry.of(SLOTS, a=bringing("a")), kind)()
    assert alone[name] is alone[f"a:{name}"]
    assert (list(alone), alone.ambiguous(name)) == ([name], ())


def test_names_are_gone_through_once_each():
    found = NameTable([("a", "x", 1), ("b", "x", 2), ("a", "y", 3)])
    assert dict(found) == {"a:x": 1, "b:x": 2, "y": 3}
    assert len(found) == 3
    assert found.get("c:x") is None


def test_a_description_that_names_an_operation_of_two(two):
    [(text, hint)] = unknown(Op("mix"), two.operations())
    assert text == "2 plugins bring an operation mix: a and b."
    assert hint == "Leave one out: --without a or --without b."


def test_an_operation_of_the_core_is_not_to_be_left_out():
    name = next(iter(entries())).name
    hook = {"nascore_operations": hookimpl(lambda: [Operation(name=name, build="x:y")])}
    core = {"nascore_operations": hookimpl(lambda: [*entries()])}
    both = Registry.of(SLOTS, builtin=SimpleNamespace(**core), x=SimpleNamespace(**hook))
    [(_, hint)] = unknown(Op(name), both.operations())
    assert hint == "Leave one out: --without x."


def test_a_text_that_two_notations_read(two):
    with pytest.raises(PluginError, match="2 notations read this text: a:tree and b:tree"):
        read_architecture("X(1)", two)
    assert read_architecture("X(1)", Registry.of(SLOTS, b=bringing("b"))) == "b"


def test_the_doctor_names_what_several_bring(two, monkeypatch):
    monkeypatch.setattr("nascore.verbs.resolution.discover", lambda _: two)
    health = doctor()
    assert health.well
    cures = {(one.kind, one.name): one.cure for one in health.clashes}
    assert cures == {
        ("preset", "p"): "Write a:p or b:p.",
        ("notation", "tree"): "Write a:tree or b:tree.",
        ("verb", "report"): "Write a:report or b:report.",
        ("operation", "mix"): "Leave one out: --without a or --without b.",
    }


def test_the_doctor_names_a_verb_that_nascore_has_too(monkeypatch):
    from nascore.cli.app import own_verbs  # noqa: PLC0415 - imports every verb

    hook = {"nascore_commands": hookimpl(lambda: [Command(name="list", summary="", build="x:y")])}
    found = Registry.of(SLOTS, x=SimpleNamespace(**hook))
    monkeypatch.setattr("nascore.verbs.resolution.discover", lambda _: found)
    [clash] = doctor(own=own_verbs()).clashes
    assert (clash.kind, clash.plugins) == ("verb", ("nascore", "x"))
    assert clash.cure == "list is a verb of nascore; write x:list for the other one."


@pytest.mark.parametrize("status", ["broken", "foreign", "clash", "blocked"])
def test_a_plugin_that_is_switched_off_is_well(two, monkeypatch, status):
    first = evolve(two.plugins[0], status=status, operations=())
    monkeypatch.setattr("nascore.verbs.resolution.discover", lambda _: Registry([first]))
    assert doctor().well is (status == "blocked")


@pytest.mark.parametrize(
    ("kind", "name", "distribution"),
    [
        ("updater", "xnas", "nascore-xnas"),
        ("space", "darts-s3", "nascore-spaces"),
        ("growth", "petridish", "nascore-petridish"),
        ("relaxation", "egs", "nascore-data"),
        ("notation", "genotype", "nascore-darts"),
        ("verb", "report", ""),
        ("verb", "xnas", ""),
        ("nothing", "xnas", ""),
    ],
)
def test_who_brings_what(kind, name, distribution):
    assert provider(kind, name) == distribution


def test_no_name_has_two_bringers():
    named = [
        (kind, name)
        for brought in distributions().values()
        for kind, names in brought.items()
        for name in names
    ]
    assert len(named) == len(set(named))
