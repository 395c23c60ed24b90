"""Growth `random`: what is drawn, and a run that trains it."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, product
from random import Random
from types import SimpleNamespace

import pytest
import torch
from attrs import evolve
from engine_runs import NAMES, REGISTRY, recipe_of
from safetensors.torch import load_file

import nascore.builtin
from nascore.builtin import growth as growth_module
from nascore.builtin.growth import Random as Drawing
from nascore.builtin.growth import drawn_picks
from nascore.builtin.settings import RandomSettings, TinySettings
from nascore.builtin.spaces import Tiny
from nascore.component import Component, hookimpl
from nascore.contract import DataFacts, Observer
from nascore.description import choose, derive, expand, fingerprint, load
from nascore.engine.batches import fit_and_validation
from nascore.engine.build import planned
from nascore.engine.derive import prepared
from nascore.engine.jobs import trained
from nascore.engine.search import search
from nascore.errors import PluginError, RecipeError, RunFailed
from nascore.nn import Examples
from nascore.nn import compile as compiled
from nascore.plugin import Registry
from nascore.run import read

GROWN = {**NAMES, "growth": ["random"]}
FACTS = DataFacts(
    channels=3, height=8, width=8, classes=3, train=48, test=12, mean=(0.5,) * 3, std=(1.0,) * 3
)
TINY = Tiny(TinySettings()).describe(FACTS)

UNEVEN = load("""\
nascore: 1
channels: 4
in_channels: 3
classes: 3
groups:
  g: {ops: [none, skip_connect, max_pool_3x3, conv_3x3], edges: 2, never: [none]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: stem, op: skip_connect}
    b: {from: stem, op: avg_pool_3x3}
    n:
      sum:
        - {from: stem, choose: g}
        - {from: a, choose: g, ops: [none, conv_3x3]}
        - {from: b, choose: g, ops: [none, skip_connect]}
    head: {from: n, op: classifier, width: classes}
