"""Executions of plugins: the hook, its checks, and the setting that names one."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import nascore
from nascore.cli import main
from nascore.component import Execution, hookimpl
from nascore.errors import PluginError, RecipeError
from nascore.plugin import Registry, Selection, discover
from nascore.recipe import Request
from nascore.recipe.settling.request import resolved
from nascore.slots import SLOTS

PROGRAM = '''\
"""An execution that counts its passes."""

from nascore.api import Execution, hookimpl
from nascore.nn.execution import Plain

PASSES = []


class Counting(Plain):
    def run(self, images, options):
        PASSES.append(len(images))
        return super().run(images, options)


@hookimpl
def nascore_executions():
    yield Execution(name="counting", summary="Counts its passes.", build=Counting)
'''
RUN = {
    "space": "tiny",
    "dataset": "synthetic",
    "scale": "mini",
    "settings": {"trainer.epochs": 1, "trainer.warm_up": 0, "trainer.batch": 16, "dataset.count": 64},
}


def bringing(*executions):
    return SimpleNamespace(nascore_executions=hookimpl(lambda: executions))


def declared(name="swift", **more):
    return Execution(name=name, summary="Swift.", build="nascore.nn.execution:Plain", **more)


def problems(name, *executions):
    registry = Registry([*discover().plugins, *Registry.of(SLOTS, own=bringing(*executions)).plugins])
    found = resolved(Request(names={"space": ["tiny"]}, sets=[f"execution.name={name}"]), registry)
    return [one for one in found.problems if one.path == "execution.name"]


@pytest.fixture
def counting(tmp_path):
    path = tmp_path / "counting.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (bringing(declared("Swift")), "execution 'Swift': a name is lower-case letters"),
        (bringing(declared("auto")), "execution 'auto': the name stands for the choice of the engine"),
        (bringing(declared(), declared()), "it declares execution swift 2 times"),
        (bringing(SimpleNamespace(name="swift")), "which is not a Execution"),
    ],
    ids=["name", "auto", "twice", "type"],
)
def test_a_wrong_declaration_breaks_the_plugin(hook, reason):
    [plugin] = Registry.of(SLOTS, own=hook).plugins
    assert plugin.status == "broken"
    assert reason in plugin.reason


def test_it_is_listed_and_shown(counting):
    done = invoke("list", "execution", "--with", counting, "--json")
    assert "Counts its passes." in {one["summary"] for one in json.loads(done.stdout)}
    done = invoke("show", "counting", "--with", counting)
    assert "use: --set execution.name=counting" in done.output
    assert invoke("plugins", "show", "counting", "--with", counting).output.count("counting") > 1


def test_a_run_uses_it_and_records_its_plugin(counting, tmp_path):
    run = nascore.search(
        **{**RUN, "settings": {**RUN["settings"], "execution.name": "counting"}},
        plugins=[counting],
        out=tmp_path / "run",
    )
    recipe = (run.path / "recipe.yaml").read_text(encoding="utf-8")
    assert "name: counting" in recipe
    assert "counting: files/counting.py" in recipe
    brought = json.loads((run.path / "environment.json").read_text(encoding="utf-8"))["brought"]
    assert brought == {"execution counting": "files/counting.py"} | brought
    from sys import modules  # noqa: PLC0415 - the module exists only now

    assert 16 in modules["nascore_file_counting"].PASSES

    again = invoke("search", "--recipe", run.path / "recipe.yaml", "--dry-run")
    assert again.exit_code == 4
    assert "no execution is called counting" in again.output
    assert f"--with {run.path}/files/counting.py" in " ".join(again.output.split())


def test_an_unknown_name_has_a_hint():
    [problem] = problems("fusd")
    assert problem.text == "no execution is called fusd."
    assert problem.hint == "Did you mean fused?"
    [problem] = problems("x")
    assert problem.hint.startswith("Installed: auto, plain, fused, batched")


def test_a_name_of_two_plugins_is_ambiguous():
    [problem] = problems("plain", declared("plain"))
    assert problem.hint == "Write builtin:plain or own:plain."
    assert problem.of_plugin
    assert problems("own:plain", declared("plain")) == []


def test_a_missing_plugin_is_named_with_the_command(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("nascore: 2\nexecution: {name: native}\n", encoding="utf-8")
    done = invoke("search", "--recipe", path, "--only", "builtin", "--space", "tiny", "--dry-run")
    assert done.exit_code == 4
    assert "no execution is called native; nascore-native" in done.output
    bare = Registry([one for one in discover().plugins if one.name == "builtin"])
    found = resolved(Request(recipe=path), bare)
    [problem] = [one for one in found.problems if one.path == "execution.name"]
    assert problem.missing == "nascore-native"
    assert problem.hint == "pip install nascore-native"
    assert str(problem.origin) == f"{path}:2:19"


def unbuilt():
    return [nascore.errors.Problem(path="", text="the kernels are not built.", hint="Build them.")]


def raising():
    raise OSError("no library")


def test_a_check_refuses_before_anything_is_built():
    [problem] = problems("swift", declared(check=unbuilt))
    assert (problem.text, problem.hint) == ("the kernels are not built.", "Build them.")
    assert (problem.path, str(problem.origin)) == ("execution.name", "--set execution.name=swift")
    assert not problem.of_plugin
    assert problems("fused", declared(check=unbuilt)) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (raising, "the check of execution swift raised OSError: no library."),
        (lambda: ["broken"], "the check of execution swift gave 'broken', which is not a Problem."),
        ("nowhere:check", "the check of execution swift raised PluginError"),
    ],
    ids=["raises", "wrong", "missing"],
)
def test_a_check_that_fails_is_a_fault_of_the_plugin(check, text):
    [problem] = problems("swift", declared(check=check))
    assert problem.text.startswith(text)
    assert problem.of_plugin
    assert "own" in problem.hint


@pytest.mark.parametrize(
    ("name", "error"), [("fusd", RecipeError), ("native", PluginError)], ids=["unknown", "missing"]
)
def test_a_search_is_refused(name, error, tmp_path):
    settings = {**RUN["settings"], "execution.name": name}
    with pytest.raises(error, match="no execution is called"):
        nascore.search(
            **{**RUN, "settings": settings}, plugins=Selection(only=("builtin",)), out=tmp_path / "run"
        )
    assert not (tmp_path / "run").exists()
