"""What would fail later is refused at once, also by --dry-run, and leaves no folder behind."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner

from nascore.cli import main

SEARCH = ("search", "--space", "tiny", "--updater", "uniform")


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["run", "dry-run"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ("--set", "trainer.batch=100000"),
            "trainer.batch: a batch of 100000 is larger than the 718 available images",
        ),
        (
            ("--set", "ranking.batch=719"),
            "ranking.batch: a batch of 719 is larger than the 718 available images",
        ),
        (("--device", "cuda"), "device: this machine or this torch build has no CUDA."),
    ],
)
def test_refused_before_anything_is_built(tmp_path, monkeypatch, asked, said, more):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    out = tmp_path / "run"
    result = CliRunner().invoke(main, [*SEARCH, *asked, "--out", str(out), *more])
    assert result.exit_code == 3
    assert said in result.stderr
    assert not out.exists()


@pytest.mark.parametrize("verb", ["list", "show"])
def test_a_file_that_cannot_be_used_is_an_error(tmp_path, verb):
    (tmp_path / "bad.py").write_text("def\n", encoding="utf-8")
    words = [verb, *(["softmax"] if verb == "show" else []), "--with", str(tmp_path / "bad.py")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 4
    assert "bad.py cannot be used" in result.stderr


def test_a_run_is_drawn_for_its_own_images(tiny_run):
    result = CliRunner().invoke(main, ["draw", str(tiny_run)])
    assert "MACs on images of 8x8" in result.stdout
    result = CliRunner().invoke(main, ["draw", str(tiny_run), "--size", "16"])
    assert "MACs on images of 16x16" in result.stdout


def test_runs_of_a_folder_that_is_not_there(tmp_path):
    result = CliRunner().invoke(main, ["runs", str(tmp_path / "nope")])
    assert result.exit_code == 5
    assert "there is no folder" in result.stderr
