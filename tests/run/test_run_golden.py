"""Runs that earlier versions wrote stay readable by every verb."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from command_line import cli

import nascore
from nascore.errors import RunFolderError
from nascore.run import read

ARCHIVES = sorted((Path(__file__).parent / "golden").glob("*.zip"))
LOGITS = json.loads((Path(__file__).parent / "golden" / "logits.json").read_text(encoding="utf-8"))
"""The logits for one image that the version of `fcaf836` gave."""

RUNS = ("search", "growth", "evaluation")
SEARCHES = ("search", "growth")
pytestmark = pytest.mark.needs("nascore-darts", "nascore-xnas", "nascore-petridish")


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.stem)
def golden(request, tmp_path, monkeypatch):
    """Return the folder of the runs of one version."""
    with ZipFile(request.param) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def done(*words):
    result = cli(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_there_are_runs_of_two_versions():
    assert [path.stem for path in ARCHIVES] == ["fcaf836", "resumable"]


def test_runs_lists_them(golden):
    listed = json.loads(done("runs", golden, "--json"))
    status = {Path(one["path"]).name: (one["status"], one["checked"]) for one in listed}
    assert status == {
        "comparison": ("done", True),
        "evaluation": ("done", True),
        "growth": ("done", True),
        "killed": ("killed", True),
        "search": ("done", True),
    }
    assert not any("fault" in one for one in listed)
    assert len(json.loads(done("runs", "comparison", "--json"))) == 4


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize("name", RUNS)
def test_load_run_reads_them_and_predicts(name):
    run = nascore.load_run(name)
    image = run.result["image"]
    assert image == [3, 8, 8]
    picture = torch.linspace(0, 1, 3 * 8 * 8).reshape(image)
    found = run.predict(picture).logits.flatten()
    assert torch.allclose(found, torch.tensor(LOGITS[name]), rtol=1e-3, atol=1e-4)
    assert run.best.is_open is False
    assert read(Path(name)).metrics()


@pytest.mark.usefixtures("golden")
def test_the_program_of_a_run_gives_the_logits_of_its_model():
    images = torch.rand(2, 3, 8, 8)
    spaces = {}
    exec(Path("search/best/model.py").read_text(), spaces)  # noqa: S102 - a run of ours
    assert nascore.load_run("search").predict(images).logits.isfinite().all()
    assert any(isinstance(one, type) and issubclass(one, torch.nn.Module) for one in spaces.values())


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize("name", SEARCHES)
def test_gallery_draw_and_export(name):
    gallery = json.loads(done("gallery", name, "--json"))
    assert gallery
    assert done("gallery", name)
    assert "cell" in done("draw", name)
    exported = cli("export", name, "--to", "genotype")  # only architectures of another space have one
    assert exported.exit_code == 3
    assert f"Its description is in {name}/best/architecture.yaml" in exported.stderr
    for entry in read(Path(name)).gallery:
        assert done("draw", name, "--entry", str(entry.id))


@pytest.mark.usefixtures("golden")
def test_compare_and_check():
    assert "sgd" in done("compare", "comparison")
    assert json.loads(done("compare", "search", "growth", "evaluation", "--json"))
    for name in (*SEARCHES, "killed"):
        assert done("check", f"{name}/recipe.yaml")


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize("name", SEARCHES)
def test_evaluate_trains_their_architecture(name):
    small = ("--set", "training.epochs=1", "--set", "training.batch=8")
    done("evaluate", name, *small, "--out", "again")
    assert nascore.load_run("again").result["test_count"] == 16


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize("name", [*RUNS, "comparison", "killed"])
def test_watch_shows_them(name):
    found = json.loads(done("watch", name, "--once", "--json"))
    assert found["epoch"] >= 1 or all(job["status"] == "done" for job in found["jobs"])
    assert found["status"] == ("killed" if name == "killed" else "done")


@pytest.mark.usefixtures("golden")
def test_a_killed_run_keeps_its_architecture_so_far():
    with pytest.raises(RunFolderError, match="was killed or is still in progress"):
        nascore.load_run("killed")
    assert "cell" in done("draw", "killed/jobs/0001-search/derived.yaml")


def test_a_killed_run_is_resumed_or_says_why_not(golden):
    """It would go on for 100,000 epochs: a budget ends it."""
    result = cli("resume", "killed", "--budget", "4steps", "--accept")
    told = result.stdout + result.stderr
    assert result.exit_code == 0, told
    assert read(golden / "killed").status == "stopped"


@pytest.mark.usefixtures("golden")
def test_a_search_is_replayed():
    """With another torch the figures are others; the comparison is made all the same."""
    result = cli("replay", "search", "--json")
    found = json.loads(result.stdout)
    assert found["verdict"] in {"bit-equal", "within tolerance", "diverged"}
    assert found["epochs"] == 3
