"""What was built of a search to check it is what the search runs with, and serves one search only."""

from __future__ import annotations

from collections import Counter

import pytest
from click.testing import CliRunner

import nascore
from nascore import component
from nascore.cli import main
from nascore.engine import data_checks
from nascore.errors import NascoreError
from nascore.recipe import Request
from nascore.verbs.dry_run import check_search, with_build_warnings
from nascore.verbs.resolution import resolve_request
from nascore.verbs.search import run_search

SETTINGS = {
    "dataset.count": 32,
    "dataset.size": 4,
    "trainer.epochs": 1,
    "trainer.batch": 8,
    "trainer.warm_up": 0,
    "ranking.epochs": 1,
    "ranking.batch": 8,
}
STARTED = {"Alternating", "Entropy", "Sgd", "Softmax"}
"""The rehearsal of a search starts parts of its own: what has been started is no part of the run."""

NAMES = {"space": "tiny", "updater": "sgd", "regularizer": "entropy", "dataset": "synthetic"}


@pytest.fixture
def built(monkeypatch):
    """How often each component was built, by its class; and how often data were read to check them.

    A task has no state, and is built wherever it is needed.
    """
    calls = Counter()
    load, faults = component.load, data_checks.example_faults

    def counting(name):
        made = load(name)
        if name.endswith(":Classification"):
            return made
        return lambda settings: calls.update([name.partition(":")[2]]) or made(settings)

    monkeypatch.setattr(component, "load", counting)
    monkeypatch.setattr(
        data_checks, "example_faults", lambda *given: calls.update(["data"]) or faults(*given)
    )
    return calls


def asked():
    settings = [f"{path}={value}" for path, value in SETTINGS.items()]
    names = {slot: [name] for slot, name in NAMES.items()}
    return resolve_request(Request(names=names, sets=settings, scale="mini"))


def checked(built):
    """Return how often each component is built for the check of a search; each that starts nothing once."""
    check_search(asked())
    counts = Counter({**built, "data": 1})
    built.clear()
    assert {name for name, count in counts.items() if count > 1} == STARTED
    return counts


def test_from_python_each_part_is_built_once(built, tmp_path):
    counts = checked(built)
    nascore.search(**NAMES, scale="mini", settings=SETTINGS, out=tmp_path / "run")
    assert built == counts
    assert len(built) == len(NAMES) + 4  # trainer, relaxation and growth, and the reading of the data


def test_on_the_command_line_too(built, tmp_path):
    counts = checked(built)
    named = [word for slot, name in NAMES.items() for word in (f"--{slot}", name)]
    sets = [word for path, value in SETTINGS.items() for word in ("--set", f"{path}={value}")]
    line = ["search", *named, *sets, "--scale", "mini", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0, result.output
    assert {name: built[name] for name in counts} == counts
    assert len(built) >= len(NAMES) + 4


def test_a_second_search_of_what_was_asked_for_has_parts_of_its_own(built, tmp_path):
    counts = checked(built)
    known = with_build_warnings(asked())
    runs = [run_search(known, out=tmp_path / str(number)) for number in range(2)]
    weights = [(run.path / "best" / "weights.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert built == counts + counts


def test_what_stopped_at_the_folder_is_not_lost(built, tmp_path):
    counts = checked(built)
    known = with_build_warnings(asked())
    (tmp_path / "file").touch()
    with pytest.raises(NascoreError):
        run_search(known, out=tmp_path / "file" / "run")
    assert run_search(known, out=tmp_path / "run").result["status"] == "done"
    assert built == counts


def test_a_dry_run_reads_no_images(built):
    check_search(asked())
    assert built["data"] == 0


def test_a_warning_of_the_parts_stands_in_the_log_once(tmp_path):
    names = {**NAMES, "regularizer": "cost"}
    settings = {**SETTINGS, "regularizer.cost.target": 10**9}
    run = nascore.search(**names, scale="mini", settings=settings, out=tmp_path / "run")
    lines = (run.path / "run.log").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if ", which is less" in line]) == 1, lines


def test_an_evaluation_builds_its_data_once(built, tmp_path):
    settings = {"training.epochs": 1, "training.batch": 8, "dataset.count": 32, "dataset.size": 4}
    found = nascore.search(**NAMES, scale="mini", settings=SETTINGS, out=tmp_path / "run")
    built.clear()
    nascore.evaluate(found, scale="mini", settings=settings, out=tmp_path / "evaluation")
    assert built.pop("data") == 2  # train and test
    assert set(built.values()) == {1}, built
    built.clear()
    sets = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    line = ["evaluate", str(found.path), *sets, "--scale", "mini", "--out", str(tmp_path / "typed")]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0, result.output
    assert built.pop("data") == 2
    assert set(built.values()) == {1}, built
