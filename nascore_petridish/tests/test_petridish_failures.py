"""A run in which jobs fail, whatever they fail of, and what ends it."""

from __future__ import annotations

import gc
from weakref import ref

import pytest
import torch
from petridish_runs import grown, recipe_of
from petridish_samples import REGISTRY

import nascore.engine.growth_jobs
import nascore.engine.loop
import nascore.engine.search
from nascore.contract import Proposal
from nascore.errors import PluginError, RecipeError, RunFailed, out_of_memory_text
from nascore.gallery import Entry
from nascore.run import read
from nascore_petridish import policy as policies
from nascore_petridish.places import seed


@pytest.fixture
def spoiled(monkeypatch):
    """Return a function that spoils what the candidates of these jobs learn."""

    def spoil(*numbers, value=float("nan")):
        healthy = nascore.engine.growth_jobs._train_candidates

        def searched(*args, job, **more):
            with monkeypatch.context() as patch:
                if job.number in numbers:
                    refuse = nascore.engine.loop._refuse_unless_learned

                    def spoil_first(phase, step, strange):
                        with torch.no_grad():
                            weights = dict(phase.network.named_parameters())
                            weights[next(name for name in weights if "n1+" in name)].fill_(value)
                        refuse(phase, step, strange)

                    patch.setattr(nascore.engine.loop, "_refuse_unless_learned", spoil_first)
                return healthy(*args, job=job, **more)

        monkeypatch.setattr(nascore.engine.growth_jobs, "_train_candidates", searched)

    return spoil


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_candidates_that_are_not_finite_are_a_job_that_failed(tmp_path, spoiled, value):
    spoiled(2, 3, value=value)
    path = grown(tmp_path / "run", growth__count=3)
    record = read(path)
    assert record.status == "done"
    assert [(entry.id, entry.wave) for entry in record.gallery] == [(1, 1), (4, 4), (5, 5)]
    assert record.result["jobs"] == {"done": 3, "failed": 2}
    said = "job 0002-grow failed: phase search, step 4: these tensors are not finite: "
    assert said in (path / "run.log").read_text()
    assert (path / "changes.jsonl").read_text().count('"job failed"') == 2
    assert '"status": "failed"' in (path / "jobs/0003-grow/result.json").read_text()


def test_five_waves_without_a_child_end_a_run(tmp_path, spoiled):
    spoiled(*range(3, 20))
    record = read(grown(tmp_path / "run"))
    assert record.status == "done"
    assert [entry.id for entry in record.gallery] == [1, 2]
    assert sum(record.gallery.failures.values()) == 5
    assert record.result["jobs"] == {"done": 2, "failed": 5}
    assert "ends here: 5 waves in a row made no architecture" in (tmp_path / "run" / "run.log").read_text()


def test_a_job_that_fails_moves_no_other_of_its_wave(tmp_path, spoiled):
    whole = grown(tmp_path / "whole", growth__wave=2, growth__count=3)
    spoiled(2)
    path = grown(tmp_path / "run", growth__wave=2, growth__count=3)
    assert [(entry.id, entry.wave) for entry in read(path).gallery] == [(1, 1), (3, 2), (4, 3)]
    third = "jobs/0003-grow/weights.safetensors"
    assert (path / third).read_bytes() == (whole / third).read_bytes()


def test_a_run_in_which_nothing_grows_has_failed_and_keeps_its_seed(tmp_path):
    with pytest.raises(RunFailed, match=r"nothing grew: 5 of 6 jobs failed(.|\n)*phase search"):
        grown(tmp_path / "run", trainer__lr=1e17, trainer__clip=0, growth__count=2)
    record = read(tmp_path / "run")
    assert record.status == "failed"
    assert [entry.id for entry in record.gallery] == [1]
    assert record.gallery.failures == {1: 5}


def test_what_cannot_be_written_down_is_no_failed_job(monkeypatch, tmp_path):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nascore.engine.jobs, "save_best", full)
    with pytest.raises(OSError, match="No space left"):
        grown(tmp_path / "run")
    assert '"status": "failed"' not in (tmp_path / "run/jobs/0001-train/result.json").read_text()


def patched(monkeypatch, name, method):
    monkeypatch.setattr(policies.Petridish, name, method)


