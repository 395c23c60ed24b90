"""`nascore replay`: the same recipe again, compared epoch by epoch."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import cli
from failing_plugins import QUICK_EVALUATE, UNIFORM

import nascore
from nascore.engine.device import arithmetic
from nascore.engine.weight_step import Supervised
from nascore.run import read
from nascore.run.replayed import compare_replay


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a search with three epochs, and an evaluation."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patches:
        patches.chdir(folder)
        assert cli(*UNIFORM).exit_code == 0
        shutil.move("run", "search")
        done = cli("evaluate", "search", *QUICK_EVALUATE[: QUICK_EVALUATE.index("--set")], *EVALUATED)
        assert done.exit_code == 0, done.output
        shutil.move("run", "evaluation")
    return folder


EVALUATED = ("--set", "dataset.count=64", "--set", "dataset.size=8", "--set", "training.epochs=2")


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    shutil.copytree(made / "search", tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return Path("run")


def changed(run, epoch, change):
    """Change a line of the search in `metrics.jsonl`, as a faulty machine would have written it."""
    file = run / "metrics.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    change(lines[epoch])
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def plain(*words, code=0):
    done = cli("replay", "run", "--json", *words)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_each_epoch_has_fingerprints(run):
    lines = read(run).metrics()
    assert [sorted(line["fingerprints"]) for line in lines] == [["architecture", "weights"]] * 3 + [
        ["weights"]
    ]
    digests = [line["fingerprints"]["weights"] for line in lines]
    assert len({*digests}) == len(digests)
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in digests)


def test_the_environment_names_what_decides_on_sums(run):
    environment = json.loads((run / "environment.json").read_text())
    assert arithmetic().items() <= environment.items()
    assert environment["instruction_set"]
    assert environment["blas"] != "unknown"


@pytest.mark.usefixtures("run")
def test_an_untouched_run_is_bit_equal():
    before = sorted(path.name for path in Path().rglob("*"))
    done = cli("replay", "run")
    assert done.exit_code == 0, done.output
    assert "bit-equal: 4 epochs of run compared" in done.stdout.splitlines()
    assert sorted(path.name for path in Path().rglob("*")) == before


def test_an_evaluation_is_replayed_too(made):
    found = nascore.replay(made / "evaluation")
    assert (found.verdict, found.comparison.epochs, found.environment) == ("bit-equal", 2, ())


def test_a_changed_fingerprint_is_named_with_its_epoch(run):
    changed(run, 1, lambda line: line["fingerprints"].update(weights="0" * 16))
    found = plain(code=1)
    assert found["verdict"] == "diverged"
    first = found["divergence"]
    assert (first["job"], first["phase"], first["epoch"], first["quantity"]) == (1, "search", 1, "weights")
    done = cli("replay", "run")
    assert "diverged at: job 1, search epoch 2: weights 0000000000000000 in the run, " in done.stdout


@pytest.mark.parametrize(("epoch", "quantity"), [(2, "architecture"), (3, "weights")])
def test_a_changed_fingerprint_of_the_last_epoch_of_a_phase_is_named(run, epoch, quantity):
    changed(run, epoch, lambda line: line["fingerprints"].update({quantity: "0" * 16}))
    found = plain(code=1)
    assert (found["divergence"]["epoch"], found["divergence"]["quantity"]) == (epoch % 3, quantity)


def test_a_loss_beyond_the_tolerance_diverges_and_one_within_it_does_not(run):
    changed(run, 1, lambda line: line.update(loss=line["loss"] * (1 + 1e-5)))
    found = plain()
    assert found["verdict"] == "within tolerance"
    assert found["largest"]["difference"] == pytest.approx(1e-5, rel=1e-3)
    assert (found["first"]["epoch"], found["first"]["quantity"]) == (1, "loss")
    assert plain("--tolerance", "1e-6", code=1)["divergence"]["quantity"] == "loss"


@pytest.mark.usefixtures("run")
def test_other_sums_are_within_tolerance(monkeypatch):
    """As another number of threads does, on whose sums this small network does not depend."""
    right = Supervised.descend

    def descend(trainer, slope):
        right(trainer, slope)
        for weight in trainer.weights.values():
            weight.data.mul_(1 + 1e-7)

    monkeypatch.setattr(Supervised, "descend", descend)
    found = plain("--threads", "2")
    assert found["verdict"] == "within tolerance"
    assert 0 < found["largest"]["difference"] < 1e-3
    assert found["environment"] == [{"name": "threads", "before": "1", "now": "2"}]


def test_another_architecture_diverges(run):
    text = (run / "jobs/0002-train/description.yaml").read_text()
    other = run.with_name("other")
    shutil.copytree(run, other)
    (other / "jobs/0002-train/description.yaml").write_text(f"{text}# another\n")
    found = compare_replay(run, other)
    assert found.verdict == "diverged"
    assert str(found.divergence) == "job 2: architecture one in the run, another now"


def test_a_missing_epoch_diverges(run):
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(lines[:2] + lines[3:]))
    assert plain(code=1)["divergence"]["quantity"] == "epoch"


def test_a_run_without_fingerprints_is_compared_by_its_figures(run):
    for epoch in range(4):
        changed(run, epoch, lambda line: line.pop("fingerprints"))
    done = cli("replay", "run")
    assert done.exit_code == 0
    assert (
        "the run has no fingerprints, as those of earlier versions: only its figures are compared"
        in done.stdout
    )


def test_a_run_that_is_not_done_is_not_replayed(run):
    (run / "result.json").unlink()
    done = cli("replay", "run")
    assert done.exit_code == 5
    assert "run is not done: its status is killed. Resume it first: nascore resume run" in done.stderr


@pytest.mark.usefixtures("run")
def test_a_replay_that_is_interrupted_names_no_temporary_folder(monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Supervised, "descend", interrupted)
    done = cli("replay", "run")
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1] == "interrupted"


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Return a comparison of two searches, one of which fails, with an evaluation of each."""
    folder = tmp_path_factory.mktemp("compared")
    settings = {
        "trainer.epochs": 1,
        "trainer.warm_up": 0,
        "ranking.epochs": 1,
        "dataset.count": 64,
        "dataset.size": 8,
        "training.epochs": 1,
    }
    with pytest.MonkeyPatch.context() as patches:
        patches.chdir(folder)
        text = """
from nascore.api import Component, hookimpl
from nascore.builtin.updaters import Uniform


class Failing(Uniform):
    def strength(self, state, expected):
        raise RuntimeError("as planned")


@hookimpl
def nascore_updaters():
    yield Component(name="failing", slot="updater", summary="Fails.", build=Failing)
"""
        Path("failing.py").write_text(text, encoding="utf-8")
        found = nascore.search_several(
            space="tiny",
            dataset="synthetic",
            updater=["uniform", "failing"],
            seeds=[0],
            scale="mini",
            settings=settings,
            evaluate=True,
            out="run",
            plugins=["failing.py"],
        )
    assert len(found.rows) == 2
    return folder


