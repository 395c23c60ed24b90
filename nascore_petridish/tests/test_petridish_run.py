"""A whole run: parents and waves, the same again bit for bit, and what ends it early."""

from __future__ import annotations

import json
from random import Random

import pytest
import torch
from petridish_runs import files_of, grown, recipe_of
from petridish_samples import REGISTRY

import nascore.engine.offspring
import nascore.engine.search
from nascore.cli import main
from nascore.contract import Observer
from nascore.description import load
from nascore.errors import PluginError, RecipeError, RunFailed
from nascore.gallery import Entry, Gallery
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
    policy = policies.Petridish(recipe_of().part("growth").settings)
    for number in (1, 2, 3):
        rng = Random(f"0/growth/{number + 1}")  # noqa: S311 - that of the engine
        (parent,) = policy.next_parents(Gallery(tuple(entries[:number])), number + 1, rng)
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


# What goes wrong


@pytest.fixture
def spoiled(monkeypatch):
    """Return a function that spoils what the candidates of these jobs learn."""

    def spoil(*numbers, value=float("nan")):
        healthy = nascore.engine.offspring._searched

        def searched(*args, job, **more):
            with monkeypatch.context() as patch:
                if job in numbers:
                    ran = nascore.engine.offspring.run_phase

                    def run_phase(phase, *rest, **named):
                        steps = ran(phase, *rest, **named)
                        with torch.no_grad():
                            weights = dict(phase.network.named_parameters())
                            weights[next(name for name in weights if "n1+" in name)].fill_(value)
                        return steps

                    patch.setattr(nascore.engine.offspring, "run_phase", run_phase)
                return healthy(*args, job=job, **more)

        monkeypatch.setattr(nascore.engine.offspring, "_searched", searched)

    return spoil


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_candidates_that_are_not_finite_are_a_job_that_failed(tmp_path, spoiled, value):
    spoiled(2, 3, value=value)
    path = grown(tmp_path / "run", growth__count=3)
    record = read(path)
    assert record.status == "done"
    assert [(entry.id, entry.wave) for entry in record.gallery] == [(1, 1), (4, 4), (5, 5)]
    assert record.result["jobs"] == {"done": 3, "failed": 2}
    assert (
        "job 0002-grow failed: what the candidates learned is not finite: " in (path / "run.log").read_text()
    )
    assert (path / "changes.jsonl").read_text().count('"job failed"') == 2
    assert '"status": "failed"' in (path / "jobs/0003-grow/result.json").read_text()


def test_three_waves_without_a_child_end_a_run(tmp_path, spoiled):
    spoiled(*range(2, 20))
    record = read(grown(tmp_path / "run"))
    assert record.status == "done"
    assert [entry.id for entry in record.gallery] == [1]
    assert record.result["jobs"] == {"done": 1, "failed": 3}


def test_a_loss_that_is_not_finite_fails_its_job_alone(tmp_path):
    record = read(grown(tmp_path / "run", trainer__lr=1e30, trainer__clip=0, growth__count=2))
    assert [entry.id for entry in record.gallery] == [1]
    assert record.result["jobs"]["failed"] == 3


def patched(monkeypatch, name, method):
    monkeypatch.setattr(policies.Petridish, name, method)


def test_a_parent_that_cannot_grow_is_a_job_that_failed(monkeypatch, tmp_path):
    healthy = policies.Petridish.open

    def opened(self, parent, catalogue):
        if any("+1" in node.name for node in parent.cells["cell"].nodes):
            raise RecipeError("one growth is enough.")
        return healthy(self, parent, catalogue)

    patched(monkeypatch, "open", opened)
    path = grown(tmp_path / "run", growth__count=3)
    assert len(read(path).gallery) == 2
    assert "job 0003-grow failed: one growth is enough." in (path / "run.log").read_text()


@pytest.mark.parametrize(
    ("name", "method", "said"),
    [
        ("open", lambda _, parent, __: parent, "left nothing to choose"),
        ("close", lambda _, opened, __: opened, "left a choice"),
        ("next_parents", lambda *_: [Entry(id=9, description="", error=0.0, count=1)], "not in the gallery"),
        ("next_parents", lambda *_: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_mistake_of_the_policy_is_the_plugins(monkeypatch, tmp_path, name, method, said):
    patched(monkeypatch, name, method)
    with pytest.raises(PluginError, match=said):
        grown(tmp_path / "run")
    assert len(read(tmp_path / "run").gallery) == 1


def test_a_run_whose_seed_fails_has_failed(tmp_path):
    with pytest.raises(RunFailed, match="all 1 architectures failed"):
        grown(tmp_path / "run", training__lr=1e30, training__clip=0)


@pytest.mark.parametrize(
    ("settings", "images"), [({}, 32), ({"trainer__estimate": "first"}, 16)], ids=["one level", "halves"]
)
def test_batches_of_the_candidates_must_fit_the_images_that_are_left(settings, images):
    planned = nascore.engine.build.planned
    assert planned(recipe_of(trainer__batch=images, **settings), REGISTRY)
    with pytest.raises(RecipeError, match=rf"trainer\.batch.*{images} images"):
        planned(recipe_of(trainer__batch=images + 1, **settings), REGISTRY)
