"""A growth run in which jobs fail, and policies that begin with nothing useful."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

import pytest
import torch
from attrs import evolve
from engine_runs import REGISTRY, growth_of
from safetensors.torch import load_file

import nascore.builtin
from nascore.api import draw_architectures
from nascore.component import Component, hookimpl
from nascore.contract import Observer, Proposal
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
    recipe = growth_of(ranking__lr=1e17, ranking__clip=0)
    with pytest.raises(RunFailed, match=r"all 4 architectures failed(.|\n)*phase train"):
        search(recipe, REGISTRY, out=tmp_path / "x")
    assert read(tmp_path / "x").status == "failed"
    assert (tmp_path / "x" / "changes.jsonl").read_text().count('"job failed"') == 4


# What is refused before there is a folder


def test_batches_must_fit_the_parts_that_are_used():
    assert build_parts(growth_of(ranking__batch=39, trainer__batch=1000), REGISTRY)
    with pytest.raises(RecipeError, match=r"ranking\.batch.*39 available images"):
        build_parts(growth_of(ranking__batch=40), REGISTRY)


def test_too_few_images_to_hold_any_back():
    with pytest.raises(RecipeError, match="too few to hold some back"):
        build_parts(growth_of(dataset__count=4, ranking__batch=1), REGISTRY)


def policy(propose, **methods):
    """Return what is installed with a growth policy that proposes so, and has these other methods."""

    @hookimpl
    def nascore_growths():
        build = lambda settings: SimpleNamespace(propose=propose, **methods)  # noqa: ARG005, E731
        yield Component(name="mine", slot="growth", summary="A test's.", build=build)

    return Registry.of(builtin=nascore.builtin, mine=SimpleNamespace(nascore_growths=nascore_growths))


def recipe_with(registry, provides=(), **settings):
    """Return the recipe of a run with the policy `mine`."""
    recipe = growth_of(**settings)
    part = evolve(
        recipe.part("growth"), component=registry.get("growth", "mine"), provides=frozenset(provides)
    )
    return evolve(recipe, parts={**recipe.parts, "growth": (part,)})


def raising(space, history, wave, rng):
    del space, history, wave, rng
    raise ValueError("no seeds today")


def drawn(space, wave, count=2):
    found = draw_architectures(space, count, Random(wave))  # noqa: S311 - nothing secret
    return [Proposal(description=one) for one in found]


def second(proposal):
    """Return a policy whose first wave is in order, and whose second has this proposal."""

    def propose(space, history, wave, rng):
        del rng
        return drawn(space, wave) if wave == 1 else [proposal(space, history)]

    return propose


def inheriting(space, history):
    del space
    return Proposal(description=history.description(history.gallery[1]), inherits=True)


def strange(space, history):
    del history
    return Proposal(description=drawn(space, 1)[0].description, parent=3)


@pytest.mark.parametrize(
    ("propose", "said"),
    [
        (lambda *_: (), "mine proposed no initial architecture"),
        (lambda space, *_: [Proposal(description=space)], "does not declare grows"),
        (raising, "no seeds today"),
        (second(lambda space, _: Proposal(description=space)), "does not declare grows"),
        (second(lambda *_: Proposal(description=None)), "returns a proposal of None, .* a Description"),
        (second(inheriting), "a proposal that inherits, but has no parent"),
        (second(strange), "a parent that is not in the gallery"),
        (lambda space, _, wave, __: [evolve(drawn(space, wave)[0], epochs=0)], "epochs 0, .* at least 1"),
        (lambda space, _, wave, __: [evolve(drawn(space, wave)[0], epochs=True)], "epochs True"),
    ],
)
def test_wrong_proposals_are_the_plugins_mistake(propose, said):
    registry = policy(propose)
    with pytest.raises(PluginError, match=said):
        build_parts(recipe_with(registry), registry)


def test_an_initial_architecture_is_closed():
    registry = policy(lambda space, *_: [Proposal(description=space)], close=lambda *_: None)
    with pytest.raises(PluginError, match="with open choices"):
        build_parts(recipe_with(registry, ["grows"]), registry)


def test_any_policy_with_one_wave_is_run_as_random_is(tmp_path):
    registry = policy(lambda space, _, wave, __: drawn(space, wave) if wave == 1 else ())
    path = search(recipe_with(registry), REGISTRY, out=tmp_path / "x")
    assert len(read(path).gallery) == 2


# Later waves of closed proposals


def later(*, inherits=False, epochs=None):
    """Return a policy that trains its best entry again, or another architecture, in a second wave."""

    def propose(space, history, wave, rng):
        del rng
        if wave == 1:
            return drawn(space, wave)
        if wave > 2:
            return []
        fresh = [one for one in drawn(space, wave, 9) if not history.tried(one.description)]
        again = history.gallery[2]
        known = history.description(again)
        assert history.tried(known)
        return [
            Proposal(description=known, parent=again, inherits=inherits, epochs=epochs),
            evolve(fresh[0], parent=history.gallery[1]),
        ]

    return policy(propose)


def test_a_later_wave_evaluates_closed_proposals(tmp_path):
    registry = later()
    path = search(recipe_with(registry), registry, out=tmp_path / "x")
    entries = list(read(path).gallery)
    assert [(one.id, one.wave, one.parent) for one in entries] == [
        (1, 1, None),
        (2, 1, None),
        (3, 2, 2),
        (4, 2, 1),
    ]
    jobs = sorted(job.name for job in (path / "jobs").iterdir())
    assert jobs == [f"000{number}-train" for number in (1, 2, 3, 4)]
    texts = [(path / one.description).read_text() for one in entries]
    assert texts[2] == texts[1]
    assert len(set(texts)) == 3
    assert len({one.steps for one in entries}) == 1


def test_a_closed_proposal_inherits_weights_and_has_epochs_of_its_own(tmp_path):
    fresh, inherited = (later(inherits=inherits, epochs=1) for inherits in (False, True))
    one, two = (
        search(recipe_with(each, ranking__lr=1e-20, ranking__weight_decay=0), each, out=tmp_path / name)
        for name, each in (("fresh", fresh), ("inherited", inherited))
    )
    parent, child, other = (
        load_file(path / "jobs" / job / "weights.safetensors")
        for path, job in ((two, "0002-train"), (two, "0003-train"), (one, "0003-train"))
    )
    assert read(two).gallery[3].steps == read(two).gallery[2].steps // 2
    name = next(name for name, tensor in parent.items() if tensor.dim() == 4)
    # With this learning rate nothing moves: what was inherited is seen as it was.
    assert torch.equal(child[name], parent[name])
    assert not torch.equal(other[name], parent[name])
