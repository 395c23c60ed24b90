"""The run's folder: exclusive, atomic, readable."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nascore.errors import RunFolderError
from nascore.run import atomic, begin_job, create, environment, folder, listed, read, write_json, write_text
from nascore.run.environment import _versions


@pytest.fixture
def noon(monkeypatch):
    moment = folder.datetime(2026, 11, 24, 10, 31, 12).astimezone()
    monkeypatch.setattr(folder, "_now", lambda: moment)


@pytest.mark.usefixtures("noon")
def test_the_name_has_time_parts_and_seed_and_a_number_on_collision(tmp_path):
    names = [create("darts-darts_s0", root=tmp_path / "runs").path.name for _ in range(3)]
    assert names == [
        "2026-11-24_103112_darts-darts_s0",
        "2026-11-24_103112_darts-darts_s0-2",
        "2026-11-24_103112_darts-darts_s0-3",
    ]


@pytest.mark.usefixtures("noon")
def test_runs_that_start_at_once_get_folders_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create("x", root=tmp_path).path, range(16)))
    assert len(set(made)) == 16


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(RunFolderError, match="not empty"):
        create("x", out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_can_be_named_once(tmp_path):
    assert create("x", out=tmp_path / "a" / "b").path == tmp_path / "a" / "b"
    with pytest.raises(RunFolderError):
        create("x", out=tmp_path / "a" / "b")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot be made"):
        create("x", root=tmp_path / "file" / "runs")


def test_the_variable_says_where_runs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "kept"))
    assert create("x").path.parent == tmp_path / "kept"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_text(path, "old")

    def broken(_descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(atomic.os, "fsync", broken)
    with pytest.raises(RunFolderError, match="disk full"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["result.json"]


def test_a_reader_never_sees_half_a_file(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_text(path, "old")
    seen = []
    right = Path.replace

    def looked(temporary, target):
        seen.append((target.read_text(), temporary.read_text()))
        return right(temporary, target)

    monkeypatch.setattr(Path, "replace", looked)
    write_text(path, "new")
    assert seen == [("old", "new")]
    assert path.read_text() == "new"


def test_what_json_cannot_say_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "metrics.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_read_back(tmp_path):
    made = create("x", root=tmp_path)
    made.text("recipe.yaml", "nascore: 1\n")
    made.metric({"epoch": 0, "loss": 0.5})
    made.metric({"epoch": 1, "loss": 0.25})
    assert read(made.path).status == "running"
    made.finish({"kind": "search", "status": "failed", "seed": 3})
    record = read(made.path)
    assert record.status == "failed"
    assert record.recipe == "nascore: 1\n"
    assert record.result == {"kind": "search", "status": "failed", "seed": 3}
    assert [line["loss"] for line in record.metrics()] == [0.5, 0.25]
    assert len(record.gallery) == 0
    assert record.best == made.path / "best"
    assert [run.path for run in listed(tmp_path)] == [made.path]


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    made = create("x", root=tmp_path)
    made.text("recipe.yaml", "nascore: 1\n")
    made.metric({"epoch": 0})
    with (made / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 1, "lo')
    assert read(made.path).metrics() == [{"epoch": 0}]


def test_what_is_no_run_says_so(tmp_path):
    with pytest.raises(RunFolderError, match="is not a run"):
        read(tmp_path)
    assert listed(tmp_path / "nowhere") == []


def test_a_broken_result_is_an_error_of_the_folder(tmp_path):
    made = create("x", root=tmp_path)
    made.text("recipe.yaml", "nascore: 1\n")
    made.text("result.json", "{")
    with pytest.raises(RunFolderError, match="cannot be read"):
        read(made.path)


def test_a_job_has_a_folder_with_its_facts(tmp_path):
    job = begin_job(create("x", root=tmp_path), 1, "search", {"seed": "0/1"})
    assert job.path.name == "0001-search"
    assert (job / "job.yaml").read_text() == 'id: 1\nkind: "search"\nseed: "0/1"\n'


def test_changes_and_log_lines_are_added(tmp_path):
    made = create("x", root=tmp_path)
    made.change("test split opened", images=360)
    made.log("one")
    made.log("two")
    line = json.loads((made / "changes.jsonl").read_text())
    assert (line["event"], line["images"]) == ("test split opened", 360)
    assert [text.split()[-1] for text in (made / "run.log").read_text().splitlines()] == ["one", "two"]


def test_the_environment_names_versions_and_no_places():
    found = environment(device="cpu")
    assert found["device"] == "cpu"
    assert {"torch", "attrs"} <= set(found["packages"])
    assert str(Path.home()) not in json.dumps(found)


def test_the_environment_names_what_plugins_require(monkeypatch, tmp_path):
    for name, lines in (
        ("idea", ["Requires-Dist: My_Parts[fast]>=1", 'Requires-Dist: absent; extra == "all"']),
        ("my.parts", []),
        ("absent", []),
    ):
        folder = tmp_path / f"{name.replace('.', '_')}-2.5.dist-info"
        folder.mkdir()
        text = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 2.5", *lines, ""])
        (folder / "METADATA").write_text(text, encoding="utf-8")
    (tmp_path / "idea-2.5.dist-info" / "entry_points.txt").write_text("[nascore]\nidea = idea\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = _versions.__wrapped__()
    assert found["idea"] == found["my-parts"] == "2.5"
    assert "absent" not in found
