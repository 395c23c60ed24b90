"""Hooks that plugins add, and the components that read what all selected plugins contributed to them."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from attrs import evolve
from click.testing import CliRunner
from recipe_sample import TABLE, part
from tiny import TINY

import nascore
from nascore.cli import main
from nascore.component import hookimpl, hookspec
from nascore.errors import Origin, PluginError
from nascore.plugin import Registry, Selection, discover
from nascore.recipe.sources.names import unknown_component

READER = '''
"""A softmax that starts from priors of operations."""

import math

from nascore.api import Component, Sampled, hookimpl, hookspec


class Hooks:
    @hookspec
    def acme_priors():
        """Pairs of an operation's name and a factor of its weight; or functions that give one."""


class PriorSoftmax:
    segment = None

    def __init__(self, settings, contributions):
        self.priors = {}
        for one in contributions["acme_priors"]:
            pair = one.value() if callable(one.value) else one.value
            if not isinstance(pair, tuple):
                raise one.wrong("a pair of an operation's name and a factor")
            self.priors[pair[0]] = pair[1]

    def initial(self, group, generator):
        import torch

        return torch.tensor([[math.log(self.priors.get(op.name, 1.0)) for op in group.ops]] * len(group.rows))

    def mixture(self, theta, segments, group, *, generator):
        return Sampled(weights=self.expected(theta, segments, group))

    def expected(self, theta, segments, group):
        from nascore.nn import segment_softmax

        return segment_softmax(theta, segments)


@hookimpl
def nascore_addhooks():
    yield Hooks


@hookimpl
def nascore_relaxations():
    yield Component(
        name="prior-softmax",
        slot="relaxation",
        summary="Softmax that starts from priors.",
        build=PriorSoftmax,
        provides=("normalized", "deterministic"),
        asks=("acme_priors",),
    )
