"""Run folders that are none, half there, damaged, or made by a nascore that does not exist yet."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import nascore
from nascore.cli import main
from nascore.errors import RunFolderError
from nascore.files import CHECKSUMS
from nascore.run import ARCHITECTURE, listed, read
from nascore.run.layout import FORMAT
from nascore.verbs.runs import best_of, load_run


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of a run that is done, to damage; of an earlier version, which kept no checksums."""
    copy = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    (copy / CHECKSUMS).unlink()
    return copy


def cli(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def everything(target):
    """Each verb that looks into a run, with its words."""
    return (
        ("evaluate", target),
        ("draw", target),
        ("export", target, "--to", "genotype"),
    )


def refused(target, *said):
    for words in everything(target):
        result = cli(*words)
        assert result.exit_code == 5, (words, result.output)
        assert all(text in result.stderr for text in said), (words, result.stderr)
        assert "Traceback" not in result.output
        assert result.stdout == ""


@pytest.mark.needs("nascore-darts")
def test_a_folder_that_is_no_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    refused("here", "here is not a run: it holds no recipe.yaml.")


@pytest.mark.needs("nascore-darts")
def test_nothing_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(
        "NOT_A_RUN", "NOT_A_RUN is neither a run, nor a file, nor the name of an architecture.", "DARTS_V2"
    )
    (tmp_path / "runs" / "first").mkdir(parents=True)
    refused("runs/frst", "Did you mean runs/first?")
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("DARTS_v2", "Did you mean DARTS_V2?"),
        ("{'conv': [1, 2]}", "neither a name nor a text in an installed notation"),
        ("(" * 5000, "(((..."),
    ],
)
def test_a_name_or_a_text_that_nobody_knows_is_no_matter_of_folders(typed, said):
    for words in everything(typed):
        result = cli(*words)
        assert result.exit_code == 3, result.output
        assert said in result.stderr
        assert len(result.stderr) < 300


@pytest.mark.needs("nascore-darts")
def test_a_folder_of_runs_names_the_last(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").write_text("nascore: 1\n", encoding="utf-8")
    refused(tmp_path, "holds 2 runs", f"Did you mean {tmp_path / 'b'}? See nascore runs {tmp_path}.")


def test_a_path_with_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunFolderError, match="is a file, and a run is a folder"):
        load_run(tmp_path / "file")
    with pytest.raises(RunFolderError, match="does not exist"):
        load_run(tmp_path / "file" / "run")


def test_a_run_that_was_killed_says_what_is_there_and_what_is_missing(run):
    for name in ("best", "gallery.json", "result.json", "architectures"):
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    refused(
        run,
        "is still in progress: it has no best architecture yet; its architecture so far is in ",
        "It holds recipe.yaml, environment.json, run.log, metrics.jsonl (2 epochs), jobs/0001-search, ",
        "missing: gallery.json, best/architecture.yaml, best/weights.safetensors, best/metrics.json, result",
    )
    with pytest.raises(RunFolderError, match="killed"):
        load_run(run)


def test_an_evaluation_misses_no_gallery(run):
    shutil.rmtree(run / "best")
    (run / "gallery.json").unlink()
    made = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    (run / "environment.json").write_text(json.dumps({**made, "kind": "evaluate"}), encoding="utf-8")
    said = read(run).inventory
    assert "missing: best/architecture.yaml, best/weights.safetensors, best/metrics.json." in said


def test_a_run_that_was_killed_late_still_gives_its_architecture(run):
    best = load_run(run).best
    (run / "result.json").unlink()
    assert best_of(run) == best
    assert "MACs on images of 8x8" in cli("draw", run).stdout


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("result.json", '{"kind": "sear', "is truncated or damaged"),
        ("result.json", "", "it is empty"),
        ("result.json", "[1]", "not a JSON object"),
        ("result.json", "[" * 100_000, "nested too deeply"),
        ("gallery.json", '{"entries": [', "is truncated or damaged"),
        ("gallery.json", '{"entries": [{"id": 1}]}', "it is not a valid gallery"),
        (ARCHITECTURE, "nascore: 1\nnetwork: {", ""),
    ],
)
def test_a_damaged_file_is_named(run, name, text, why):
    (run / name).write_text(text, encoding="utf-8")
    with pytest.raises(RunFolderError) as caught:
        load_run(run)
    assert str(run / name) in str(caught.value)
    assert why in str(caught.value)
    if name != "gallery.json":
        result = cli("draw", run)
        assert (result.exit_code, str(run / name) in result.stderr) == (5, True), result.output


