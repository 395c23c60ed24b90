"""The folder `best`, of which a run may find a better one: it changes as a whole, or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from engine_runs import REGISTRY, growth_of

from nascore.engine.jobs import save_best
from nascore.engine.results import standalone
from nascore.engine.search import search
from nascore.errors import PluginError, RunFolderError
from nascore.gallery import ACCURACY, Score
from nascore.run import begin_job, create, read, replacing, write_text
from nascore.run.atomic import HOUR
from nascore.verbs.runs import architecture_of, best_of

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

    def measure(*_args, **_more):
        return (Score(metric=ACCURACY, value=1 - next(errors) / 10, count=10),)

    monkeypatch.setattr("nascore.engine.jobs.measure", measure)


def test_a_program_never_stands_beside_the_weights_of_another(tmp_path, monkeypatch, improving):
    """The second best holds what cannot be written out: the program of the first is gone with its weights."""
    del improving
    written = []

    def once(network, images, **more):
        if written:
            raise PluginError("it branches on values")
        written.append(network)
        return standalone(network, images, **more)

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


def test_a_disk_that_is_full_while_the_program_is_written_is_no_matter_of_the_network(tmp_path, monkeypatch):
    """It was lost without a word, as that of an operation that cannot be written out."""
    right = write_text

    def full(path, text):
        if path.name == "model.py":
            raise RunFolderError("the disk is full")
        right(path, text)

    monkeypatch.setattr("nascore.engine.results.write_text", full)
    with pytest.raises(RunFolderError, match="the disk is full"):
        search(growth_of(growth__count=1), REGISTRY, out=tmp_path / "x")
    assert read(tmp_path / "x").status == "failed"


@pytest.mark.parametrize("gone", [True, False])
def test_a_kill_between_gallery_and_best_leaves_the_best_of_the_gallery(
    tmp_path, monkeypatch, improving, gone
):
    del improving
    written = []

    def once(*given):
        if written:
            raise KeyboardInterrupt
        written.append(save_best(*given))

    monkeypatch.setattr("nascore.engine.jobs.save_best", once)
    run = tmp_path / "x"
    with pytest.raises(KeyboardInterrupt):
        search(growth_of(growth__count=2), REGISTRY, out=run)
    (run / "result.json").unlink()  # a kill leaves none
    if gone:
        (run / "best").rename(run / ".best.old")
    assert best_of(run) == architecture_of(run, 2)
    assert best_of(run) != architecture_of(run, 1)


def test_the_next_run_removes_what_killed_ones_left_half_written(tmp_path):
    killed, done = (create(name, out=tmp_path / name) for name in ("killed", "done"))
    for folder in (killed, done):
        folder.text("recipe.yaml", "nascore: 1\n")
    done.finish({"kind": "search", "status": "failed"})
    job = begin_job(killed, 1, "search", {})
    left = [
        killed / ".gallery.json.ab1_x2yz",
        job / ".weights.safetensors.abcdefgh",
        killed / "architectures" / ".0001.yaml.abcdefgh",
        killed / ".best.new" / "a",
    ]
    mine = [killed / ".env.template", tmp_path / "mine" / ".recipe.yaml.original"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.yaml").write_text("nascore: 1\n", encoding="utf-8")
    young = [killed / ".result.json.abcdefgh", done / ".result.json.abcdefgh", tmp_path / ".mine.abcdefgh"]
    (killed / ".best.new").mkdir()
    (killed / "architectures").mkdir()
    for path in (*left, *young, *mine):
        path.write_text("", encoding="utf-8")
    hours_ago = time.time() - 2 * HOUR
    for path in (*left, killed / ".best.new", *young[1:], *mine):
        os.utime(path, (hours_ago, hours_ago))
    create("next", out=tmp_path / "next")
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in (*young, *mine))
