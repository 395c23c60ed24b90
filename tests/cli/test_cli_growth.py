"""`nascore search --growth random` as it is typed: what it prints, keeps and repeats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command_line import done
from random_growth import RANDOM, grown, sets
from rich.console import Console
from tiny import CLOSED

from nascore.builtin.terminal import LiveView
from nascore.cli.result import echo_result
from nascore.description import load
from nascore.gallery import Entry, Gallery
from nascore.verbs.runs import Run, load_run

if TYPE_CHECKING:
    from click.testing import Result

MINI = "scale mini: a laptop check, not a paper's setting"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run of three architectures, and what it said; to read only."""
    out = tmp_path_factory.mktemp("growth") / "run"
    result = grown(out, growth__count=3)
    assert result.exit_code == 0, result.output
    return out, result


def test_ends_with_the_gallery_as_a_table(kept: tuple[Path, Result]) -> None:
    out, said = kept
    lines = said.stdout.splitlines()
    run = load_run(out)

    assert lines[0] == lines[-1] == MINI
    assert lines[1].split() == ["ID", "ACCURACY", "95", "%", "INTERVAL", "PARAMETERS", "MACS", "FRONT"]
    front = {entry.id for entry in run.gallery.front()}
    for entry, line in zip(run.gallery, lines[2:5], strict=True):
        mark = (
            "best"
            if entry is run.gallery.best
            else "yes"
            if entry.id in front
            else f"{entry.costs['macs']:,}"
        )
        assert line.split()[:2] == [str(entry.id), f"{entry.accuracy:.2%}"]
        assert line.split()[-1] == mark
    assert lines[5] == "accuracy: of 25 validation images"
    assert f"next: nascore evaluate {out}" in lines
    assert run.result["jobs"] == {"done": 3, "failed": 0}


def test_says_which_job_of_how_many_is_under_way(kept: tuple[Path, Result]) -> None:
    _, said = kept
    for number in (1, 2, 3):
        assert f"job {number} of 3, train: 3 steps, 3 an epoch" in said.stderr


def test_the_live_view_says_it_too() -> None:
    view = LiveView()
    view.job_started("0002-train", 2, 5)
    view.phase_started("train", steps=40, steps_per_epoch=10)
    console = Console(width=100, force_terminal=True, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(view)

    assert "job 2 of 5, train" in captured.get()


def test_sixty_columns_hold_a_row_of_the_papers_size(capsys: pytest.CaptureFixture[str]) -> None:
    costs = {"params": 3_349_342, "macs": 574_000_000}
    entries = [Entry(id=n, description="", error=0.0276 + n / 100, count=5000, costs=costs) for n in (1, 24)]
    result = {"status": "done", "jobs": {"done": 2, "failed": 22}}
    echo_result(
        Run(path=Path("r"), recipe="", result=result, gallery=Gallery(tuple(entries)), best=load(CLOSED))
    )

    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 60
    assert "22 of 24 jobs failed; run.log says why" in said


def test_a_learning_updater_is_warned_of(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = grown(out, "--updater", "sgd", growth__count=1)

    assert result.exit_code == 0, result.output
    assert "the updater is never called" in result.stderr
    assert any("the updater is never called" in text for text in load_run(out).result["warnings"])
    assert "sgd" not in (out / "run.log").read_text(encoding="utf-8").splitlines()[0]


def test_the_control_brings_its_updater_and_is_named_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "runs"))
    done(*RANDOM, "--space", "tiny", "--seed", 4, *sets(growth__count=1))

    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.endswith("_tiny-random_s4")
    assert "\nupdater:\n  name: uniform\n" in load_run(run).recipe


def test_a_search_without_growth_is_named_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "runs"))
    words = ("--space", "tiny", "--updater", "uniform", "--dataset", "synthetic", "--scale", "mini")
    done("search", *words, *sets(trainer__epochs=1, trainer__warm_up=0))

    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.endswith("_tiny-uniform_s0")


def test_a_dry_run_says_how_many_and_writes_nothing(tmp_path: Path) -> None:
    result = grown(tmp_path / "run", "--dry-run", growth__count=40)

    assert result.exit_code == 0, result.output
    assert "supernet: " not in result.stdout
    assert "no supernet; architectures to begin with, each trained by itself: 27\n" in result.stdout
    assert "growth.count: 40 architectures were asked for, and the space gave 27." in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_repeats_the_run(kept: tuple[Path, Result], tmp_path: Path) -> None:
    first, _ = kept
    again = tmp_path / "again"
    done("search", "--recipe", first / "recipe.yaml", "--out", again)

    for file in ("recipe.yaml", "gallery.json", "best/weights.safetensors", "architectures/0003.yaml"):
        assert (first / file).read_bytes() == (again / file).read_bytes(), file


def test_the_verbs_take_such_a_run(kept: tuple[Path, Result], tmp_path: Path) -> None:
    out, _ = kept
    best = load_run(out).gallery.best

    assert f"{best.costs['params']:,} parameters" in done("draw", out)
    assert f"{best.costs['params']:,} parameters" in done("draw", out / best.description, "--size", "8")
    (listed,) = json.loads(done("runs", out.parent, "--json"))
    assert [entry["id"] for entry in listed["gallery"]] == [1, 2, 3]
    assert "of 25 validation images" in done("runs", out.parent)
    words = ("--set", "training.epochs=1", "--set", "training.channels=2", "--set", "training.cells=1")
    said = done("evaluate", out, "--out", tmp_path / "final", *words)
    assert "test accuracy" in said
    assert "scaled by" in said


@pytest.mark.needs("nascore-darts")
def test_architectures_of_darts_are_genotypes(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = grown(out, space="darts", growth__count=2, dataset__count=40, ranking__cells=3)

    assert result.exit_code == 0, result.output
    text = done("export", out, "--to", "genotype")
    assert text.count("('") == 16  # two edges of each of four nodes, of two cells
    assert "none" not in text


@pytest.mark.needs("nascore-nasbench")
def test_random_search_runs_on_a_fixed_space(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = grown(out, space="nb201", growth__count=2, dataset__count=40)

    assert result.exit_code == 0, result.output
    assert len(load_run(out).gallery) == 2