def test_a_file_that_is_no_text_is_named(run):
    (run / "result.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunFolderError, match="not UTF-8 text"):
        read(run)


def test_a_damaged_line_in_the_middle_of_the_metrics_is_named(run):
    (run / "metrics.jsonl").write_text('{"epoch": 0}\n{"ep\n{"epoch": 2}\n', encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"metrics\.jsonl, line 2"):
        read(run).metrics()
    assert "metrics.jsonl (damaged)" in read(run).inventory


def test_a_run_has_the_form_that_this_nascore_writes(run):
    assert json.loads((run / "environment.json").read_text(encoding="utf-8"))["format"] == FORMAT


def newer(run):
    file = run / "environment.json"
    facts = json.loads(file.read_text(encoding="utf-8"))
    facts |= {"format": FORMAT + 1, "packages": {**facts["packages"], "nascore": "9.8.7"}}
    file.write_text(json.dumps(facts), encoding="utf-8")


def test_a_run_of_a_newer_nascore_names_both_versions(run):
    newer(run)
    refused(
        run,
        f"was made by nascore 9.8.7, which writes run folders of format {FORMAT + 1}",
        f"this is nascore {nascore.__version__}, which reads formats up to {FORMAT}",
        "pip install --upgrade nascore",
    )
    with pytest.raises(RunFolderError, match=r"9\.8\.7"):
        load_run(run)


def test_a_run_without_an_environment_is_still_a_run(run):
    (run / "environment.json").unlink()
    assert load_run(run).best == best_of(run)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_an_environment_that_cannot_be_read_is_named(run, text):
    """It says for which images costs are counted."""
    (run / "environment.json").write_text(text, encoding="utf-8")
    refused(run, "environment.json cannot be read")


def test_a_run_without_its_recipe_says_so(run):
    shutil.rmtree(run / "best")
    (run / "recipe.yaml").unlink()
    damaged = r"is a damaged run: its recipe\.yaml is missing\. It holds environment"
    with pytest.raises(RunFolderError, match=damaged):
        read(run)


def test_runs_marks_what_it_cannot_read_and_lists_the_rest(run):
    bad, new = (Path(shutil.copytree(run, run.parent / name)) for name in ("bad", "new"))
    (bad / "result.json").write_text("{", encoding="utf-8")
    newer(new)
    assert [record.status for record in listed(run.parent)] == ["unreadable", "unreadable", "done"]

    result = cli("runs", run.parent)
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()[1:]] == [
        "unreadable",
        "unreadable",
        "search",
    ]
    assert str(bad / "result.json") in result.stderr
    assert "9.8.7" in result.stderr
    found = json.loads(cli("runs", run.parent, "--json").stdout)
    assert ["fault" in one for one in found] == [True, True, False]


@pytest.mark.parametrize("value", ["good", 3.5, -0.1, None, True, [1], {"a": 1}])
def test_a_result_that_somebody_wrote_into_is_unreadable_and_no_other(run, value):
    shutil.copytree(run, run.parent / "other")
    file = run / "result.json"
    result = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**result, "validation_accuracy": value}), encoding="utf-8")
    shown = cli("runs", run.parent)
    assert [line.split()[1] for line in shown.stdout.splitlines()[1:]] == ["search", "unreadable"]
    shown_value = json.dumps(value)
    assert f"{file} cannot be read: validation_accuracy is {shown_value}, not a share from 0" in shown.stderr
    found = json.loads(cli("runs", run.parent, "--json").stdout)
    assert [one["status"] for one in found] == ["done", "unreadable"]


@pytest.mark.parametrize("name", ["result.json", "gallery.json", "environment.json", "metrics.jsonl"])
def test_a_pipe_in_the_place_of_a_file_of_a_run_hangs_nothing(run, name):
    (run / name).unlink()
    os.mkfifo(run / name)
    shown = cli("runs", run.parent)
    assert shown.exit_code == 0
    if name == "metrics.jsonl":
        shown = cli("compare", run)
    assert "it is a named pipe, not a plain file" in shown.stderr


@pytest.mark.parametrize("path", ["../other.yaml", "/etc/hostname", "a/../../b", "", "a\nb", "c:\\x"])
def test_a_gallery_names_files_of_its_own_run_only(run, path):
    file = run / "gallery.json"
    gallery = json.loads(file.read_text(encoding="utf-8"))
    gallery["entries"][0]["description"] = path
    file.write_text(json.dumps(gallery), encoding="utf-8")
    result = cli("draw", run, "--entry", 1)
    assert result.exit_code == 5
    assert "description is" in result.stderr
    assert "not the path of a file inside the run's folder" in result.stderr


def test_runs_of_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    def denied(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    result = cli("runs", tmp_path)
    assert result.exit_code == 5
    assert f"{tmp_path} cannot be read: permission denied." in result.stderr
