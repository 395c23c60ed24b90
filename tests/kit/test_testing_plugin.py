"""What `PluginConformance` finds in a plugin that can be loaded all the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import frozen

import nascore.builtin
from nascore.api import Command, Component, Need, Preset, hookimpl, setting
from nascore.plugin import Registry, discover
from nascore.testing import PluginConformance, checks_of, examined


@frozen(kw_only=True)
class Inner:
    depth: int = setting(2, "No sentence")


@frozen(kw_only=True)
class Undocumented:
    rate: float = setting(0.1, "Rate.")
    inner: Inner = setting(Inner(), "A group.")  # noqa: RUF009 - it declares a field


def component(**changes):
    facts = {"name": "mine", "slot": "updater", "summary": "Does little.", "build": lambda settings: settings}
    return Component(**{**facts, **changes})


def plugin(*components, presets=(), commands=()):
    hooks = {
        "nascore_updaters": lambda: components,
        "nascore_presets": lambda: presets,
        "nascore_commands": lambda: commands,
    }
    return SimpleNamespace(**{name: hookimpl(function, specname=name) for name, function in hooks.items()})


def failures(registry, name="mine"):
    checked = type("Checked", (PluginConformance,), {"plugin": name, "registry": registry})
    return {one.check: one.failure for one in examined(checked) if one.failure}


def of(*components, **more):
    return failures(Registry.of(builtin=nascore.builtin, mine=plugin(*components, **more)))


def test_the_healthy_one_passes():
    preset = Preset(name="good", summary="A recipe.", text="nascore: 1\nspace: tiny\nupdater: mine\n")
    need = Need(terms=("not trainer.unrolled", "run.horizon", "updater.mine.fast"), why="it is so")

    assert of(component(needs=(need,), provides=("mine.fast",)), presets=[preset]) == {}


FAULTS = {
    "undocumented": (
        "settings_are_documented",
        {"config": Undocumented},
        "mine has settings of mine without a description that ends with a full stop: inner.depth.",
    ),
    "slotless": (
        "needs_can_be_met",
        {"needs": (Need(terms=("trainr.unrolled",), why="so"),)},
        "mine has a need of updater mine for 'trainr.unrolled', but no slot is called trainr. Did you mean",
    ),
    "stranger": (
        "needs_can_be_met",
        {"needs": (Need(terms=("updater.other.fast",), why="so"),)},
        "mine has a need of updater mine for 'updater.other.fast': nascore has no such capability",
    ),
    "reasonless": (
        "needs_can_be_met",
        {"needs": (Need(terms=("trainer.unrolled",), why=" "),)},
        "mine has a need of updater mine without a term or without a reason.",
    ),
    "unheard-of": (
        "provides_what_is_known",
        {"provides": ("other.fast",)},
        "mine has the updater mine that provides 'other.fast'",
    ),
    "wish-setting": (
        "wishes_can_come_true",
        {"wishes": {"trainer": ["gone", ("alternating", {"estimate": "frist"})]}},
        "mine has a wish of updater mine for trainer alternating that is refused: estimate: 'frist'",
    ),
    "build-gone": (
        "parts_can_be_built",
        {"build": "nascore.builtin.updaters:Gone"},
        (
            "mine cannot build updater mine with its default settings: "
            "PluginError: nascore.builtin.updaters:Gone"
        ),
    ),
    "build-without-settings": (
        "parts_can_be_built",
        {"build": lambda: None},
        "mine cannot build updater mine with its default settings: TypeError",
    ),
    "empty-summary": (
        "summaries_are_sentences",
        {"summary": " "},
        "mine has no summary of one line for mine.",
    ),
    "long-summary": (
        "summaries_are_sentences",
        {"summary": f"{'a' * 80}."},
        "mine has a summary of mine with 81 characters; at most 80 are allowed.",
    ),
    "underscore": (
        "names_can_be_typed",
        {"name": "mi_ne"},
        "mine has names with characters other than a-z, 0-9 and dashes: mi_ne.",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_component(case):
    check, changes, sentence = FAULTS[case]

    found = of(component(**changes))

    assert set(found) == {check}
    assert found[check].startswith(sentence)


def test_a_preset_for_data_of_another_plugin_is_a_recipe():
    preset = Preset(name="good", summary="A recipe.", text="nascore: 1\ndataset: cifar10\nupdater: mine\n")

    assert of(component(), presets=[preset]) == {}


def test_a_preset_that_is_no_recipe():
    preset = Preset(name="bad", summary="A recipe.", text="nascore: 1\nupdater: {name: mine, rate: 3}\n")

    found = of(component(), presets=[preset])

    assert set(found) == {"presets_are_recipes"}
    assert found["presets_are_recipes"].startswith("mine has an invalid preset bad: ")
    assert "rate" in found["presets_are_recipes"]


def test_a_preset_may_need_what_is_not_installed():
    text = "nascore: 1\nspace: tiny\nupdater: mine\ndataset: cifar10\n"

    assert of(component(), presets=[Preset(name="far", summary="A recipe.", text=text)]) == {}


def test_names_of_verbs_are_looked_at_too():
    verb = Command(name="do_it", summary="Does it", build=lambda: None)

    assert set(of(component(), commands=[verb])) == {"names_can_be_typed", "summaries_are_sentences"}


def test_a_plugin_that_is_not_there():
    found = failures(Registry.of(builtin=nascore.builtin))

    assert set(found.values()) == {"No plugin is called mine."}
    assert len(found) == len(checks_of(PluginConformance))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a plugin with what stands in its metadata, and a module that imports torch or not."""

    def install(metadata, module):
        info = tmp_path / "bare-1.0.dist-info"
        info.mkdir()
        head = "Metadata-Version: 2.1\nName: bare\nVersion: 1.0\n"
        (info / "METADATA").write_text(head + metadata, encoding="utf-8")
        (info / "entry_points.txt").write_text("[nascore]\nbare = bare_plugin\n", encoding="utf-8")
        (tmp_path / "bare_plugin.py").write_text(module, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return failures(discover(), "bare")

    return install


HOOKS = """
from nascore.api import Component, hookimpl

@hookimpl
def nascore_updaters():
    yield Component(name="bare", slot="updater", summary="Bare.", build=lambda settings: settings)
"""


def test_what_its_distribution_says(installed):
    assert installed("Requires-Dist: nascore\n", HOOKS) == {
        "says_for_which_nascore": "bare names no versions of nascore in its dependencies, "
        'such as "nascore>=0.1,<0.2".',
        "has_a_readme": 'bare has no README: write readme = "README.md" in its pyproject.toml.',
    }


def test_torch_at_the_door(installed):
    found = installed("Requires-Dist: nascore>=0.1\n\n# Bare\n", f"import torch.nn\n{HOOKS}")

    assert set(found) == {"loads_without_torch"}
    assert found["loads_without_torch"].endswith("bare_plugin.py:1: import torch in the part's module.")
