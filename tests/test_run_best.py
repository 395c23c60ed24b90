"""The folder `best`, of which a run may find a better one: it changes as a whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import REGISTRY, growth_of

from nascore.engine.jobs import save_best
from nascore.engine.results import standalone
from nascore.engine.search import search
from nascore.errors import PluginError, RunFolderError
from nascore.run import read, replacing

FIRST, SECOND = {"a": "1", "b": "1"}, {"a": "2"}


def write(folder, texts):
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def there(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


@pytest.fixture
def best(tmp_path):
    with replacing(tmp_path / "best") as fresh:
        write(fresh, FIRST)
    return tmp_path / "best"


def test_it_is_replaced_as_a_whole(best):
    with replacing(best) as fresh:
        write(fresh, SECOND)
        assert there(best) == FIRST
    assert there(best) == SECOND
    assert [path.name for path in best.parent.iterdir()] == ["best"]


def test_what_fails_leaves_what_was_there(best):
    with pytest.raises(FileNotFoundError), replacing(best) as fresh:
        write(fresh, {**SECOND, "gone/b": "2"})
    assert there(best) == FIRST
    assert [path.name for path in best.parent.iterdir()] == ["best"]


def test_what_a_kill_left_is_no_part_of_the_next(best):
    for name in (".best.new", ".best.old"):
        (best.parent / name).mkdir()
        write(best.parent / name, {"c": "3"})
    with replacing(best) as fresh:
        write(fresh, SECOND)
    assert there(best) == SECOND
    assert [path.name for path in best.parent.iterdir()] == ["best"]


def test_what_a_kill_between_the_renames_left_comes_back(best):
    best.rename(best.parent / ".best.old")
    with pytest.raises(FileNotFoundError), replacing(best) as fresh:
        write(fresh, {**SECOND, "gone/b": "2"})
    assert there(best) == FIRST
    assert [path.name for path in best.parent.iterdir()] == ["best"]


def test_a_rename_that_is_refused_leaves_what_was_there(best, monkeypatch):
    rename = Path.replace

    def refuse(path, target):
        if path.name == ".best.new":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(RunFolderError, match="best"), replacing(best) as fresh:
        write(fresh, SECOND)
    assert there(best) == FIRST


def test_what_the_system_refuses_names_the_folder(best, monkeypatch):
    def refused(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(RunFolderError, match="best"), replacing(best) as fresh:
        (fresh / "a").touch()


@pytest.fixture
def improving(monkeypatch):
    """Let each architecture of a run be better than the one before, whatever it learned."""
    errors = iter(range(9, 0, -1))

    def accuracy(*_args, **_more):
        return 1 - next(errors) / 10

    monkeypatch.setattr("nascore.engine.jobs.accuracy", accuracy)


def test_a_program_never_stands_beside_the_weights_of_another(tmp_path, monkeypatch, improving):
    """The second best holds what cannot be written out: the program of the first is gone with its weights."""
    del improving
    written = []

    def once(network, images):
        if written:
            raise PluginError("it branches on values")
        written.append(network)
        return standalone(network, images)

    monkeypatch.setattr("nascore.engine.results.standalone", once)
    path = search(growth_of(growth__count=2), REGISTRY, out=tmp_path / "x")
    assert read(path).gallery.best.id == 2
    assert (path / "best/weights.safetensors").is_file()
    assert not (path / "best/model.py").exists()


def test_a_kill_while_the_best_is_written_leaves_the_one_before(tmp_path, monkeypatch, improving):
    del improving
    kept = []

    def killed(live, description, network, metrics):
        if kept:
            monkeypatch.setattr("nascore.engine.results.weights_of", stop)
        save_best(live, description, network, metrics)
        kept.append(files(live.folder / "best"))

    def stop(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("nascore.engine.jobs.save_best", killed)
    with pytest.raises(KeyboardInterrupt):
        search(growth_of(growth__count=2), REGISTRY, out=tmp_path / "x")
    assert [files(tmp_path / "x/best")] == kept


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
