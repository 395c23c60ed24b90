from types import SimpleNamespace

import pytest
from attrs import evolve
from recipe_sample import FileSettings, L1Settings, part, registry

from nascore.component import Command, Component, Need, Preset, hookimpl, hookspec, load
from nascore.description import Operation
from nascore.errors import PluginError
from nascore.plugin import Registry
from nascore.slots import RUN

MINE = part("mine", "updater")


def plugin(**hooks_by_name):
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks_by_name.items()})


def updaters(*items):
    return plugin(nascore_updaters=lambda: items)


def broken(item):
    """Load one object beside a sound plugin; return why it is broken."""
    found = Registry.of(good=updaters(MINE), bad=item)
    good, bad = found.plugins
    assert good.status == "ready"
    assert found.names("updater") == ("mine",)
    assert bad.status == "broken"
    return bad.reason


def test_components_are_found_by_slot_and_name():
    found = registry()
    assert found.names("relaxation") == ("egs", "linear", "softmax")
    assert found.get("updater", "xnas").plugin == "sample"
    assert found.get("updater", "sample:xnas") is found.get("updater", "xnas")
    assert found.get("updater", "softmax") is None
    assert found.get("updater", "other:xnas") is None
    assert found.slots_of("darts") == ("space", "updater")
    assert [item.name for item in found.components("space")] == ["darts", "file", "nb201"]


def test_of_two_with_one_name_only_the_bare_name_is_ambiguous():
    found = Registry.of(a=updaters(MINE), b=updaters(MINE))
    assert found.get("updater", "mine") is None
    assert found.ambiguous("updater", "mine") == ("a:mine", "b:mine")
    assert found.ambiguous("updater", "a:mine") == ()
    assert found.get("updater", "b:mine").plugin == "b"


def test_presets_commands_and_operations_are_found_by_name():
    operation = Operation(name="skip", build="nowhere:Skip")
    command = Command(name="report", summary="writes a report", build="nowhere:report")
    preset = Preset(name="p", summary="a preset", text="nascore: 1\n")
    found = Registry.of(
        a=plugin(
            nascore_operations=lambda: [operation],
            nascore_commands=lambda: [command],
            nascore_presets=lambda: [preset],
        )
    )
    assert dict(found.operations()) == {"skip": operation}
    assert found.presets()["p"].read() == "nascore: 1\n"
    assert found.commands()["report"].plugin == "a"


def test_a_preset_reads_its_file(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("nascore: 1\n", encoding="utf-8")
    assert Preset(name="p", summary="", path=path).read() == "nascore: 1\n"


def fails():
    raise RuntimeError("no licence")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (SimpleNamespace(), "has no function marked with @hookimpl"),
        (SimpleNamespace(nascore_updaters=lambda: [MINE]), "nascore_updaters is not marked"),
        (plugin(nascore_updatters=lambda: [MINE]), "no hook is called nascore_updatters"),
        (plugin(nascore_updaters=fails), "RuntimeError: no licence"),
        (plugin(nascore_updaters=lambda: None), "must return an iterable, not NoneType"),
        (plugin(nascore_updaters=lambda: MINE), "must return an iterable, not Component"),
        (plugin(nascore_updaters=lambda: ["mine"]), "which is not a Component"),
        (plugin(nascore_updaters=lambda extra: [extra]), "extra"),
        (updaters(part("mine", "space")), "yields mine, a component of slot space"),
        (updaters(part("My Updater", "updater")), "lower-case letters"),
        (updaters(part("a", "updater", provides=("lerns",))), "Did you mean learns?"),
        (updaters(part("a", "updater", needs=(Need(terms=("fixed",), why="x"),))), "slot.capability"),
        (updaters(part("a", "updater", L1Settings, mini={"wait": 1})), "has no setting wait"),
        (
            updaters(part("a", "updater", FileSettings, argument="file")),
            "argument file is not one of",
        ),
        (updaters(part("a", "updater", wishes={"updater": "mine"})), "wishes for its own slot"),
        (updaters(part("a", "updater", dict)), "settings cannot be read"),
    ],
)
def test_a_broken_plugin_harms_only_itself(item, reason):
    assert reason in broken(item)


def test_a_plugin_adds_hooks_that_others_implement():
    @hookspec
    def nascore_waves():
        return ()

    adds = plugin(nascore_addhooks=lambda: [SimpleNamespace(nascore_waves=nascore_waves)])
    found = registry(adds=adds, other=plugin(nascore_waves=lambda: ["wavy"]))
    assert found.plugins[-1].added["nascore_waves"] == ("wavy",)


def test_load_imports_late():
    assert load("nascore.component:load") is load
    assert load(evolve) is evolve
    with pytest.raises(PluginError, match="cannot be loaded"):
        load("nascore.component:nothing")
    with pytest.raises(PluginError, match="cannot be loaded"):
        load("nascore.no_such_module:x")
    with pytest.raises(PluginError, match="not of the form"):
        load("nascore.component")


def test_the_settings_of_a_list_are_reached_by_the_name_of_their_component():
    prefixes = [part("mine", slot).prefix for slot in ("updater", "regularizer", RUN)]
    assert prefixes == ["updater.", "regularizer.mine.", ""]


def test_components_are_compared_by_identity():
    def declared():
        return Component(name="a", slot="updater", summary="", build="x:y")

    assert declared() != declared()