'''

FILLER = """
from nascore.api import hookimpl


@hookimpl
def acme_priors():
    yield {value}
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """A folder with the reader as a file, and with `nascore-pools 1.2`, installed, which contributes."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "acme.py").write_text(READER, encoding="utf-8")
    install(folder / "site", "pools", '"max_pool_3x3", 1000.0')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder / "site"))
        yield folder
    for name in ("nascore_pools", "nascore_file_acme", "nascore_file_more"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def runs(acme):
    """A search with all plugins, and one without the plugin that contributes."""
    assert (acme / "acme.py").is_file()
    return {"with": searched("with"), "without": searched("without", without=("pools",))}


def install(folder, name, value):
    info = folder / f"nascore_{name}-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / f"nascore_{name}.py").write_text(FILLER.format(value=value), encoding="utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: nascore-{name}\nVersion: 1.2\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[nascore]\n{name} = nascore_{name}\n", encoding="utf-8")


def searched(out, **selection):
    plugins = Selection(files=("acme.py",), **selection)
    return nascore.search(
        space="tiny",
        dataset="synthetic",
        updater="sgd",
        relaxation="prior-softmax",
        scale="mini",
        settings=TINY,
        out=out,
        plugins=plugins,
    )


def kept(run):
    recipe = yaml.safe_load((run.path / "recipe.yaml").read_text(encoding="utf-8"))
    return recipe["plugins"], (run.path / "best" / "architecture.yaml").read_text(encoding="utf-8")


def operations(architecture):
    return {op for op in ("skip_connect", "max_pool_3x3", "conv_3x3") if op in architecture}


def check(*words, site):
    """Check a recipe in a process of its own."""
    given = filter(None, [str(site) if site else "", os.environ.get("PYTHONPATH")])
    return subprocess.run(
        [sys.executable, "-m", "nascore", "check", *map(str, words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(given)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_leaving_out_the_plugin_that_contributes_changes_the_search_and_the_recipe(runs):
    plugins, best = kept(runs["with"])
    assert plugins == {"pools": "nascore-pools==1.2", "acme": "files/acme.py"}
    assert operations(best) == {"max_pool_3x3"}
    plugins, best = kept(runs["without"])
    assert plugins == {"acme": "files/acme.py"}
    assert operations(best) != {"max_pool_3x3"}


@pytest.mark.usefixtures("runs")
def test_a_recipe_is_checked_against_what_is_contributed_now(acme):
    file = "with/files/acme.py"
    whole = check("with/recipe.yaml", "--with", file, site=acme / "site")
    assert (whole.returncode, whole.stderr) == (0, "")
    gone = check("with/recipe.yaml", "--with", file, site=None)
    assert "warning: plugins: the recipe was made with the plugin pools, which is not loaded." in gone.stderr
    assert "nascore-pools==1.2" in gone.stderr


@pytest.mark.usefixtures("runs")
def test_a_recipe_that_was_made_with_fewer_contributions_says_whose_to_leave_out():
    words = ["check", "without/recipe.yaml", "--with", "without/files/acme.py"]
    assert (
        "warning: relaxation: prior-softmax reads acme_priors of the plugin pools, which was not loaded when "
        "the recipe was made. To repeat the recipe, add --without pools."
    ) in CliRunner().invoke(main, words).stderr
    cured = CliRunner().invoke(main, [*words, "--without", "pools"])
    assert (cured.exit_code, cured.stderr) == (0, "")


@pytest.mark.usefixtures("runs")
def test_a_file_that_contributes_is_left_out_by_its_option(acme):
    (acme / "more.py").write_text(FILLER.format(value='"conv_3x3", 2.0'), encoding="utf-8")
    words = ["check", "without/recipe.yaml", "--with", "acme.py", "--with", "more.py", "--without", "pools"]
    assert "To repeat the recipe, remove --with more.py." in CliRunner().invoke(main, words).stderr


@pytest.mark.usefixtures("acme")
def test_the_component_shows_who_contributes():
    words = ["show", "prior-softmax", "--with", "acme.py"]
    assert "  reads acme_priors: pools (1)\n" in CliRunner().invoke(main, words).stdout
    for left in (["--without", "pools"], ["--only", "builtin"]):
        alone = CliRunner().invoke(main, [*words, *left]).stdout
        assert "  reads acme_priors: no plugin contributes to it\n" in alone
    checked = CliRunner().invoke(main, ["check-plugin", "prior-softmax", "--with", "acme.py"])
    assert checked.exit_code == 0, checked.output


def test_a_wrong_contribution_is_reported_once_by_check_plugin(acme):
    (acme / "more.py").write_text(FILLER.format(value="7"), encoding="utf-8")
    result = CliRunner().invoke(main, ["check-plugin", "acme", "--with", "acme.py", "--with", "more.py"])
    assert result.exit_code == 1
    assert ".." not in result.stdout
    raised = [line for line in result.stdout.splitlines() if line.startswith("  prior-softmax raised")]
    assert len(raised) == 1
    assert " checks failed: its_defaults_work, leaves_the_global_random_numbers_alone, " in result.stdout
    assert "promised: Every part can be built from its settings, and from the contributions" in result.stdout


def test_a_plugin_that_is_switched_off_is_named_where_its_hook_or_part_is_missing(acme):
    assert (acme / "acme.py").is_file()
    registry = discover(Selection(files=("acme.py",), without=("acme",)))
    (pools,) = (one for one in registry.plugins if one.name == "pools")
    off = "It may belong to a plugin that is switched off: acme (--without names it)."
    assert (pools.status, pools.reason, pools.cure) == ("broken", "no hook is called acme_priors", off)

    origin = Origin(kind="flag", flag="--relaxation", value="prior-softmax")
    assert unknown_component("relaxation", "prior-softmax", origin, registry).hint.endswith(f". {off}")
    same = unknown_component("relaxation", "acme", origin, registry)
    assert same.text == "no relaxation is called acme; acme is switched off: --without names it."
    assert same.hint == "Remove that option."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("7", "acme_priors: acme_priors of the plugin more yields 7; the hook expects a pair of an"),
        ("lambda: 1 / 0", "relaxation: the building of prior-softmax raised ZeroDivisionError"),
    ],
)
def test_a_wrong_contribution_names_the_plugin_that_made_it(acme, value, said):
    (acme / "more.py").write_text(FILLER.format(value=value), encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        nascore.search(space="tiny", relaxation="prior-softmax", plugins=["acme.py", "more.py"])
    [problem] = caught.value.problems
    assert str(problem).startswith(said)
    assert problem.hint == (
        "This is a fault of the plugin more: correct the file, or leave out --with more.py."
    )


def test_a_component_of_a_file_that_raises_is_left_out_by_its_own_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = """
from nascore.api import Component, hookimpl

@hookimpl
def nascore_relaxations():
    yield Component(name="faulty", slot="relaxation", summary="Raises.", build=lambda settings: 1 / 0)
"""
    (tmp_path / "faulty.py").write_text(text, encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        nascore.search(relaxation="faulty", plugins=["faulty.py"])
    [problem] = caught.value.problems
    assert problem.hint == (
        "This is a fault of the plugin faulty: correct the file, or leave out --with faulty.py."
    )


def test_a_hook_that_raises_is_its_own_plugins_mistake(acme):
    (acme / "more.py").write_text(FILLER.format(value="1 / 0"), encoding="utf-8")
    status = {one.name: (one.status, one.reason) for one in discover(["acme.py", "more.py"]).plugins}
    assert status["acme"] == ("ready", "")
    assert status["more"][0] == "broken"
    assert status["more"][1].startswith("ZeroDivisionError: division by zero (")


def acme_priors():
    """Priors."""


HOOKS = SimpleNamespace(acme_priors=hookspec(acme_priors))


def module(**hooks):
    return SimpleNamespace(**{name: hookimpl(specname=name)(function) for name, function in hooks.items()})


def asking(*hooks):
    component = evolve(part("mine", "updater", asks=hooks), build=lambda *given: given)
    return module(nascore_updaters=lambda: [component], nascore_addhooks=lambda: [HOOKS])


def test_a_class_gets_what_each_plugin_contributed_in_their_order():
    registry = Registry.of(
        TABLE,
        first=module(acme_priors=lambda: ["a", "b"]),
        mine=asking("acme_priors"),
        broken=module(acme_priors=lambda: ["c"], nascore_updaters=lambda: [3]),
        last=module(acme_priors=lambda: iter(["d"])),
    )
    component = registry.get("updater", "mine")
    settings, contributions = component.builder()("settings")
    assert settings == "settings"
    assert [(one.plugin, one.value) for one in contributions["acme_priors"]] == [
        ("first", "a"),
        ("first", "b"),
        ("last", "d"),
    ]
    contributions.clear()
    assert len(component.builder()("settings")[1]["acme_priors"]) == 3


def test_a_class_that_asks_for_nothing_gets_its_settings_alone():
    registry = Registry.of(TABLE, first=module(acme_priors=lambda: ["a"]), mine=asking())
    assert registry.get("updater", "mine").builder()("settings") == ("settings",)


@pytest.mark.parametrize(
    ("asks", "reason", "cure"),
    [
        (
            "acme_prior",
            "mine asks for acme_prior, but no plugin adds a hook of this name",
            "Did you mean acme_priors? If another plugin adds it, install that plugin, or do not exclude it.",
        ),
        (
            "other_things",
            "mine asks for other_things, but no plugin adds a hook of this name",
            "Known: acme_priors. If another plugin adds it, install that plugin, or do not exclude it.",
        ),
        (
            "nascore_updaters",
            "mine asks for nascore_updaters, a hook of nascore",
            "A component can read only hooks that plugins add.",
        ),
    ],
)
def test_a_hook_that_no_plugin_adds_is_refused_when_the_plugin_is_loaded(asks, reason, cure):
    [plugin] = Registry.of(TABLE, mine=asking(asks)).plugins
    assert (plugin.status, plugin.reason, plugin.cure) == ("broken", reason, cure)


def test_a_text_is_no_tuple_of_hooks():
    component = part("mine", "updater", asks="acme_priors")
    [plugin] = Registry.of(TABLE, mine=module(nascore_updaters=lambda: [component])).plugins
    assert plugin.reason == "mine: asks 'acme_priors' is not a tuple of hook names."


def test_a_misspelt_hook_is_named_with_its_own_prefix():
    found = Registry.of(TABLE, mine=asking(), other=module(acme_prior=lambda: ["a"])).plugins
    assert found[1].cure == "Did you mean acme_priors? If another plugin adds it, install that."
