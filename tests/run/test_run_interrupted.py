"""Ctrl-C: the first leaves results that can be read, the second kills at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from failing_plugins import QUICK_EVALUATE, UNIFORM, observer

import nascore
from nascore.cli import main
from nascore.contract import Observer
from nascore.errors import RunFolderError
from nascore.run import listed, read

needs_signals = pytest.mark.skipif(os.name == "nt", reason="a process sends no Ctrl-C to another there")
LIMIT = 120


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def started(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "nascore", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(path, text, process):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and process.poll() is None:
        if path.is_file() and text in path.read_text(encoding="utf-8"):
            return
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"{path} never held {text!r}: {process.communicate()}")


def ended(process, limit):
    """What a process said that is to end now; one that does not is killed, and its test fails."""
    try:
        return process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"it goes on: {process.communicate()}") from None


def endless(words, setting):
    return tuple(setting.partition("=")[0] + "=100000" if word == setting else word for word in words)


def watching(event, body):
    Path("idea.py").write_text(observer(event, body), encoding="utf-8")
    return *UNIFORM, "--with", "idea.py", "--observer", "watcher"


@pytest.mark.needs("nascore-darts")
@needs_signals
@pytest.mark.parametrize(
    "words",
    [
        endless(UNIFORM, "trainer.epochs=3"),
        ("evaluate", "DARTS_V2", *endless(QUICK_EVALUATE, "training.epochs=1")),
    ],
    ids=["search", "evaluate"],
)
def test_a_real_ctrl_c_leaves_a_run_that_can_be_read(words):
    process = started(*words)
    wait_for(Path("run/metrics.jsonl"), "\n", process)
    process.send_signal(signal.SIGINT)
    out, err = ended(process, LIMIT)
    assert process.returncode == 130, err
    assert "Traceback" not in err + out
    assert "interrupted; the run is kept in run. It holds recipe.yaml" in err
    record = read(Path("run"))
    assert record.status == "interrupted"
    assert record.metrics()[0]["epoch"] == 0
    assert [one.status for one in listed(Path())] == ["interrupted"]
    assert "interrupted" in Path("run/run.log").read_text(encoding="utf-8")
    assert not list(Path("run").rglob(".*"))


@needs_signals
def test_a_second_ctrl_c_kills_at_once():
    body = "open('told', 'w').write('x'); time.sleep(600)"
    process = started(*endless(watching("run_finished", body), "trainer.epochs=3"))
    wait_for(Path("run/metrics.jsonl"), "\n", process)
    process.send_signal(signal.SIGINT)
    # The first one is being answered, and the answer hangs.
    wait_for(Path("told"), "x", process)
    process.send_signal(signal.SIGINT)
    out, err = ended(process, 20)
    assert process.returncode == -signal.SIGINT
    assert "Traceback" not in err + out
    assert read(Path("run")).status == "interrupted"


def test_an_interrupt_in_process_and_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    words = watching("epoch_finished", "signal.raise_signal(signal.SIGINT)")
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 130, result.output
    assert "interrupted; the run is kept in run." in result.stderr
    assert "missing: gallery.json, best/architecture.yaml" in result.stderr
    assert signal.getsignal(signal.SIGINT) is before
    assert read(Path("run")).status == "interrupted"


@needs_signals
def test_sigterm_keeps_what_was_learned_as_ctrl_c_does():
    """A cluster ends a process so (case 21)."""
    process = started(*endless(UNIFORM, "trainer.epochs=3"))
    wait_for(Path("run/jobs/0001-search/derived.yaml"), "\n", process)
    process.send_signal(signal.SIGTERM)
    out, err = ended(process, LIMIT)
    assert process.returncode == 130, err
    assert "Traceback" not in err + out
    assert "Its architecture so far: run/jobs/0001-search/derived.yaml" in err
    assert read(Path("run")).status == "interrupted"
    shown = CliRunner().invoke(main, ["draw", "run"])
    assert shown.exit_code == 5
    file = "run/jobs/0001-search/derived.yaml"
    assert f"nascore evaluate {file} --recipe run/recipe.yaml" in shown.stderr
    assert CliRunner().invoke(main, ["draw", file]).exit_code == 0


def test_an_interrupt_in_the_second_job_names_what_was_chosen():
    words = watching("phase_started", "details[0] == 'train' and signal.raise_signal(signal.SIGINT)")
    result = CliRunner().invoke(main, words)
    file = "run/jobs/0002-train/description.yaml"
    assert result.exit_code == 130, result.output
    assert f"Its architecture so far: {file}" in result.stderr
    assert f"its architecture so far is in {file}" in CliRunner().invoke(main, ["draw", "run"]).stderr
    assert CliRunner().invoke(main, ["draw", file]).exit_code == 0


def test_an_interrupt_after_the_result_is_written_leaves_it_done():
    result = CliRunner().invoke(main, watching("run_finished", "raise KeyboardInterrupt"))
    assert result.exit_code == 130
    assert read(Path("run")).status == "done"


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        words = watching("epoch_finished", "signal.raise_signal(signal.SIGINT)")
        result = CliRunner().invoke(main, words)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 0, result.output


def test_from_python_the_exception_says_where_the_run_is():
    class Stop(Observer):
        def epoch_finished(self, _report):
            raise KeyboardInterrupt

    settings = {"dataset.count": 64, "dataset.size": 8, "trainer.batch": 8, "ranking.batch": 8}
    with pytest.raises(KeyboardInterrupt) as caught:
        nascore.search(
            space="tiny",
            updater="uniform",
            dataset="synthetic",
            scale="mini",
            settings=settings,
            out="run",
            observers=[Stop()],
        )
    assert caught.value.__notes__ == [f"The run is kept in {Path.cwd() / 'run'}"]
    assert json.loads(Path("run/result.json").read_text(encoding="utf-8"))["status"] == "interrupted"
    said = r"status interrupted.*no best architecture yet; .*jobs/0001-search/derived\.yaml.*missing: gallery"
    with pytest.raises(RunFolderError, match=said):
        nascore.load_run("run")
