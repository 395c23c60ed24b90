"""A growth run in which jobs fail, and policies that begin with nothing useful."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import evolve
from engine_runs import REGISTRY, growth_of

import nascore.builtin
from nascore.builtin.components import RandomSettings
from nascore.builtin.growth import Random as Drawing
from nascore.component import Component, hookimpl
from nascore.contract import Observer
from nascore.engine.build import build_parts
from nascore.engine.jobs import train_network
from nascore.engine.search import search
from nascore.errors import PluginError, RecipeError, RunFailed
from nascore.plugin import Registry
from nascore.run import read


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes the jobs of these numbers end on a loss that is not finite."""

    def fail(*numbers):
        def train(live, description, fit, *, job, **more):
            if job.number in numbers:
                raise RunFailed(f"job {job.number}: the loss is nan.")
            return train_network(live, description, fit, job=job, **more)

        monkeypatch.setattr("nascore.engine.jobs.train_network", train)

    return fail


def test_a_job_that_fails_is_recorded_and_the_run_goes_on(tmp_path, failing):
    failing(3, 4)
    told = []

    class Watcher(Observer):
        def job_finished(self, name, result):
            told.append((name, result.get("status", "done")))

    path = search(growth_of(), REGISTRY, out=tmp_path / "x", observers=[Watcher()])
    record = read(path)
    assert record.status == "done"
    assert [entry.id for entry in record.gallery] == [1, 2]
    assert record.result["jobs"] == {"done": 2, "failed": 2}
    assert "job 0004-train failed: job 4: the loss is nan." in (path / "run.log").read_text()
    changes = (path / "changes.jsonl").read_text()
    assert changes.count('"job failed"') == 2
    assert '"job": "0003-train"' in changes
    assert '"status": "failed"' in (path / "jobs/0003-train/result.json").read_text()
    assert [status for _, status in told] == ["done", "done", "failed", "failed"]


def test_a_job_that_fails_moves_no_other(tmp_path, failing):
    whole = search(growth_of(), REGISTRY, out=tmp_path / "whole")
    failing(1)
    path = search(growth_of(), REGISTRY, out=tmp_path / "x")
    name = "jobs/0004-train/weights.safetensors"
    assert (path / name).read_bytes() == (whole / name).read_bytes()


def test_a_run_of_which_every_job_fails_has_failed(tmp_path):
    recipe = growth_of(training__lr=1e17, training__clip=0)
    with pytest.raises(RunFailed, match=r"all 4 architectures failed(.|\n)*phase train"):
        search(recipe, REGISTRY, out=tmp_path / "x")
    assert read(tmp_path / "x").status == "failed"
    assert (tmp_path / "x" / "changes.jsonl").read_text().count('"job failed"') == 4


# What is refused before there is a folder


def test_batches_must_fit_the_parts_that_are_used():
    assert build_parts(growth_of(training__batch=39, trainer__batch=1000), REGISTRY)
    with pytest.raises(RecipeError, match=r"training\.batch.*39 available images"):
        build_parts(growth_of(training__batch=40), REGISTRY)


def test_too_few_images_to_hold_any_back():
    with pytest.raises(RecipeError, match="too few to hold some back"):
        build_parts(growth_of(dataset__count=4, training__batch=1), REGISTRY)


def policy(seeds):
    """Return what is installed with a growth whose policy gives these seeds."""

    @hookimpl
    def nascore_growths():
        build = lambda settings: SimpleNamespace(seeds=seeds)  # noqa: ARG005, E731
        yield Component(name="mine", slot="growth", summary="A test's.", build=build)

    return Registry.of(builtin=nascore.builtin, mine=SimpleNamespace(nascore_growths=nascore_growths))


def raising(description, rng):
    del description, rng
    raise ValueError("no seeds today")


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (lambda *_: (), "mine returned no initial architecture"),
        (lambda description, _: [description], "with open choices"),
        (raising, "no seeds today"),
    ],
)
def test_a_policy_that_begins_with_nothing_useful_is_the_plugins_mistake(seeds, said):
    registry = policy(seeds)
    recipe = growth_of()
    part = evolve(recipe.part("growth"), component=registry.get("growth", "mine"), provides=frozenset())
    with pytest.raises(PluginError, match=said):
        build_parts(evolve(recipe, parts={**recipe.parts, "growth": (part,)}), registry)


def test_any_policy_with_seeds_is_run_as_random_is(tmp_path):
    registry = policy(lambda description, rng: Drawing(RandomSettings(count=2)).seeds(description, rng))
    recipe = growth_of()
    part = evolve(recipe.part("growth"), component=registry.get("growth", "mine"), provides=frozenset())
    path = search(evolve(recipe, parts={**recipe.parts, "growth": (part,)}), REGISTRY, out=tmp_path / "x")
    assert len(read(path).gallery) == 2