@pytest.fixture
def comparison(compared, tmp_path, monkeypatch):
    shutil.copytree(compared / "run", tmp_path / "run")
    shutil.copy(compared / "failing.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path("run")


def test_every_finished_job_of_a_comparison_is_replayed(comparison):
    found = nascore.replay(comparison, plugins=["failing.py"])
    assert found.verdict == "bit-equal"
    assert found.first is None
    assert [job.verdict for job in found.jobs] == ["bit-equal", "bit-equal", "not replayed", "not replayed"]


def test_the_first_job_that_diverged_is_named(comparison):
    (evaluated,) = comparison.glob("jobs/0002-*")
    changed(evaluated, 0, lambda line: line["fingerprints"].update(weights="0" * 16))
    done = cli("replay", "run", "--with", "failing.py")
    assert done.exit_code == 1
    scale, *lines = done.stdout.splitlines()
    assert scale.startswith("scale mini: ")
    assert lines[0] == "diverged: 1 of 4 jobs of run are bit-equal"
    assert lines[1].startswith(f"first divergence: jobs/{evaluated.name}, job 1, train epoch 1: weights 0000")
    assert f"bit-equal: 2 epochs of run/jobs/{evaluated.name.replace('0002-evaluate', '0001')}" in done.stdout
    assert "not replayed, its status is failed" in done.stdout
    assert "1 of 4: uniform, seed 0\n" in done.stderr
    assert "3 of 4" not in done.stderr
    found = plain("--with", "failing.py", code=1)
    assert found["first"] == f"jobs/{evaluated.name}"
    assert [job["verdict"] for job in found["jobs"]][:2] == ["bit-equal", "diverged"]


def test_a_comparison_that_is_not_done_is_not_replayed(comparison):
    (comparison / "result.json").unlink()
    done = cli("replay", "run")
    assert done.exit_code == 5
    assert "run is not done: its status is killed. Resume it first: nascore resume run" in done.stderr
