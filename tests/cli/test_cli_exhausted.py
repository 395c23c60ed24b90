"""What a user can cure is said in plain words: memory, outputs that are no numbers, a full disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command_line import cli
from engine_runs import REGISTRY, growth_of, recipe_of
from failing_plugins import QUICK_EVALUATE, UNIFORM
from tiny import CLOSED

from nascore.engine.search import search
from nascore.errors import RunFailed, out_of_memory_text, refusal
from nascore.plugin.guard import guarded

CPU = (
    "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
    "allocate 216466978406400 bytes. Error code 12 (Cannot allocate memory)"
)
CUDA = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 1.00 GiB."
EXHAUSTED = {
    "torch on the CPU": (RuntimeError(CPU), "201,600.6 GiB more were requested"),
    "torch on CUDA": (torch.OutOfMemoryError(CUDA), "2.00 GiB more were requested"),
    "Python": (MemoryError(), "there is not enough memory."),
    "cuBLAS": (
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling X"),
        "there is not enough memory.",
    ),
    "C++": (RuntimeError("std::bad_alloc"), "there is not enough memory."),
    "the system": (OSError(12, "Cannot allocate memory"), "there is not enough memory."),
}
ADVICE = "Try a smaller batch (trainer.batch, ranking.batch, training.batch), fewer channels or cells"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def raising(error):
    def call(*_, **__):
        raise error

    return call


@pytest.mark.parametrize("kind", EXHAUSTED)
def test_memory_that_is_not_enough_is_said_whoever_notices(kind):
    error, said = EXHAUSTED[kind]
    assert said in out_of_memory_text(error)
    assert ADVICE in out_of_memory_text(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("size mismatch"), ValueError("can't allocate memory"), OSError(2, "x")]
)
def test_other_errors_are_not_taken_for_it(error):
    assert out_of_memory_text(error) == ""


PLACES = {
    "the reading of images": "nascore.builtin.datasets.Synthetic.train",
    "the building of the supernet": "nascore.engine.phase_factory.compile",
    "a step": "nascore.nn.network.Network.forward",
    "measuring": "nascore.engine.forward.evaluation_batches",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verb", ["search", "evaluate"])
def test_it_is_no_matter_for_the_authors(place, verb, monkeypatch):
    Path("net.yaml").write_text(CLOSED, encoding="utf-8")
    monkeypatch.setattr(PLACES[place], raising(RuntimeError(CPU)))
    done = cli(*(UNIFORM if verb == "search" else ("evaluate", "net.yaml", *QUICK_EVALUATE)))
    assert done.exit_code in {1, 3}, done.output
    assert ADVICE in done.stderr
    assert "authors" not in done.stderr
    assert "unexpected" not in done.stderr
    if Path("run/result.json").exists():
        result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
        assert (result["status"], ADVICE in result["error"]) == ("failed", True)


def test_from_python_it_is_a_run_that_failed(monkeypatch, tmp_path):
    monkeypatch.setattr(PLACES["a step"], raising(torch.OutOfMemoryError(CUDA)))
    with pytest.raises(RunFailed, match=r"2\.00 GiB more were requested"):
        search(recipe_of(), REGISTRY, out=tmp_path / "run")


def test_a_plugin_that_asks_for_too_much_has_made_no_mistake():
    component = REGISTRY.get("dataset", "synthetic")
    _, problems = guarded(component, "building", raising(MemoryError()), lambda: None)
    assert "This is a fault of the plugin" not in str(problems[0])
    assert type(refusal(problems)).exit_code == 3


def test_a_job_of_growth_fails_with_the_advice(monkeypatch, tmp_path):
    monkeypatch.setattr(PLACES["a step"], raising(RuntimeError(CPU)))
    with pytest.raises(RunFailed, match=re.escape(ADVICE)):
        search(growth_of(), REGISTRY, out=tmp_path / "run")
    jobs = [
        json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "run/jobs").glob("*/result.json")
    ]
    assert len(jobs) == 4
    assert all(ADVICE in job["error"] for job in jobs)


@pytest.mark.parametrize("verb", ["search", "evaluate", "growth"])
def test_an_output_that_is_no_number_ends_the_run_instead_of_counting_as_chance(verb, monkeypatch):
    Path("net.yaml").write_text(CLOSED, encoding="utf-8")
    monkeypatch.setattr(
        "nascore.engine.forward.logits_for", lambda _n, images, _m: torch.full((len(images), 10), torch.nan)
    )
    words = {
        "search": UNIFORM,
        "growth": (*UNIFORM, "--growth", "random", "--set", "growth.count=2"),
        "evaluate": ("evaluate", "net.yaml", *QUICK_EVALUATE),
    }
    done = cli(*words[verb])
    assert done.exit_code == 1, done.output
    assert "the network's output is not finite for" in done.stderr
    assert not Path("run/best").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device on this system")
def test_a_full_standard_output_is_said_in_one_line():
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        line = [sys.executable, "-m", "nascore", "list"]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "the output of this command cannot be written: the disk is full.\n"
