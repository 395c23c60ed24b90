"""The list of a job's files: a list that was removed or cut off is found, by readers and by a resumed run."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import nascore
from nascore.errors import RunFolderError, RunStopped
from nascore.files import CHECKSUMS
from nascore.run import bytes_of

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = {
    "space": "tiny",
    "growth": "random",
    "dataset": "synthetic",
    "scale": "mini",
    "settings": {
        "dataset.count": 64,
        "dataset.size": 8,
        "ranking.batch": 16,
        "ranking.epochs": 2,
        "growth.count": 3,
    },
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run with a job that is done and one that is not; to read only."""
    path: Path = tmp_path_factory.mktemp("stopped") / "run"
    with suppress(RunStopped):
        nascore.search(**RANDOM, out=path, budget="9steps")
    assert (path / "jobs/0001-train/result.json").is_file()
    assert not (path / "jobs/0002-train/result.json").is_file()
    return path


@pytest.fixture
def run(stopped, tmp_path):
    return shutil.copytree(stopped, tmp_path / "run")


@pytest.mark.parametrize("job", ["0001-train", "0002-train"])
def test_a_run_is_not_resumed_without_the_list_of_a_job(job, run):
    (run / "jobs" / job / CHECKSUMS).unlink()
    with pytest.raises(RunFolderError, match=f"{job}/{CHECKSUMS}, the list of its job's files, is missing"):
        nascore.resume(run)


def test_a_file_of_a_job_is_not_read_without_the_list_of_the_job(run):
    (run / "jobs/0001-train" / CHECKSUMS).unlink()
    with pytest.raises(RunFolderError, match=f"0001-train/{CHECKSUMS}, the list of its job's files, is miss"):
        bytes_of(run / "jobs/0001-train/weights.safetensors")


def test_a_list_that_was_cut_off_is_found_by_each_file_of_a_job_that_is_over(run):
    file = run / "jobs/0001-train" / CHECKSUMS
    whole = file.read_bytes()
    for lines in (1, 2, 4):
        file.write_bytes(b"".join(whole.splitlines(keepends=True)[:-lines]))
        with pytest.raises(RunFolderError, match=f"{CHECKSUMS} beside it was cut off"):
            bytes_of(run / "jobs/0001-train/description.yaml")
    file.write_bytes(whole)
    assert bytes_of(run / "jobs/0001-train/description.yaml")
