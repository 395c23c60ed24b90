"""A whole run: parents and waves, the same again bit for bit, and what ends it early."""

from __future__ import annotations

import json
from random import Random

import pytest
from petridish_runs import files_of, grown, recipe_of
from petridish_samples import REGISTRY

import nascore.engine.growth_jobs
import nascore.engine.search
from nascore.cli import main
from nascore.contract import Observer
from nascore.description import load
from nascore.gallery import Gallery
from nascore.recipe import Request, settled
from nascore.run import read
from nascore_petridish import policy as policies


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of four architectures, to read only."""
    return grown(tmp_path_factory.mktemp("grown") / "run")


def test_parents_are_named_and_waves_counted(run):
    record = read(run)
    entries = list(record.gallery)
    assert [entry.id for entry in entries] == [1, 2, 3, 4]
    assert [entry.wave for entry in entries] == [1, 2, 3, 4]
    assert entries[0].parent is None
    assert all(entry.parent in range(1, entry.id) for entry in entries[1:])
    assert record.result["jobs"] == {"done": 4, "failed": 0}
    jobs = sorted(path.name for path in (run / "jobs").iterdir())
    assert jobs == ["0001-train", "0002-grow", "0003-grow", "0004-grow"]
    for entry, job in zip(entries[1:], jobs[1:], strict=True):
        assert f"parent: {entry.parent}\n" in (run / "jobs" / job / "job.yaml").read_text()


def test_parents_are_what_the_policy_says_of_the_gallery_before(run):
    entries = list(read(run).gallery)
    settings = recipe_of().part("growth").settings
    for number in (1, 2, 3):
        rng = Random(f"0/growth/{number + 1}")  # noqa: S311 - that of the engine
        (parent,) = policies.next_parents(settings, Gallery(tuple(entries[:number])), rng)
        assert entries[number].parent == parent.id


def test_children_are_larger_and_keep_their_parents_nodes(run):
    entries = list(read(run).gallery)
    for entry in entries[1:]:
        parent = entries[entry.parent - 1]
        assert entry.costs["params"] > parent.costs["params"]
        child, before = (load((run / one.description).read_text()) for one in (entry, parent))
        names = [{node.name for node in one.cells["cell"].nodes} for one in (child, before)]
        assert names[1] < names[0]


def test_twice_is_the_same_bit_for_bit_and_another_seed_is_not(run, tmp_path):
    again, other = grown(tmp_path / "again"), grown(tmp_path / "other", seed=1)
    assert files_of(again) == files_of(run)
    assert files_of(other) != files_of(run)


def test_its_recipe_repeats_it(run, tmp_path):
    recipe = settled(Request(recipe=run / "recipe.yaml"), REGISTRY)
    again = nascore.engine.search.search(recipe, REGISTRY, out=tmp_path / "again")
    assert files_of(again) == files_of(run)


def test_parents_of_one_wave_see_the_gallery_before_it(tmp_path):
    entries = list(read(grown(tmp_path / "run", growth__wave=2, growth__count=5)).gallery)
    assert [entry.wave for entry in entries] == [1, 2, 2, 3, 3]
    assert all(entry.parent == 1 for entry in entries[1:3])
    weights = [(tmp_path / "run" / entry.weights).read_bytes() for entry in entries[1:3]]
    assert weights[0] != weights[1]  # one parent twice: the jobs draw differently


@pytest.mark.parametrize(
    ("settings", "count"),
    [({"growth__count": 2}, 2), ({"growth__depth": 1, "growth__count": 3}, 3), ({"growth__limit": 1}, 1)],
    ids=["count", "depth", "limit"],
)
def test_the_caps_end_a_run(tmp_path, settings, count):
    entries = list(read(grown(tmp_path / "run", **settings)).gallery)
    assert len(entries) == count
    if "growth__depth" in settings:
        assert [entry.parent for entry in entries] == [None, 1, 1]


def test_a_child_that_was_decided_by_ties_is_told(tmp_path):
    out = grown(tmp_path / "a run", growth__count=2, updater__lr=1e-30)
    (warning,) = read(out).result["warnings"]
    assert warning.startswith(
        "warning: job 0002-grow: group grow/cell/n1/1: nothing was learned of its choices"
    )
    assert warning in (out / "run.log").read_text()


# Interrupted


class Stop(Observer):
    def job_started(self, name, number, jobs):
        del name, jobs
        if number == 4:
            raise KeyboardInterrupt


def test_a_run_that_is_killed_keeps_a_readable_gallery(tmp_path, run, capsys):
    with pytest.raises(KeyboardInterrupt):
        grown(tmp_path / "run", observers=[Stop()])
    record = read(tmp_path / "run")
    assert record.status == "interrupted"
    whole = list(read(run).gallery)
    assert list(record.gallery) == whole[:3]
    for entry in record.gallery:
        assert (tmp_path / "run" / entry.weights).read_bytes() == (run / entry.weights).read_bytes()
    main(["gallery", str(tmp_path / "run"), "--json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in found["entries"]] == [1, 2, 3]
