"""How often the test split was opened for one architecture is counted, and told from the second time on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from command_line import cli, done

import nascore

WORDS = ("--dataset", "synthetic", "--scale", "mini")
SMALL = ("dataset.count=48", "dataset.size=8", "training.batch=16", "training.epochs=1")
SIZE = ("training.channels=2", "training.cells=1")
SEARCH = (
    *("trainer.epochs=1", "trainer.warm_up=0", "trainer.batch=16"),
    *("ranking.epochs=1", "ranking.batch=16"),
)


def sets(*texts):
    return [word for text in texts for word in ("--set", text)]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = ["--space", "tiny", "--updater", "uniform", *WORDS]
    done("search", *found, *sets(*SMALL, *SEARCH), "--out", "some runs/found")
    return tmp_path


def evaluated(out, *words, target="some runs/found", size=8, channels=2):
    other = [f"dataset.size={size}", f"training.channels={channels}"]
    small = [text for text in (*SMALL, *SIZE) if not text.startswith(("dataset.size", "training.channels"))]
    answer = cli("evaluate", target, *WORDS, *sets(*small, *other), "--out", out, *words)
    assert answer.exit_code == 0, answer.output
    return answer.stderr, json.loads((Path(out) / "result.json").read_text(encoding="utf-8"))


def told(stderr, result):
    """Return whether the warning is there, the same in both places."""
    warned = [text for text in result["warnings"] if "was tested on these images" in text]
    assert ("was tested on these images" in stderr) == bool(warned)
    assert all(text in stderr for text in warned)
    return bool(warned)


def test_evaluations_of_one_architecture_are_counted(home):
    first, second = evaluated("some runs/a"), evaluated("some runs/b", "--seed", "1")
    third = evaluated("some runs/c", channels=3)

    assert [result["test_opened"] for _, result in (first, second, third)] == [1, 2, 3]
    assert [told(*one) for one in (first, second, third)] == [False, True, True]
    assert str(home / "some runs" / "a") in second[0]
    assert "2 times before" in third[0]


@pytest.mark.usefixtures("home")
def test_other_images_and_other_architectures_do_not_count():
    evaluated("some runs/a")
    other = evaluated("some runs/b", size=10)
    assert (other[1]["test_opened"], told(*other)) == (1, False)

    text = Path("some runs/found/best/architecture.yaml").read_text(encoding="utf-8")
    changed = text.replace("max_pool_3x3", "avg_pool_3x3").replace("conv_3x3", "max_pool_3x3")
    assert changed != text
    # Without the first line, the digest of the text as it was.
    Path("changed.yaml").write_text(changed.partition("\n")[2], encoding="utf-8")
    other = evaluated("some runs/c", target="changed.yaml")
    assert (other[1]["test_opened"], told(*other)) == (1, False)


@pytest.mark.usefixtures("home")
def test_what_lies_elsewhere_counts_where_it_is_known():
    evaluated("elsewhere/a")
    unknown = evaluated("another place/b")
    # Beside the run that found it, whatever --out says.
    evaluated("some runs/c")
    beside = evaluated("yet another/d")
    assert (unknown[1]["test_opened"], beside[1]["test_opened"]) == (1, 2)


@pytest.mark.usefixtures("home")
def test_a_test_that_did_not_end_counts_and_what_cannot_be_read_is_named():
    evaluated("some runs/a")
    Path("some runs/a/result.json").unlink()
    Path("some runs/damaged").mkdir()
    Path("some runs/damaged/changes.jsonl").write_text("{\n[]\n", encoding="utf-8")
    Path("some runs/pipe").mkdir()
    os.mkfifo("some runs/pipe/changes.jsonl")
    stderr, result = evaluated("some runs/b")
    assert result["test_opened"] == 2
    warning = next(text for text in result["warnings"] if "cannot be read" in text)
    assert "2 runs" in warning
    assert all(str(Path(f"some runs/{name}").resolve()) in warning for name in ("damaged", "pipe"))
    assert warning in stderr


@pytest.mark.usefixtures("home")
def test_an_evaluation_whose_record_was_changed_is_named():
    evaluated("some runs/a")
    record = Path("some runs/a/changes.jsonl")
    content = record.read_bytes()
    record.write_bytes(content.replace(b"test split opened", b"test split openee"))
    _, result = evaluated("some runs/b")
    assert any("some runs/a" in text and "is not counted" in text for text in result["warnings"])


@pytest.mark.usefixtures("home")
def test_jobs_of_a_comparison_count():
    words = ["--space", "tiny", "--updater", "uniform", "--evaluate", *WORDS]
    done("search", *words, *sets(*SMALL, *SEARCH, *SIZE), "--out", "some runs/table")
    assert evaluated("some runs/b")[1]["test_opened"] == 2


@pytest.mark.usefixtures("home")
def test_from_python():
    settings = dict(text.split("=") for text in (*SMALL, *SIZE))
    settings = {path: int(value) for path, value in settings.items()}
    run = nascore.load_run("some runs/found")
    counts = [
        nascore.evaluate(run, dataset="synthetic", scale="mini", settings=settings, out=out).result[
            "test_opened"
        ]
        for out in ("some runs/a", "some runs/b")
    ]
    assert counts == [1, 2]
