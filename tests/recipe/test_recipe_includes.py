"""Files that include each other in great numbers, and presets whose text cannot be read."""

import sys
from types import SimpleNamespace

import pytest
from recipe_sample import recipe, registry

from nascore.component import Preset, hookimpl
from nascore.errors import PluginError
from nascore.recipe.sources import files


@pytest.fixture(scope="module")
def installed():
    return registry()


def chain(folder, count, times):
    """Write files each of which includes the next one several times."""
    for number in range(count):
        following = [f"{number + 1}.yaml"] * times if number + 1 < count else []
        text = f"nascore: 2\ninclude: [{', '.join(following)}]\nseed: {number}\n"
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    return folder / "0.yaml"


def test_a_file_is_read_once_however_often_it_is_included(installed, tmp_path, monkeypatch):
    read = []
    text_of = files.read_text

    def counted(path, **more):
        read.append(path.name)
        return text_of(path, **more)

    path = chain(tmp_path, 9, 2)
    monkeypatch.setattr(files, "read_text", counted)
    settled = recipe(installed, recipe=path)
    assert settled.problems == ()
    assert settled.run.seed == 0
    assert sorted(read) == [f"{number}.yaml" for number in range(9)]


def test_too_many_layers_are_refused_and_not_waited_for(installed, tmp_path):
    [problem] = recipe(installed, recipe=chain(tmp_path, 40, 2)).problems
    assert problem.path == "include"
    assert problem.text == "there are more than 1,000 includes, counted with repetitions."
    assert str(problem.origin).endswith(".yaml:2:11") or str(problem.origin).endswith(".yaml:2:20")


@pytest.mark.parametrize(("count", "refused"), [(101, False), (102, True), (2_000, True)])
def test_files_may_not_include_each_other_without_end(installed, tmp_path, count, refused):
    problems = recipe(installed, recipe=chain(tmp_path, count, 1)).problems
    said = ["files include each other more than 100 levels deep."] if refused else []
    assert [problem.text for problem in problems] == said


def test_a_file_that_two_spellings_reach_looks_up_its_own_from_both(installed, tmp_path):
    for folder, seed in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "low.yaml").write_text(f"nascore: 2\nseed: {seed}\n", encoding="utf-8")
    (tmp_path / "a" / "mid.yaml").write_text("nascore: 2\ninclude: low.yaml\n", encoding="utf-8")
    (tmp_path / "b" / "mid.yaml").symlink_to(tmp_path / "a" / "mid.yaml")
    main = tmp_path / "main.yaml"
    main.write_text("nascore: 2\ninclude: [a/mid.yaml, b/mid.yaml]\n", encoding="utf-8")
    assert recipe(installed, recipe=main).run.seed == 2


class Leaving:
    def read_text(self, encoding):
        sys.exit(encoding)


class Odd:
    def read_text(self, encoding):
        return encoding.encode()


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError


class Silent:
    def read_text(self, encoding):
        raise UnprintableError(encoding)


@pytest.mark.parametrize(
    ("brought", "why"),
    [
        ({"path": Leaving()}, "SystemExit: utf-8"),
        ({"path": Silent()}, "UnprintableError: its text cannot be read"),
        ({"path": Odd()}, "PluginError: the text of preset odd must be a str, not bytes"),
        ({"path": 3}, "AttributeError: 'int' object has no attribute 'read_text'"),
        ({"text": 3}, "PluginError: the text of preset odd must be a str, not int"),
        ({"text": b"nascore: 2"}, "PluginError: the text of preset odd must be a str, not bytes"),
        ({}, "PluginError: preset odd has neither a path nor a text"),
    ],
)
def test_a_preset_that_cannot_be_read_is_its_plugins_mistake(brought, why):
    presets = [Preset(name="odd", summary="s", **brought)]
    found = recipe(registry(mine=SimpleNamespace(nascore_presets=hookimpl(lambda: presets))), preset="odd")
    problem = next(one for one in found.problems if one.path == "preset")
    assert problem.text == f"preset odd of plugin mine cannot be read: {why}."
    assert problem.of_plugin
    with pytest.raises(PluginError if "PluginError" in why else BaseException):
        presets[0].read()


def test_ctrl_c_while_a_preset_is_read_is_nobodys_mistake():
    def stopped():
        raise KeyboardInterrupt

    slow = SimpleNamespace(read_text=lambda encoding: stopped())  # noqa: ARG005 - as it is called
    presets = [Preset(name="slow", summary="s", path=slow)]
    installed = registry(mine=SimpleNamespace(nascore_presets=hookimpl(lambda: presets)))
    with pytest.raises(KeyboardInterrupt):
        recipe(installed, preset="slow")
