"""A wish is taken whatever slot it comes from, or refused when its plugin is loaded; none is dropped."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import pytest
from recipe_sample import CORE, SpaceSettings, hooks, part, plain

import nascore.builtin
from nascore.component import Component
from nascore.plugin import Registry
from nascore.recipe import Request, dump_recipe, resolve
from nascore.slots import SLOTS
from nascore.testing import PluginConformance, examined
from nascore.testing.conformance import unwishable

ORDER = tuple(slot.name for slot in SLOTS)
ASIDE = tuple(slot.name for slot in SLOTS if slot.aside)
MAY = tuple((own, other) for own, other in combinations(ORDER, 2) if own not in ASIDE)
NEVER = tuple((own, other) for other, own in combinations(ORDER, 2))
WISHED = ("wished", {"channels": 7})


def installed(*wishers, **wishes):
    """Return a registry in which each slot has a default, another component, and one that wishes.

    Args:
        wishers: Slots whose component `wishing` wishes.
        wishes: What they wish, by slot.
    """
    defaults = {**CORE.wishes, **{slot.name: "plain" for slot in SLOTS if slot.many}}
    # Tricks need a trainer that applies them.
    more = {slot: {"provides": ("tricks",)} if slot == "trainer" else {} for slot in ORDER}
    parts = [part(defaults[slot], slot, **more[slot]) for slot in ORDER]
    parts += [part("wished", slot, SpaceSettings, **more[slot]) for slot in ORDER]
    parts += [part("wishing", slot, wishes=wishes if slot in wishers else {}, **more[slot]) for slot in ORDER]
    return Registry.of(sample=SimpleNamespace(**hooks(parts)))


def settled(registry, **names):
    request = Request(names={slot: [name] for slot, name in names.items()}, scale="mini")
    return resolve(request.layers(registry), registry)


@pytest.mark.parametrize(("own", "other"), MAY, ids=lambda name: name)
def test_a_wish_is_taken_of_every_slot_before(own, other):
    registry = installed(own, **{other: WISHED})
    found = settled(registry, **{own: "wishing"})
    assert (found.names(other), found.problems) == (("wished",), ())
    assert found.part(other).settings.channels == 7
    assert str(found.part(other).chosen_by) == "wished by wishing"
    # Its settings hold for whoever names the same, and what is named stands.
    assert settled(registry, **{own: "wishing", other: "wished"}).part(other).settings.channels == 7
    assert settled(registry, **{own: "wishing", other: "wishing"}).names(other) == ("wishing",)


@pytest.mark.parametrize(("own", "other"), MAY, ids=lambda name: name)
def test_naming_what_it_brought_changes_nothing(own, other, tmp_path):
    registry = installed(own, **{other: WISHED})
    found = settled(registry, **{own: "wishing"})
    brought = {slot: found.names(slot)[0] for slot in ORDER if found.names(slot)}
    assert plain(settled(registry, **brought)) == plain(found)
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_recipe(found), encoding="utf-8")
    again = resolve(Request(recipe=path).layers(registry), registry)
    assert plain(again) == plain(found)


def test_what_a_wish_brings_wishes_too():
    parts = [part(name, slot) for slot, name in CORE.wishes.items()]
    parts.append(part("one", "growth", wishes={"trainer": "two"}))
    parts.append(part("two", "trainer", wishes={"relaxation": "three"}))
    parts.append(part("three", "relaxation", wishes={"regularizer": ["four", "five"]}))
    parts += [part("four", "regularizer", wishes={"dataset": "six"}), part("five", "regularizer")]
    parts.append(part("six", "dataset", wishes={"observer": "seven"}))
    parts.append(part("seven", "observer"))
    found = settled(Registry.of(sample=SimpleNamespace(**hooks(parts))), growth="one")
    names = [found.names(slot) for slot in ("trainer", "relaxation", "regularizer", "dataset", "observer")]
    assert names == [("two",), ("three",), ("four", "five"), ("six",), ("seven",)]


def test_those_of_updater_growth_and_space_come_first():
    wishers = ("space", "growth", "updater", "trainer")
    parts = [part(name, slot) for slot, name in CORE.wishes.items()]
    parts += [part(f"of-{slot}", "relaxation") for slot in wishers]
    parts += [part("mine", slot, wishes={"relaxation": f"of-{slot}"}) for slot in wishers]
    registry = Registry.of(sample=SimpleNamespace(**hooks(parts)))
    for first in ("updater", "growth", "space", "trainer"):
        assert settled(registry, **dict.fromkeys(wishers, "mine")).names("relaxation") == (f"of-{first}",)
        wishers = tuple(slot for slot in wishers if slot != first)
    assert settled(registry).names("relaxation") == ("softmax",)


@pytest.mark.parametrize(("own", "other"), NEVER, ids=lambda name: name)
def test_one_that_could_never_be_taken_is_refused_when_it_is_loaded(own, other):
    plugin = installed(own, **{other: WISHED}).plugins[0]
    assert (plugin.name, plugin.status) == ("sample", "broken")
    if own in ASIDE:
        why = f"wishes of slot {own} are never taken, since it does not influence the result"
    else:
        before = ", ".join(ORDER[: ORDER.index(other)])
        who = f"only wishes of {before} are taken" if before else "no wishes for it are taken"
        why = f"which is filled before {own}: {who}. Declare a need instead, or add a preset"
    joint = ", and " if own in ASIDE else ", "
    assert f"wishing: it wishes for {other}{joint}{why}" in plugin.reason


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"run": "search"}, "wishing: it wishes for run, and no slot is called that"),
        ({"trainr": "wished"}, "no slot is called that. Did you mean trainer?"),
        ({"updater": "wished"}, "wishing: it wishes for its own slot updater"),
        (
            {"trainer": ("wished",)},
            "its wish ('wished',) for trainer is neither a name nor (name, settings).",
        ),
        ({"trainer": [("wished", 3)]}, "its wish ('wished', 3) for trainer is neither"),
        ({"trainer": None}, "its wish None for trainer is neither"),
    ],
)
def test_one_that_names_nothing_is_refused_when_it_is_loaded(wishes, said):
    assert said in installed("updater", **wishes).plugins[0].reason


@pytest.mark.parametrize(("own", "other"), [("regularizer", "trainer"), ("observer", "trainer")])
def test_the_kit_fails_it(own, other):
    class Checked(PluginConformance):
        plugin = "sample"
        registry = installed(own, **{other: WISHED})

    failed = {one.check: one.failure for one in examined(Checked) if one.failure}
    assert f"it wishes for {other}" in failed["is_ready"]
    declared = Component(name="mine", slot=own, summary="Of a test.", build="x:y", wishes={other: WISHED})
    (fault,) = unwishable(declared, Registry.of(builtin=nascore.builtin))
    assert fault.startswith(f"the {own} mine: it wishes for {other}")


def test_a_wish_for_a_component_that_is_not_there_is_on_record():
    registry = installed("updater", relaxation=["gone", "wished", "gone too"], regularizer="gone")
    found = settled(registry, updater="wishing")
    assert found.names("relaxation") == ("wished",)
    assert [str(one) for one in found.declined] == [
        "gone, wished by wishing, is not used: it is not installed",
        "gone, wished by wishing, is not used: it is not installed",
    ]
    assert settled(registry, updater="wishing", relaxation="softmax", regularizer="plain").declined == ()


def test_a_wish_for_a_name_that_two_plugins_bring_is_on_record():
    wishing = part("wishing", "updater", wishes={"relaxation": "twice"})
    one = SimpleNamespace(**hooks([part(name, slot) for slot, name in CORE.wishes.items()]))
    both = [SimpleNamespace(**hooks([part("twice", "relaxation"), *more])) for more in ([wishing], [])]
    registry = Registry.of(sample=one, first=both[0], second=both[1])
    found = settled(registry, updater="wishing")
    assert found.names("relaxation") == ("softmax",)
    (passed,) = found.declined
    assert str(passed) == (
        "twice, wished by wishing, is not used: several plugins bring it: first:twice, second:twice"
    )
