"""Folders that cannot be a run's, and disks that refuse."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from failing_plugins import UNIFORM

from nascore.cli import main
from nascore.errors import RunFolderError, cause, error_line
from nascore.run import RunFolder, begin_job, create, lines_of, write_text


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def search(*more):
    result = CliRunner().invoke(main, [*UNIFORM, *more])
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def refusing(monkeypatch, method, number, *, within=""):
    """Let a method of paths refuse as the system does; root, who runs tests, is refused nothing."""
    right = getattr(Path, method)

    def refused(path, *given, **named):
        if within in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return right(path, *given, **named)

    monkeypatch.setattr(Path, method, refused)


def test_an_out_that_holds_a_run():
    Path("run").mkdir()
    Path("run/recipe.yaml").write_text("nascore: 1\n", encoding="utf-8")
    result = search()
    assert result.exit_code == 5
    assert "run already holds a run; a run never overwrites files." in result.stderr
    assert "--out" in result.stderr
    assert [path.name for path in Path("run").iterdir()] == ["recipe.yaml"]


@pytest.mark.parametrize(
    "words",
    [
        UNIFORM,
        pytest.param(("evaluate", "DARTS_V2", "--out", "run"), marks=pytest.mark.needs("nascore-darts")),
    ],
    ids=lambda words: words[0],
)
def test_an_out_that_is_taken_is_refused_before_torch_is_imported(words, monkeypatch):
    Path("run").mkdir()
    Path("run/mine").write_text("mine", encoding="utf-8")
    monkeypatch.setitem(sys.modules, f"nascore.engine.{words[0]}", None)  # it cannot be imported
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 5, result.output
    assert "run is not empty" in result.stderr


def test_an_out_that_is_a_file():
    Path("run").write_text("mine", encoding="utf-8")
    result = search()
    assert result.exit_code == 5
    assert "run is a file" in result.stderr
    assert Path("run").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("number", "why"), [(errno.EACCES, "permission denied"), (errno.EROFS, "the disk is read-only")]
)
def test_an_out_that_cannot_be_made(monkeypatch, number, why):
    refusing(monkeypatch, "mkdir", number, within="run")
    result = search()
    assert result.exit_code == 5
    assert (
        f"the run's folder cannot be made in run: {why}. Name a different folder with --out" in result.stderr
    )
    assert list(Path().iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_out_in_a_folder_that_is_really_not_writable():
    Path("mine").mkdir(mode=0o500)
    with pytest.raises(RunFolderError, match="permission denied"):
        create("x", out=Path("mine/run"))


def test_the_place_for_runs_is_a_file(monkeypatch):
    Path("kept").write_text("mine", encoding="utf-8")
    monkeypatch.setenv("NASCORE_RUNS", "kept")
    with pytest.raises(RunFolderError, match=r"at kept: it is a file.*NASCORE_RUNS"):
        create("x")


def test_a_line_that_cannot_be_added_waits(monkeypatch):
    folder = create("x", out=Path("run"))
    with monkeypatch.context() as patched:
        refusing(patched, "open", errno.ENOSPC, within="metrics")
        folder.metric({"epoch": 0})
        folder.metric({"epoch": 1})
        with pytest.raises(
            RunFolderError, match=r"run/metrics\.jsonl: the run cannot write this file: the disk"
        ):
            folder.write_waiting()
    assert "the disk is full. Its lines wait in memory; the run goes on" in Path("run/run.log").read_text()
    folder.metric({"epoch": 2})
    lines = Path("run/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [0, 1, 2]


def test_a_change_that_cannot_be_recorded_does_not_happen(monkeypatch):
    folder = create("x", out=Path("run"))
    with monkeypatch.context() as patched:
        refusing(patched, "open", errno.ENOSPC, within="changes")
        with pytest.raises(RunFolderError, match="the disk is full"):
            folder.change("opened")
    folder.change("another")
    assert [line["event"] for line in lines_of(Path("run/changes.jsonl"))] == ["another"]


def test_a_job_that_cannot_be_made(monkeypatch):
    folder = create("x", out=Path("run"))
    refusing(monkeypatch, "mkdir", errno.ENOSPC, within="jobs")
    with pytest.raises(RunFolderError, match="the disk is full"):
        begin_job(folder, 1, "search", {})


@pytest.mark.parametrize("method", ["replace", "chmod"])
def test_a_file_that_cannot_be_put_in_place_leaves_no_other(monkeypatch, method):
    refusing(monkeypatch, method, errno.EPERM)
    with pytest.raises(RunFolderError, match="permission denied"):
        write_text(Path("result.json"), "new")
    assert list(Path().iterdir()) == []


def test_a_disk_that_is_full_from_the_first_epoch_on(monkeypatch):
    """The run goes on to the end of its first job, whose figures would be lost."""
    refusing(monkeypatch, "open", errno.ENOSPC, within="metrics.jsonl")
    result = search()
    assert result.exit_code == 5
    assert "Its lines wait in memory; the run goes on" in Path("run/run.log").read_text(encoding="utf-8")
    assert "run/metrics.jsonl: the run cannot write this file: the disk is full." in result.stderr
    assert "run: run, with the files that it has written" in result.stderr
    assert "failed" in CliRunner().invoke(main, ["runs", "."]).stdout


def test_the_log_is_there_from_the_start(monkeypatch):
    seen = []
    right = RunFolder.text

    def looked(folder, name, text):
        seen.append((name, (folder / "run.log").is_file()))
        right(folder, name, text)

    monkeypatch.setattr(RunFolder, "text", looked)
    CliRunner().invoke(main, UNIFORM)
    assert ("recipe.yaml", True) in seen
    assert "nascore " in Path("run/run.log").read_text(encoding="utf-8").splitlines()[0]


def test_a_log_takes_any_text():
    folder = create("x", out=Path("run"))
    folder.log("a name with \udcff in it")
    assert "\\udcff" in Path("run/run.log").read_text(encoding="utf-8")


def test_causes_are_said_in_words():
    assert cause(OSError(errno.ENOSPC, "x")) == "the disk is full"
    assert cause(OSError(errno.EBUSY, "Device or resource busy", "a")) == "Device or resource busy"
    assert cause(OSError("only a text")) == "only a text"
    assert cause(OSError()) == "OSError"
    assert error_line(ValueError("a\nb")) == "ValueError: a b"
    assert error_line(ValueError()) == "ValueError"
