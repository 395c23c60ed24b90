"""A cluster of several raylets on this machine: one is lost, one sees no folder of the run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib import import_module
from shutil import which
from threading import Thread

import pytest
from comparison_runs import SMALL, SMALL_EVALUATION
from ray_samples import GIVEN, STORE, by_ray, by_serial, different, events, finished, under_way, until, works

import nascore
from nascore.errors import RecipeError
from nascore_ray.executor import QUIET

LONG = {**SMALL, "trainer.epochs": 8, "ranking.epochs": 2}


@pytest.fixture(scope="module")
def cluster():
    """A cluster whose head does no jobs."""
    os.environ.update(QUIET)
    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    head["_system_config"] = {"health_check_period_ms": 500, "health_check_failure_threshold": 2}
    cluster = import_module("ray.cluster_utils").Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)


def test_a_job_of_a_lost_node_is_done_again_on_another(cluster, tmp_path, capfd):
    out = tmp_path / "run"
    serial = by_serial(out, LONG, seeds=[0, 1])
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=STORE) for _ in range(2)]
    before = {}

    def lose_a_node():
        until(lambda: under_way(out) and any(works(node, out) for node in nodes))
        before.update(finished(out))
        nodes.sort(key=lambda node: works(node, out))
        cluster.remove_node(nodes.pop(), allow_graceful=False)

    thread = Thread(target=lose_a_node)
    thread.start()
    try:
        nascore.search_several(
            **{**GIVEN, "seeds": [0, 1]},
            settings={**LONG, "executor.address": cluster.address},
            executor="ray",
            out=out,
            checkpoint_every="0s",
        )
    finally:
        thread.join()
        cluster.remove_node(nodes.pop(), allow_graceful=False)
    assert different(serial, out) == []
    assert before.items() <= finished(out).items()  # not done twice
    (death,) = events(out, "worker died")
    assert death["error"].startswith("Ray reports: ")
    assert capfd.readouterr() == ("", "")


def test_resources_that_no_node_has_are_refused(cluster, tmp_path):
    settings = {**SMALL, "executor.address": cluster.address, "executor.gpus": 3, "executor.cpus": 0}
    with pytest.raises(RecipeError, match=r"a job needs 3 GPU, and no node .* has more than 0"):
        nascore.search_several(**GIVEN, settings=settings, executor="ray", out=tmp_path / "run")


@pytest.fixture
def node_without_folder(cluster, tmp_path):
    """A node of the cluster with an empty folder in place of that of the test."""
    mount = f"mount -t tmpfs none {shlex.quote(str(tmp_path))}"
    node = f"--address={cluster.address} --num-cpus=1 --object-store-memory={STORE}"
    start = f"exec {shlex.quote(sys.executable)} -m ray.scripts.scripts start --block {node}"
    line = ["unshare", "-m", "sh", "-c", f"{mount} && {start}"]
    with subprocess.Popen(
        line, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert any("Ray runtime started" in text for text in process.stdout)
        yield
        process.terminate()


@pytest.mark.skipif(which("unshare") is None or os.geteuid() != 0, reason="only root mounts a folder")
def test_a_node_without_the_folder_gets_files_and_returns_them(node_without_folder, cluster, tmp_path):
    del node_without_folder
    place = {"address": cluster.address, "files": "return"}
    _, differing = by_ray(
        tmp_path / "run", executor=place, settings=SMALL_EVALUATION, updater="uniform", evaluate=True
    )
    assert differing == []

    settings = {**SMALL, "executor.address": cluster.address}
    with pytest.raises(nascore.api.RunFailed, match=r"has no folder .*: use a shared folder, or"):
        nascore.search_several(**GIVEN, settings=settings, executor="ray", out=tmp_path / "shared")
