"""Faults in the middle of a run, from the command line: message, exit code, and the run that is left."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from command_line import cli
from failing_plugins import QUICK, UNIFORM, observer, updater
from resumed_runs import differences

import nascore
from nascore.builtin.datasets import Synthetic
from nascore.engine import build, jobs
from nascore.engine.weight_step import Supervised
from nascore.run import lines_of, read

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and no fork")
STEP = "step(self, state, gradients)"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def with_updater(body, method="strength(self, state, expected)"):
    Path("idea.py").write_text(updater(body, method), encoding="utf-8")
    return *QUICK, "--with", "idea.py", "--updater", "bad"


# --- a loss that is not finite


def poison(monkeypatch, step, times):
    """Make the loss of a step of the search infinite, as many times."""
    left = [None] * times
    right = Supervised.report

    def report(trainer, loss, *more):
        if trainer.phase.name == "search" and trainer.done == step and left:
            left.pop()
            loss = torch.tensor(float("inf"))
        return right(trainer, loss, *more)

    monkeypatch.setattr(Supervised, "report", report)


def test_a_loss_that_is_not_finite_stops_a_run_and_keeps_its_last_good_state(monkeypatch):
    poison(monkeypatch, 9, 2)
    done = cli(*UNIFORM, "--checkpoint-every", "0s")
    assert done.exit_code == 1, done.output
    assert "phase search, step 9: the loss is inf. Try a lower --set trainer.lr" in done.stderr
    assert "The state of step 9 is kept." in done.stderr
    assert "nascore resume run --on-nan rewind" in done.stderr
    assert read(Path("run")).status == "failed"

    again = cli("resume", "run", "--on-nan", "rewind")
    assert again.exit_code == 0, again.output
    assert (
        "The run went back to step 9 of phase search, and goes on with 0.5 of the learning rate"
        in again.stderr
    )
    (change,) = [line for line in lines_of(Path("run/changes.jsonl")) if line["event"] == "rewound"]
    assert {name: change[name] for name in ("job", "phase", "step", "to", "lr_factor")} == {
        "job": "0001-search",
        "phase": "search",
        "step": 9,
        "to": 9,
        "lr_factor": 0.5,
    }


def test_a_run_goes_back_to_the_beginning_of_the_phase_where_it_has_no_checkpoint(monkeypatch):
    poison(monkeypatch, 9, 2)
    done = cli(*UNIFORM, "--on-nan", "rewind")
    assert done.exit_code == 0, done.output
    rewound = [line for line in lines_of(Path("run/changes.jsonl")) if line["event"] == "rewound"]
    assert [(line["to"], line["lr_factor"]) for line in rewound] == [(0, 0.5), (0, 0.25)]
    rates = [line["lr"] for line in read(Path("run")).metrics() if line["phase"] == "search"]
    assert rates[0] == pytest.approx(0.25 * 0.05)
    assert [line["epoch"] for line in read(Path("run")).metrics() if line["phase"] == "search"] == [0, 1, 2]


def test_a_run_goes_back_three_times_at_most(monkeypatch):
    poison(monkeypatch, 9, 100)
    done = cli(*UNIFORM, "--on-nan", "rewind")
    assert done.exit_code == 1
    assert "the run went back 3 times, each time to half the learning rate, and failed again." in done.stderr
    assert "step 9: the loss is inf" in json.loads(Path("run/result.json").read_text())["error"]


def test_a_failed_job_of_a_growth_run_promises_no_state_that_is_gone():
    words = ("--space", "tiny", "--dataset", "synthetic", "--growth", "random", "--scale", "mini")
    small = ("--set", "growth.count=1", "--set", "ranking.batch=8", "--set", "dataset.count=64")
    done = cli("search", *words, *small, "--set", "ranking.lr=1e18", "--out", "run")
    assert done.exit_code == 1, done.output
    assert "the loss is" in done.stderr
    assert "A run that is started with --on-nan rewind goes back instead" in done.stderr
    assert "is kept. To go on" not in done.stderr
    assert not list(Path("run").rglob("checkpoint-*"))


def test_from_python_a_run_goes_back_too(monkeypatch):
    poison(monkeypatch, 2, 1)
    found = nascore.search(
        space="tiny",
        dataset="synthetic",
        updater="uniform",
        scale="mini",
        settings={"dataset.count": 64, "trainer.batch": 8, "ranking.epochs": 1},
        out="run",
        on_nan="rewind",
    )
    assert "goes on with 0.5 of the learning rate" in found.result["warnings"][-1]
    with pytest.raises(nascore.errors.RecipeError, match="on-nan: 'never' is neither stop nor rewind"):
        nascore.search(space="tiny", on_nan="never")


def test_no_checkpoint_holds_weights_that_are_not_finite(monkeypatch):
    """The loss of the step was finite, but the step ruined a weight."""
    right = Supervised.descend

    def descend(trainer, slope):
        right(trainer, slope)
        if trainer.phase.name == "search" and trainer.done == 4:
            next(iter(trainer.weights.values())).data.fill_(float("nan"))

    monkeypatch.setattr(Supervised, "descend", descend)
    done = cli(*UNIFORM, "--checkpoint-every", "0s")
    assert done.exit_code == 1
    assert "phase search, step 5: these tensors are not finite" in done.stderr
    assert "The state of step 4 is kept." in done.stderr


# --- memory


def test_a_job_that_runs_out_of_memory_fails_with_advice_and_the_run_goes_on(monkeypatch):
    right = jobs.train_network

    def train(context, description, examples, *, job, **more):
        if job.number == 2:
            raise RuntimeError("can't allocate memory: you tried to allocate 2147483648 bytes")
        return right(context, description, examples, job=job, **more)

    monkeypatch.setattr(jobs, "train_network", train)
    small = ("--set", "ranking.epochs=1", "--set", "ranking.batch=8", "--set", "dataset.count=64")
    words = ("--space", "tiny", "--dataset", "synthetic", "--growth", "random", "--scale", "mini")
    done = cli("search", *words, "--set", "growth.count=3", *small, "--out", "run")
    assert done.exit_code == 0, done.output
    assert "failed: 1 of 3 jobs (0002-train): there is not enough memory: 2.0 GiB more" in done.stderr
    assert "Try a smaller batch" in done.stderr
    assert read(Path("run")).result["jobs"] == {"done": 2, "failed": 1}


# --- plugins and their processes


def test_a_plugin_that_exits_in_mid_run_is_a_failure_with_a_result():
    done = cli(*with_updater("import sys; sys.exit(0)"))
    assert done.exit_code == 1, done.output
    assert "unexpected: SystemExit: 0" in done.stderr
    assert "raised in: the plugin" in done.stderr
    assert json.loads(Path("run/result.json").read_text())["error"] == "SystemExit: 0"


@posix
def test_a_worker_of_a_plugin_that_dies_is_a_failure_with_a_result():
    body = (
        "from concurrent.futures import ProcessPoolExecutor; from multiprocessing import get_context; "
        "ProcessPoolExecutor(1, mp_context=get_context('forkserver')).submit(os._exit, 3).result()"
    )
    done = cli(*with_updater(f"import os; {body}"))
    assert done.exit_code == 1, done.output
    assert "BrokenProcessPool" in done.stderr
    assert "BrokenProcessPool" in json.loads(Path("run/result.json").read_text())["error"]


@posix
def test_a_child_that_a_plugin_forks_does_not_end_the_run_of_its_parent():
    body = (
        "import os, sys; child = os.fork(); "
        "sys.exit(7) if not child else open('told', 'w').write(str(os.waitpid(child, 0)[1])); "
        "return super().strength(state, expected)"
    )
    Path("idea.py").write_text(updater(body), encoding="utf-8")
    process = started(*QUICK, "--with", "idea.py", "--updater", "bad")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert Path("told").read_text() not in {"", "0"}
    assert read(Path("run")).status == "done"


def test_data_that_cannot_be_read_again_are_a_failure_with_a_result(monkeypatch):
    right, calls = Synthetic.train, []

    def train(dataset):
        calls.append(1)
        if len(calls) > 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO), "images.bin")
        return right(dataset)

    with monkeypatch.context() as patched:
        patched.setattr(Synthetic, "train", train)
        done = cli(*UNIFORM)
    assert done.exit_code == 1
    assert "Input/output error" in done.stderr
    assert "run: " in done.stderr
    assert read(Path("run")).status == "failed"
    assert cli("resume", "run").exit_code == 0


# --- between the making of the folder and the first job


@pytest.mark.parametrize("where", ["nascore.engine.build.saved_recipe", "nascore.engine.build.GalleryFile"])
@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "failed"),
        (SystemExit(0), 1, "failed"),
    ],
    ids=["Ctrl-C", "full disk", "exit"],
)
def test_a_folder_whose_run_did_not_begin_is_named_and_has_a_result(monkeypatch, where, error, code, status):
    def fail(*_args):
        raise error

    monkeypatch.setattr(where, fail)
    done = cli(*UNIFORM)
    assert done.exit_code == code, done.output
    assert re.search(r"(run: +|the run is kept in )(/\S+/)?run\b", done.stderr), done.stderr
    assert json.loads(Path("run/result.json").read_text())["status"] == status
    assert not Path("run/.lock").exists()
    assert not Path("run/.reserve").exists()


def test_a_full_disk_at_the_first_file_names_the_folder(monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("nascore.files.checksums.os.fsync", full)
    done = cli(*UNIFORM)
    assert done.exit_code == 5
    assert "run/checksums.jsonl: the run cannot write this file: the disk is full." in done.stderr
    assert "run: run, with the files that it has written" in done.stderr


@posix
def test_a_signal_between_the_folder_and_the_first_job_waits_until_the_run_has_a_name(monkeypatch):
    right = build.create

    def create(*args, **named):
        folder = right(*args, **named)
        signal.raise_signal(signal.SIGTERM)
        return folder

    with monkeypatch.context() as patched:
        patched.setattr(build, "create", create)
        done = cli(*UNIFORM)
    assert done.exit_code == 130, done.output
    assert "interrupted; the run is kept in run." in done.stderr
    assert "Resume it: nascore resume run" in done.stderr
    assert read(Path("run")).status == "interrupted"
    assert cli("resume", "run").exit_code == 0


# --- folders


def test_an_interrupt_does_not_say_that_a_folder_is_kept_which_is_gone():
    Path("idea.py").write_text(
        observer("epoch_finished", "import shutil; shutil.rmtree('run'); raise KeyboardInterrupt"),
        encoding="utf-8",
    )
    done = cli(*UNIFORM, "--with", "idea.py", "--observer", "watcher")
    assert done.exit_code == 130, done.output
    assert "interrupted; the folder of the run is gone: run" in done.stderr
    assert "kept" not in done.stderr
    assert not Path("run").exists()


def test_a_folder_that_is_removed_is_named_once():
    Path("idea.py").write_text(
        observer("epoch_finished", "import shutil; shutil.rmtree('run')"), encoding="utf-8"
    )
    done = cli(*UNIFORM, "--with", "idea.py", "--observer", "watcher")
    assert done.exit_code == 5, done.output
    text = "the folder of the run is gone: it was removed or renamed while the run was under way."
    assert text in done.stderr
    assert "with the files that it has written" not in done.stderr


def test_a_read_only_folder_is_not_resumed(monkeypatch):
    assert cli(*UNIFORM, "--budget", "5steps").exit_code == 0
    before = sorted(path.name for path in Path("run").iterdir())

    def refused(*_args, **_named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "run/.lock")

    monkeypatch.setattr("filelock.FileLock.acquire", refused)
    done = cli("resume", "run")
    assert done.exit_code == 5
    assert "run/.lock: the run cannot write this file: the disk is read-only." in done.stderr
    assert sorted(path.name for path in Path("run").iterdir()) == before


# --- SIGTERM


def started(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "nascore", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@posix
def test_sigterm_leaves_a_result_and_a_run_that_ends_as_a_whole_one():
    longer = [word.replace("trainer.epochs=3", "trainer.epochs=60") for word in UNIFORM]
    process = started(*longer)
    end = time.monotonic() + 120
    while not (Path("run/metrics.jsonl").is_file() and Path("run/metrics.jsonl").read_text()):
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert json.loads(Path("run/result.json").read_text())["status"] == "interrupted"
    assert "Resume it: nascore resume run" in err
    assert cli("resume", "run").exit_code == 0
    shutil.move("run", "resumed")
    assert cli(*longer).exit_code == 0
    assert differences(Path("run"), Path("resumed")) == []


@posix
def test_a_worker_that_gets_two_sigterms_saves_its_job():
    """A whole group of processes gets a SIGTERM, and the executor sends its workers another one."""
    text = """
import os, signal
from nascore.run import RunControl
from nascore.run.signals import handling_signals
control = RunControl()
with handling_signals(control, worker=True), control.finishing_steps():
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
print("saved", control.requested)
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "saved True\n"), done.stderr
