"""Why a plugin is not ready, and what to do about it; each in a process that goes on."""

from __future__ import annotations

from importlib.metadata import distributions, version
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from nascore.component import Command, Preset, hookimpl
from nascore.plugin import Registry, Selection, discover

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.plugin import Plugin

GOOD = """
from nascore.api import Component, hookimpl

@hookimpl
def nascore_updaters():
    yield Component(name="{name}", slot="updater", summary="Steps.", build="x:y")
"""


class Site:
    """A folder of installed distributions."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, distribution: str, module: str, text: str = "", *, name: str = "", requires: str = ""):
        (self.path / f"{module}.py").write_text(text or GOOD.format(name=module), encoding="utf-8")
        info = self.path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        asked = f"Requires-Dist: {requires}\n" if requires else ""
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n{asked}"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        entry = f"[nascore]\n{name or distribution} = {module}\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")

    def found(self, **selected) -> dict[str, Plugin]:
        entries = [entry for one in distributions(path=[str(self.path)]) for entry in one.entry_points]
        registry = discover(Selection(**selected), entries=entries)
        return {one.distribution or one.value: one for one in registry.plugins}


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return Site(tmp_path)


def test_two_of_one_name_clash_and_neither_loads(site):
    site.add("clash-a", "clash_mod_a", name="same")
    site.add("clash-b", "clash_mod_b", name="same")
    found = site.found()
    assert [one.status for one in found.values()] == ["clash", "clash"]
    assert found["clash-a"].reason == "2 plugins are called same: clash-a 1.0 and clash-b 1.0"
    assert found["clash-a"].cure == "--without clash-a or --without clash-b."
    assert all(not one.components for one in found.values())


@pytest.mark.parametrize("name", ["clash-d", "Clash_D"])
def test_a_switched_off_one_is_no_clash(site, name):
    site.add("clash-c", "clash_mod_c", name="same")
    site.add("clash-d", "clash_mod_d", name="same")
    found = site.found(without=(name,))
    assert (found["clash-c"].status, found["clash-d"].status) == ("ready", "blocked")
    assert [one.name for one in found["clash-c"].components] == ["clash_mod_c"]


def test_a_file_clashes_with_what_is_installed(site, tmp_path):
    site.add("clash-e", "clash_mod_e", name="idea")
    file = tmp_path / "idea.py"
    file.write_text(GOOD.format(name="idea"), encoding="utf-8")
    found = site.found(files=(file, file))
    assert [one.status for one in found.values()] == ["clash", "clash"]
    assert found[str(file)].cure == "--without clash-e or a different name for the file."
    assert site.found(files=(file,), without=("clash-e",))[str(file)].status == "ready"


def test_nobody_takes_the_name_of_the_cores_own(site):
    site.add("greedy", "greedy_mod", name="builtin")
    site.add("nascore", "core_mod", name="builtin")
    found = site.found()
    assert found["nascore"].status == "ready"
    assert (found["greedy"].status, found["greedy"].cure) == ("clash", "--without greedy.")


def test_a_file_may_be_named_twice(tmp_path):
    file = tmp_path / "twice_named.py"
    file.write_text(GOOD.format(name="idea"), encoding="utf-8")
    [plugin] = discover([file, file], entries=()).plugins
    assert plugin.status == "ready"


@pytest.mark.parametrize("asked", ["nascore>=99", "nascore (<0.1)", 'nascore==99 ; python_version > "3"'])
def test_one_for_another_core_is_foreign_and_not_imported(site, asked):
    site.add("strange", "strange_mod", "raise SystemExit(3)", requires=asked)
    [plugin] = site.found().values()
    assert plugin.status == "foreign"
    assert plugin.reason.endswith(f", and {version('nascore')} is installed")
    assert "pip install --upgrade strange" in plugin.cure


@pytest.mark.parametrize(
    "asked", ["nascore", "nascore>=0.1", "nascore-darts>=99", 'nascore>=99 ; extra == "new"', "numpy>=99"]
)
def test_one_for_this_core_is_ready(site, asked):
    site.add("fitting", "fitting_mod", requires=asked)
    assert site.found()["fitting"].status == "ready"


def test_a_requirement_that_is_none_is_broken(site):
    site.add("garbled", "garbled_mod", requires="nascore >=")
    plugin = site.found()["garbled"]
    assert plugin.status == "broken"
    assert "'Requires-Dist: nascore >=' cannot be read" in plugin.reason


def test_a_name_that_cannot_be_typed(site, tmp_path):
    site.add("spaced", "spaced_mod", name="my plugin")
    file = tmp_path / "my idea.py"
    file.write_text(GOOD.format(name="idea"), encoding="utf-8")
    found = site.found(files=(file,))
    assert [one.status for one in found.values()] == ["broken", "broken"]
    assert found[str(file)].cure == "Rename the file."


def test_a_package_without_init(site, tmp_path):
    site.add("hollow", "hollow_mod")
    (tmp_path / "hollow_mod.py").unlink()
    (tmp_path / "hollow_mod").mkdir()
    plugin = site.found()["hollow"]
    assert plugin.reason == "the package hollow_mod is empty: it has no __init__.py"
    assert "pip install --force-reinstall hollow" in plugin.cure


def test_a_module_that_is_missing_is_told_from_one_that_it_needs(site, tmp_path):
    site.add("gone", "gone_mod")
    (tmp_path / "gone_mod.py").unlink()
    site.add("needy", "needy_mod", "import surely_not_installed.deep\n")
    found = site.found()
    assert "pip install --force-reinstall gone" in found["gone"].cure
    assert found["needy"].cure == "Install the package with the module surely_not_installed, which it needs."
    assert found["needy"].reason.endswith("needy_mod.py:1)")
    assert "Traceback" in found["needy"].trace


def test_ctrl_c_is_nobodys_mistake(site):
    site.add("stopped", "stopped_mod", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        site.found()


@pytest.mark.parametrize("raised", ["GeneratorExit", "SystemExit", "BaseException"])
def test_whatever_else_is_raised_harms_only_its_plugin(site, raised):
    site.add("raising", f"raising_{raised}", f"raise {raised}('so')")
    site.add("sound", f"sound_{raised.lower()}")
    found = site.found()
    assert found["raising"].reason.startswith(f"{raised}: so (")
    assert found["sound"].status == "ready"


def test_a_hook_of_another_distribution_is_not_brought_twice(site):
    site.add("lender", "lender_mod")
    site.add("borrower", "borrower_mod", "from lender_mod import nascore_updaters\n")
    found = site.found()
    assert found["lender"].status == "ready"
    assert found["borrower"].reason == "nascore_updaters is imported from lender_mod, which belongs to lender"
    assert found["borrower"].cure == "Import the module lender_mod, not its hook."
    # It would be as wrong if the lender were switched off.
    assert site.found(without=("lender",))["borrower"].status == "broken"


def test_a_hook_of_a_helper_that_is_no_plugin_is_its_own(site, tmp_path):
    (tmp_path / "loose_helper.py").write_text(GOOD.format(name="loose"), encoding="utf-8")
    site.add("loose", "loose_mod", "from loose_helper import nascore_updaters\n")
    assert site.found()["loose"].status == "ready"


def brings(**hooks):
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (
            brings(nascore_presets=lambda: [Preset(name="My preset", summary="", text="")]),
            "preset 'My preset': a name is lower-case letters",
        ),
        (
            brings(nascore_presets=lambda: [Preset(name="p", summary="", text="")] * 2),
            "it declares preset p 2 times.",
        ),
        (
            brings(nascore_commands=lambda: [Command(name="--x", summary="", build="x:y")]),
            "verb '--x': a name is",
        ),
    ],
)
def test_names_of_what_is_no_component_are_looked_at_too(item, reason):
    [plugin] = Registry.of(bad=item).plugins
    assert (plugin.status, plugin.cure) == ("broken", "Its authors have to correct it.")
    assert reason in plugin.reason


def test_all_that_is_wrong_with_the_hooks_is_said_at_once():
    item = SimpleNamespace(
        nascore_spaces=list,
        nascore_updaters=hookimpl(lambda registry, more: [registry, more]),
        nascore_trayners=hookimpl(lambda: [None]),
    )
    [plugin] = Registry.of(bad=item).plugins
    assert plugin.reason == (
        "nascore_spaces is not marked with @hookimpl; no hook is called nascore_trayners; "
        "nascore_updaters has the arguments registry, more, but hooks are called without arguments"
    )
    assert "Did you mean nascore_trainers?" in plugin.cure


def test_a_hook_that_is_near_to_none_is_answered_with_all():
    [plugin] = Registry.of(bad=brings(nascore_wibble=lambda: [None])).plugins
    assert plugin.cure.startswith("Known: nascore_addhooks, nascore_commands, ")