def test_a_parent_that_cannot_grow_leaves_its_place_to_another(monkeypatch, tmp_path):
    healthy = policies.Petridish.open

    def opened(self, parent, catalogue):
        if any("+1" in node.name for node in parent.cells["cell"].nodes):
            raise RecipeError("one growth is enough.")
        return healthy(self, parent, catalogue)

    patched(monkeypatch, "open", opened)
    path = grown(tmp_path / "run", growth__count=3)
    gallery = read(path).gallery
    assert gallery.failures == {}
    assert [entry.parent for entry in gallery] == [None, 1, 1]


def test_a_run_in_which_nothing_can_grow_any_more_ends_with_the_reason(monkeypatch, tmp_path):
    healthy = policies.Petridish.open

    def opened(self, parent, catalogue):
        if any((tmp_path / "run").glob("jobs/0002-grow/result.json")):
            raise RecipeError("one growth is enough.")
        return healthy(self, parent, catalogue)

    patched(monkeypatch, "open", opened)
    record = read(grown(tmp_path / "run", growth__count=3))
    assert record.status == "done"
    assert len(record.gallery) == 2
    assert "the run ends here: one growth is enough." in (tmp_path / "run" / "run.log").read_text()


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no memory is left"), ValueError("of an updater")])
def test_whatever_a_job_fails_of_the_run_goes_on(monkeypatch, tmp_path, error):
    healthy = nascore.engine.growth_jobs._train_candidates

    def searched(*args, job, **more):
        if job.number == 2:
            raise error
        return healthy(*args, job=job, **more)

    monkeypatch.setattr(nascore.engine.growth_jobs, "_train_candidates", searched)
    path = grown(tmp_path / "run", growth__count=2)
    assert [entry.id for entry in read(path).gallery] == [1, 3]
    log = (path / "run.log").read_text()
    said = out_of_memory_text(error) or f"{type(error).__name__}: {error}"
    assert f"job 0002-grow failed: {said}" in log
    assert "Traceback" in log


def test_nothing_of_a_failed_job_stays_in_memory(monkeypatch, tmp_path):
    healthy, networks, left = nascore.engine.growth_jobs.search_phase, [], []

    def search_phase(*args, **more):
        gc.collect()
        left.append([one for one in networks if one() is not None])
        phase = healthy(*args, **more)
        networks.append(ref(phase.network))
        return phase

    def fail(*_args, **_more):
        raise RunFailed("on purpose")

    monkeypatch.setattr(nascore.engine.growth_jobs, "search_phase", search_phase)
    monkeypatch.setattr(nascore.engine.growth_jobs, "run_phase", fail)
    with pytest.raises(RunFailed, match="on purpose"):
        grown(tmp_path / "run")
    assert left == [[], [], [], [], []]


def strange_parent(_policy, space, _history, wave, _rng):
    parent = None if wave == 1 else Entry(id=9, description="", error=0.0, count=1)
    return [Proposal(description=seed(space), parent=parent)]


@pytest.mark.parametrize(
    ("name", "method", "said"),
    [
        ("open", lambda _, parent, __: parent.network, "a proposal of a Graph, .* requires a Description"),
        ("open", lambda *_: 1 / 0, "ZeroDivisionError"),
        ("close", lambda _, opened, __: opened, "an open choice"),
        ("propose", strange_parent, "a parent that is not in the gallery"),
        ("propose", lambda *_: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_mistake_of_the_policy_is_the_plugins(monkeypatch, tmp_path, name, method, said):
    patched(monkeypatch, name, method)
    with pytest.raises(PluginError, match=said):
        grown(tmp_path / "run")
    # The first two waves are proposed before the run.
    assert (tmp_path / "run").exists() == (name == "close")
    assert name != "close" or len(read(tmp_path / "run").gallery) == 1


def test_a_run_whose_seed_fails_has_failed(tmp_path):
    with pytest.raises(RunFailed, match="all 1 architectures failed"):
        grown(tmp_path / "run", ranking__lr=1e17, ranking__clip=0)


@pytest.mark.parametrize(
    ("settings", "images"), [({}, 32), ({"trainer__estimate": "first"}, 16)], ids=["one level", "halves"]
)
def test_batches_of_the_candidates_must_fit_the_images_that_are_left(settings, images):
    planned = nascore.engine.build.build_parts
    assert planned(recipe_of(trainer__batch=images, **settings), REGISTRY)
    with pytest.raises(RecipeError, match=rf"trainer\.batch.*{images} available images"):
        planned(recipe_of(trainer__batch=images + 1, **settings), REGISTRY)
