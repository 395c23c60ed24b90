"""A search and an evaluation, from the recipe to the folder."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from attrs import evolve
from engine_runs import NAMES, REGISTRY, recipe_of
from safetensors.torch import load_file

from nascore.contract import Observer
from nascore.description import load
from nascore.engine.build import build_search
from nascore.engine.derive import picks_of
from nascore.engine.phase_factory import assert_disjoint, search_phase
from nascore.engine.search import search
from nascore.errors import PluginError, RecipeError, RunFailed
from nascore.nn import compile as compiled
from nascore.run import read


def contents(path):
    """Return the files that must be equal in a repeated run; times are left out."""
    best = {file.name: file.read_bytes() for file in sorted((path / "best").iterdir())}
    metrics = [{**line, "seconds": None} for line in read(path).metrics()]
    return best, metrics, (path / "gallery.json").read_text()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return search(recipe_of(), REGISTRY, out=tmp_path_factory.mktemp("search"))


def test_a_search_leaves_the_files_of_a_run(found):
    names = {str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()}
    assert names >= {
        "recipe.yaml",
        "environment.json",
        "metrics.jsonl",
        "gallery.json",
        "result.json",
        "architectures/0001.yaml",
        "best/architecture.yaml",
        "best/weights.safetensors",
        "best/metrics.json",
        "best/model.py",
        "jobs/0001-search/job.yaml",
        "jobs/0001-search/result.json",
        "jobs/0001-search/weights.safetensors",
        "jobs/0002-train/job.yaml",
        "jobs/0002-train/result.json",
    }
    assert max(found.rglob("*"), key=lambda path: path.stat().st_mtime_ns).name in {"result.json", found.name}


def test_the_result_holds_a_validation_accuracy_with_its_count(found):
    record = read(found)
    entry = record.gallery.best
    assert record.status == "done"
    assert record.result["validation_count"] == entry.count == 24
    assert record.result["validation_accuracy"] == pytest.approx(1 - entry.error)
    assert entry.costs["params"] == record.result["params"] > 0
    # The updater of these runs learns nothing.
    assert entry.guided is record.result["validation_guided"] is False
    assert [line["phase"] for line in record.metrics()] == ["search", "search", "train", "train"]
    assert record.metrics()[-1]["validation_accuracy"] == pytest.approx(entry.accuracy)


def test_the_best_architecture_has_the_weights_that_were_trained(found):
    description = load((found / "best" / "architecture.yaml").read_text())
    assert not description.is_open
    assert (description.channels, description.affine) == (4, True)
    network = compiled(description, REGISTRY.operations())
    network.load_state_dict(load_file(found / "best" / "weights.safetensors"))


def test_the_program_gives_what_the_network_gives_without_nascore(found, tmp_path):
    description = load((found / "best" / "architecture.yaml").read_text())
    network = compiled(description, REGISTRY.operations())
    network.load_state_dict(load_file(found / "best" / "weights.safetensors"))
    images = torch.rand(3, 3, 8, 8)
    torch.save(images, tmp_path / "images.pt")
    code = (
        "import sys; sys.modules['nascore'] = None\n"
        f"sys.path.insert(0, {str(found / 'best')!r})\n"
        "import torch, model\n"
        f"network = model.load({str(found / 'best' / 'weights.safetensors')!r})\n"
        f"images = torch.load({str(tmp_path / 'images.pt')!r}, weights_only=True)\n"
        f"torch.save(network.eval()(images).detach(), {str(tmp_path / 'logits.pt')!r})\n"
    )
    subprocess.run([sys.executable, "-B", "-c", code], check=True)
    assert torch.equal(torch.load(tmp_path / "logits.pt"), network.eval()(images))


@pytest.mark.parametrize("estimate", ["first", "unrolled", "single-level"])
def test_a_search_repeats_bit_for_bit_whatever_the_global_generator(tmp_path, estimate):
    made = []
    for number in range(2):
        torch.manual_seed(number)
        recipe = recipe_of(trainer__estimate=estimate)
        made.append(contents(search(recipe, REGISTRY, out=tmp_path / str(number))))
    assert made[0] == made[1]


def test_another_seed_gives_other_weights(found, tmp_path):
    other = search(recipe_of(seed=1), REGISTRY, out=tmp_path / "other")
    names = ("best", "weights.safetensors")
    assert found.joinpath(*names).read_bytes() != other.joinpath(*names).read_bytes()


def test_the_supernet_is_validated_only_on_what_its_weights_have_not_seen(tmp_path, found):
    joint = search(recipe_of(trainer__estimate="single-level"), REGISTRY, out=tmp_path / "joint")
    assert read(found).metrics()[0]["validation_count"] == 24
    assert read(joint).metrics()[0]["validation_count"] is None
    assert read(joint).metrics()[0]["step"] == 2 * read(found).metrics()[0]["step"]


class Watcher(Observer):
    def __init__(self):
        self.events = []

    def run_started(self, folder, recipe):
        del recipe
        self.events.append(("run", folder.is_dir()))

    def architecture_changed(self, description):
        self.events.append(("changed", description.is_open))

    def job_finished(self, name, result):
        del result
        self.events.append(("job", name))

    def run_finished(self, folder, result):
        self.events.append((result["status"], (folder / "result.json").is_file()))


def test_observers_see_the_run(tmp_path):
    watcher = Watcher()
    search(recipe_of(), REGISTRY, out=tmp_path / "x", observers=[watcher])
    assert watcher.events == [
        ("run", True),
        ("changed", False),
        ("changed", False),
        ("job", "0001-search"),
        ("job", "0002-train"),
        ("done", True),
    ]


def test_a_run_that_fails_says_so_in_its_result(tmp_path):
    recipe = recipe_of(trainer__lr=1e17, trainer__clip=0)
    with pytest.raises(RunFailed, match="phase search, step"):
        search(recipe, REGISTRY, out=tmp_path / "x")
    record = read(tmp_path / "x")
    assert record.status == "failed"
    assert "phase search" in record.result["error"]
    assert "phase search" in (tmp_path / "x" / "run.log").read_text()


def test_an_operation_that_cannot_be_written_out_costs_no_run(tmp_path, monkeypatch):
    def refused(network, images, **more):
        del network, images, more
        raise PluginError("it branches on values")

    monkeypatch.setattr("nascore.engine.results.standalone", refused)
    path = search(recipe_of(), REGISTRY, out=tmp_path / "x")
    assert read(path).status == "done"
    assert not (path / "best" / "model.py").exists()
    assert "best/model.py is not written: it branches on values" in (path / "run.log").read_text()


def test_a_batch_that_is_too_large_is_told_by_its_path(tmp_path):
    with pytest.raises(RecipeError, match=r"trainer\.batch"):
        search(recipe_of(trainer__batch=25), REGISTRY, out=tmp_path / "x")


def test_a_space_without_choices_is_refused_before_there_is_a_folder(tmp_path, found):
    names = {**NAMES, "space": [f"file:{found / 'best' / 'architecture.yaml'}"]}
    with pytest.raises(RecipeError, match="nothing to choose"):
        search(recipe_of(names=names), REGISTRY, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_net_parameters_and_theta_are_apart(tmp_path):
    live, parts = build_search(recipe_of(), REGISTRY, out=tmp_path / "x", observers=())
    phase = search_phase(live, parts, live.streams(1))
    theta = phase.search.state.theta["cell"]
    assert_disjoint(phase.network, phase.search.state)
    phase.network.register_parameter("leaked", torch.nn.Parameter(theta.detach()))
    with pytest.raises(AssertionError):
        assert_disjoint(phase.network, phase.search.state)


def test_what_a_relaxation_selects_stands_without_what_is_never_kept(tmp_path):
    live, parts = build_search(recipe_of(), REGISTRY, out=tmp_path / "x", observers=())
    phase = search_phase(live, parts, live.streams(1))

    class Selecting:
        def picks(self, theta, segments, group):
            del theta, group
            return [pick for pick in [(0, 1), (0, 0), (1, 3)] if segments[pick] >= 0]

    never = [str(op) for op in parts.description.groups["cell"].ops].index("none")
    picks = picks_of(
        parts.description, evolve(phase.search, relaxation=Selecting(), declared=frozenset({"selects"}))
    )
    assert never == 0
    assert picks == {"cell": [(0, 1), (1, 3)]}


def test_a_search_does_not_open_the_test_split(found):
    assert not (found / "changes.jsonl").exists()
