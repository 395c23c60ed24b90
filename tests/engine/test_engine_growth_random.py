"""A run of growth `random`: each architecture that is drawn is trained and measured alike."""

from __future__ import annotations

import random

import pytest
import torch
from engine_runs import GROWN, REGISTRY, growth_of
from safetensors.torch import load_file
from streamed_data import images_of

from nascore.contract import Observer
from nascore.description import fingerprint, load
from nascore.engine.batches import fit_and_validation
from nascore.engine.build import build_parts
from nascore.engine.derive import prepared
from nascore.engine.factory import build_component
from nascore.engine.search import search
from nascore.engine.sources import source_of
from nascore.gallery import Score
from nascore.nn import Examples
from nascore.nn import compile as compiled
from nascore.run import read


def test_a_fifth_of_each_class_is_held_back():
    labels = torch.arange(1437) % 10
    images = torch.arange(1437.0).view(-1, 1, 1, 1)
    whole = source_of(Examples(images=images, labels=labels))
    fit, held = fit_and_validation(whole, torch.Generator().manual_seed(0))
    assert (len(fit.labels), len(held.labels)) == (1150, 287)
    assert sorted(torch.cat([images_of(fit), images_of(held)]).flatten().tolist()) == list(range(1437))
    shares = held.labels.bincount() / labels.bincount()
    assert ((shares * 143.7 - 28.74).abs() < 1.3).all()
    mixed = images_of(held).flatten()
    assert not torch.equal(mixed, mixed.sort().values)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return search(growth_of(), REGISTRY, out=tmp_path_factory.mktemp("grown"))


def descriptions(path):
    return [load((path / entry.description).read_text()) for entry in read(path).gallery]


def files_of(path):
    """Return the files that must be equal in a repeated run; times are left out."""
    kept = sorted([*path.glob("best/*"), *path.glob("architectures/*"), *path.glob("jobs/*/weights*")])
    metrics = [{**line, "seconds": None} for line in read(path).metrics()]
    files = {str(file.relative_to(path)): file.read_bytes() for file in kept}
    return files, metrics, (path / "gallery.json").read_text()


def test_each_architecture_is_an_entry_with_its_job_and_weights(found):
    entries = list(read(found).gallery)
    assert [entry.id for entry in entries] == [1, 2, 3, 4]
    assert {entry.wave for entry in entries} == {1}
    for entry, description in zip(entries, descriptions(found), strict=True):
        network = compiled(description, REGISTRY.operations())
        network.load_state_dict(load_file(found / entry.weights))
        assert (found / f"jobs/{entry.id:04d}-train/result.json").is_file()
        assert sum(weight.numel() for weight in network.parameters()) == entry.costs["params"]


def test_what_is_trained_are_the_seeds_in_their_final_form(found):
    recipe = growth_of()
    _, parts = build_parts(recipe, REGISTRY)
    ready = [
        prepared(seed, recipe.training, build_component(recipe, "dataset").facts) for seed in parts.seeds
    ]
    assert [fingerprint(one) for one in descriptions(found)] == [fingerprint(one) for one in ready]
    assert len({fingerprint(one) for one in descriptions(found)}) == 4


def test_all_have_the_same_budget_on_the_same_images(found):
    record = read(found)
    # 48 images, 9 of them held back; two epochs of 39 // 8 batches.
    assert {(entry.steps, entry.count) for entry in record.gallery} == {(8, 9)}
    assert [(line["job"], line["phase"], line["epoch"]) for line in record.metrics()] == [
        (job, "train", epoch) for job in (1, 2, 3, 4) for epoch in (0, 1)
    ]


def test_no_supernet_is_built(found):
    assert sorted(job.name for job in (found / "jobs").iterdir()) == [f"000{n}-train" for n in (1, 2, 3, 4)]


def test_the_best_is_the_one_that_validates_best(found):
    record = read(found)
    last = {line["job"]: line for line in record.metrics()}
    best = record.result["best"]
    assert best == record.gallery.best.id
    assert last[best]["validation_accuracy"] == max(line["validation_accuracy"] for line in last.values())
    weights = (found / "best/weights.safetensors").read_bytes()
    assert weights == (found / record.gallery[best].weights).read_bytes()
    assert (found / "best/architecture.yaml").read_text() == (
        found / record.gallery[best].description
    ).read_text()
    assert record.result["jobs"] == {"done": 4, "failed": 0}
    assert record.result["validation_accuracy"] == record.gallery.best.accuracy


def test_training_accuracy_does_not_decide(tmp_path, monkeypatch):
    """Validation is turned round: the one that was best before must not be now."""
    worst_first = iter((0.9, 0.2, 0.95, 0.1, 0.1, 0.1))
    monkeypatch.setattr(
        "nascore.engine.jobs.measure",
        lambda *_, task: (Score(metric=task.metrics[0], value=next(worst_first), count=10),),
    )
    path = search(growth_of(ranking__epochs=1), REGISTRY, out=tmp_path / "x")
    assert read(path).result["best"] == 3
    assert (path / "best/metrics.json").read_text().startswith('{\n  "id": 3,')


def test_a_run_repeats_bit_for_bit_and_another_seed_draws_others(found, tmp_path):
    torch.manual_seed(7)
    random.seed(7)
    again = search(growth_of(), REGISTRY, out=tmp_path / "again")
    other = search(growth_of(seed=1), REGISTRY, out=tmp_path / "other")
    assert files_of(found) == files_of(again)
    assert descriptions(found) != descriptions(other)


def test_what_was_drawn_does_not_depend_on_how_many(found, tmp_path):
    fewer = search(growth_of(growth__count=2), REGISTRY, out=tmp_path / "fewer")
    kept, _, _ = files_of(fewer)
    all_kept, _, _ = files_of(found)
    jobs = {name: content for name, content in kept.items() if name.startswith("jobs/")}
    assert len(jobs) == 2
    assert jobs.items() <= all_kept.items()


def test_a_space_that_is_used_up_is_said_in_the_log(tmp_path, found):
    names = {**GROWN, "space": [f"file:{found / 'best' / 'architecture.yaml'}"]}
    path = search(growth_of(names=names), REGISTRY, out=tmp_path / "x")
    assert len(read(path).gallery) == 1
    log = (path / "run.log").read_text()
    assert "random: initial architectures: 1\n" in log
    assert "growth.count: 4 architectures were asked for, and the space gave 1." in log


class Watcher(Observer):
    def __init__(self, stop_after=""):
        self.events = []
        self.stop_after = stop_after

    def job_started(self, name, number, jobs):
        self.events.append((name, number, jobs))

    def job_finished(self, name, result):
        self.events.append((name, result.get("status", "done")))
        if name == self.stop_after:
            raise KeyboardInterrupt


def test_observers_are_told_which_job_of_how_many(tmp_path):
    watcher = Watcher()
    search(growth_of(growth__count=2), REGISTRY, out=tmp_path / "x", observers=[watcher])
    assert watcher.events == [
        ("0001-train", 1, 2),
        ("0001-train", "done"),
        ("0002-train", 2, 2),
        ("0002-train", "done"),
    ]


def test_a_run_that_is_stopped_keeps_what_was_done(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(growth_of(), REGISTRY, out=tmp_path / "x", observers=[Watcher("0003-train")])
    record = read(tmp_path / "x")
    assert record.status == "interrupted"
    assert [entry.id for entry in record.gallery] == [1, 2, 3]
    weights = (tmp_path / "x/best/weights.safetensors").read_bytes()
    assert weights == (tmp_path / "x" / record.gallery.best.weights).read_bytes()