""")
"""A node that keeps two of three edges, of which one offers three operations and the others one each."""


def grown_recipe(**settings):
    return recipe_of(**{"names": GROWN, "growth__count": 4, **settings})


def numbers(seed):
    return Random(seed)  # noqa: S311 - nothing secret


def drawn(count, seed=0, description=TINY):
    return Drawing(RandomSettings(count=count)).seeds(description, numbers(seed))


def all_of_tiny():
    """Return what the rule of `tiny` could keep: an operation that is not none on each of three edges."""
    return [[(row, column) for row, column in enumerate(columns)] for columns in product((1, 2, 3), repeat=3)]


def chi_square(counts, kinds):
    even = sum(counts.values()) / kinds
    return sum((counts.get(kind, 0) - even) ** 2 / even for kind in counts) + even * (kinds - len(counts))


def pairs_of_edges(picks):
    return tuple(sorted(row for row, _ in picks["g"]))


# What is drawn


def test_every_architecture_of_tiny_is_drawn_as_often():
    rng = numbers(3)
    counts = Counter(str(sorted(drawn_picks(TINY, rng)["cell"])) for _ in range(2700))
    assert set(counts) == {str(picks) for picks in all_of_tiny()}
    assert chi_square(counts, 27) < 54.05  # of 26 degrees of freedom, 0.1 % lie above


def test_edges_are_kept_evenly_though_one_offers_more():
    counts = Counter(pairs_of_edges(drawn_picks(UNEVEN, rng)) for rng in map(numbers, range(1500)))
    assert set(counts) == set(combinations(range(3), 2))
    assert chi_square(counts, 3) < 13.8


def test_independent_strengths_would_keep_edges_unevenly():
    """The mutation of the test above: numbers without a rank of their own for each edge."""
    counts = Counter()
    for rng in map(numbers, range(1500)):
        strength = [[rng.random() for _ in range(4)] for _ in range(3)]
        counts[pairs_of_edges(choose(UNEVEN, {"g": strength}))] += 1
    assert chi_square(counts, 3) > 13.8


def test_operations_of_an_edge_are_drawn_evenly():
    kept = [dict(drawn_picks(UNEVEN, rng)["g"]) for rng in map(numbers, range(1500))]
    counts = Counter(picks[0] for picks in kept if 0 in picks)
    assert set(counts) == {1, 2, 3}
    assert chi_square(counts, 3) < 13.8


def test_of_a_node_that_is_one_segment_every_set_of_entries_is_drawn_as_often():
    group = evolve(TINY.groups["cell"], segment="node", keep=2)
    description = evolve(TINY, groups={"cell": group})
    offered = list(product((1, 2), (1, 2, 3)))  # the two edges of n1
    counts = Counter(
        tuple(sorted(pick for pick in drawn_picks(description, rng)["cell"] if pick[0] > 0))
        for rng in map(numbers, range(1500))
    )
    assert set(counts) == set(combinations(offered, 2))
    assert chi_square(counts, 15) < 36.2


def test_seeds_are_closed_different_and_of_the_space():
    could = {fingerprint(derive(TINY, {"cell": picks})) for picks in all_of_tiny()}
    seeds = drawn(20)
    marks = {fingerprint(seed) for seed in seeds}
    assert len(marks) == len(seeds) == 20
    assert marks <= could
    assert not any(seed.is_open for seed in seeds)


def test_the_same_numbers_draw_the_same_and_touch_no_others():
    before = random.getstate()
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(5, seed=1)
    assert random.getstate() == before


def test_a_space_with_fewer_architectures_gives_them_all_and_says_so():
    drawing = Drawing(RandomSettings(count=40))
    seeds = drawing.seeds(TINY, numbers(0))
    assert len(seeds) == 27
    assert "40 architectures were asked for" in drawing.remark(seeds)
    assert "gave 27" in drawing.remark(seeds)
    assert Drawing(RandomSettings(count=27)).remark(seeds) == ""


def test_isomorphic_architectures_count_once(monkeypatch):
    monkeypatch.setattr(growth_module, "fingerprint", lambda description: len(expand(description).states))
    assert len(drawn(5)) == 1


def test_a_closed_description_is_its_own_architecture():
    closed = drawn(1)[0]
    assert drawn(3, description=closed) == (closed,)


# The images


def test_a_fifth_of_each_class_is_held_back():
    labels = torch.arange(1437) % 10
    images = torch.arange(1437.0).view(-1, 1, 1, 1)
    fit, held = fit_and_validation(Examples(images=images, labels=labels), torch.Generator().manual_seed(0))
    assert (len(fit.labels), len(held.labels)) == (1150, 287)
    assert sorted(torch.cat([fit.images, held.images]).flatten().tolist()) == list(range(1437))
    shares = held.labels.bincount() / labels.bincount()
    assert ((shares * 143.7 - 28.74).abs() < 1.3).all()
    mixed = held.images.flatten()
    assert not torch.equal(mixed, mixed.sort().values)


# A run


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return search(grown_recipe(), REGISTRY, out=tmp_path_factory.mktemp("grown"))


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
    recipe = grown_recipe()
    _, parts = planned(recipe, REGISTRY)
    ready = [prepared(seed, recipe.run.training, FACTS) for seed in parts.seeds]
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
    worst_first = iter((0.9, 0.9, 0.2, 0.2, 0.95, 0.95, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1))
    monkeypatch.setattr("nascore.engine.jobs.accuracy", lambda *_: next(worst_first))
    path = search(grown_recipe(training__epochs=1), REGISTRY, out=tmp_path / "x")
    assert read(path).result["best"] == 3
    assert (path / "best/metrics.json").read_text().startswith('{\n  "id": 3,')


def test_a_run_repeats_bit_for_bit_and_another_seed_draws_others(found, tmp_path):
    torch.manual_seed(7)
    random.seed(7)
    again = search(grown_recipe(), REGISTRY, out=tmp_path / "again")
    other = search(grown_recipe(seed=1), REGISTRY, out=tmp_path / "other")
    assert files_of(found) == files_of(again)
    assert descriptions(found) != descriptions(other)


def test_what_was_drawn_does_not_depend_on_how_many(found, tmp_path):
    fewer = search(grown_recipe(growth__count=2), REGISTRY, out=tmp_path / "fewer")
    kept, _, _ = files_of(fewer)
    all_kept, _, _ = files_of(found)
    jobs = {name: content for name, content in kept.items() if name.startswith("jobs/")}
    assert len(jobs) == 2
    assert jobs.items() <= all_kept.items()


def test_a_space_that_is_used_up_is_said_in_the_log(tmp_path, found):
    names = {**GROWN, "space": [f"file:{found / 'best' / 'architecture.yaml'}"]}
    path = search(grown_recipe(names=names), REGISTRY, out=tmp_path / "x")
    assert len(read(path).gallery) == 1
    log = (path / "run.log").read_text()
    assert "random begins with 1 architectures" in log
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
    search(grown_recipe(growth__count=2), REGISTRY, out=tmp_path / "x", observers=[watcher])
    assert watcher.events == [
        ("0001-train", 1, 2),
        ("0001-train", "done"),
        ("0002-train", 2, 2),
        ("0002-train", "done"),
    ]


def test_a_run_that_is_stopped_keeps_what_was_done(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(grown_recipe(), REGISTRY, out=tmp_path / "x", observers=[Watcher("0003-train")])
    record = read(tmp_path / "x")
    assert record.status == "interrupted"
    assert [entry.id for entry in record.gallery] == [1, 2, 3]
    weights = (tmp_path / "x/best/weights.safetensors").read_bytes()
    assert weights == (tmp_path / "x" / record.gallery.best.weights).read_bytes()


# Jobs that fail


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes the jobs of these numbers end on a loss that is not finite."""

    def fail(*numbers):
        def train(live, description, fit, *, job, validate):
            if job in numbers:
                raise RunFailed(f"job {job}: the loss is nan.")
            return trained(live, description, fit, job=job, validate=validate)

        monkeypatch.setattr("nascore.engine.jobs.trained", train)

    return fail


def test_a_job_that_fails_is_recorded_and_the_run_goes_on(tmp_path, failing):
    failing(3, 4)
    watcher = Watcher()
    path = search(grown_recipe(), REGISTRY, out=tmp_path / "x", observers=[watcher])
    record = read(path)
    assert record.status == "done"
    assert [entry.id for entry in record.gallery] == [1, 2]
    assert record.result["jobs"] == {"done": 2, "failed": 2}
    assert "job 0004-train failed: job 4: the loss is nan." in (path / "run.log").read_text()
    changes = (path / "changes.jsonl").read_text()
    assert changes.count('"job failed"') == 2
    assert '"job": "0003-train"' in changes
    assert '"status": "failed"' in (path / "jobs/0003-train/result.json").read_text()
    assert ("0003-train", "failed") in watcher.events


def test_a_job_that_fails_moves_no_other(tmp_path, found, failing):
    failing(1)
    path = search(grown_recipe(), REGISTRY, out=tmp_path / "x")
    name = "jobs/0004-train/weights.safetensors"
    assert (path / name).read_bytes() == (found / name).read_bytes()


def test_a_run_of_which_every_job_fails_has_failed(tmp_path):
    recipe = grown_recipe(training__lr=1e30, training__clip=0)
    with pytest.raises(RunFailed, match=r"all 4 architectures failed(.|\n)*phase train"):
        search(recipe, REGISTRY, out=tmp_path / "x")
    assert read(tmp_path / "x").status == "failed"
    assert (tmp_path / "x" / "changes.jsonl").read_text().count('"job failed"') == 4


# What is refused before there is a folder


def test_batches_must_fit_the_parts_that_are_used():
    assert planned(grown_recipe(training__batch=39, trainer__batch=1000), REGISTRY)
    with pytest.raises(RecipeError, match=r"training\.batch.*39 images"):
        planned(grown_recipe(training__batch=40), REGISTRY)


def test_too_few_images_to_hold_any_back():
    with pytest.raises(RecipeError, match="held back"):
        planned(grown_recipe(dataset__count=4, training__batch=1), REGISTRY)


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
        (lambda *_: (), "mine gave no architecture"),
        (lambda description, _: [description], "still leaves a choice"),
        (raising, "no seeds today"),
    ],
)
def test_a_policy_that_begins_with_nothing_useful_is_the_plugins_mistake(seeds, said):
    registry = policy(seeds)
    recipe = grown_recipe()
    part = evolve(recipe.part("growth"), component=registry.get("growth", "mine"), provides=frozenset())
    with pytest.raises(PluginError, match=said):
        planned(evolve(recipe, parts={**recipe.parts, "growth": (part,)}), registry)


def test_any_policy_with_seeds_is_run_as_random_is(tmp_path):
    registry = policy(lambda description, rng: Drawing(RandomSettings(count=2)).seeds(description, rng))
    recipe = grown_recipe()
    part = evolve(recipe.part("growth"), component=registry.get("growth", "mine"), provides=frozenset())
    path = search(evolve(recipe, parts={**recipe.parts, "growth": (part,)}), REGISTRY, out=tmp_path / "x")
    assert len(read(path).gallery) == 2
