"""Whatever a caller has set in torch around nascore, a run is the same, and finds it put back."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import pytest
import torch
from torch_states import STATES, precise, state_of_torch

import nascore
from nascore.engine.device import ambient, computing, torch_state_changes
from nascore.recipe import Request
from nascore.verbs.draw import draw
from nascore.verbs.dry_run import check

SETTINGS = {
    "dataset.count": 96,
    "trainer.epochs": 2,
    "trainer.batch": 16,
    "trainer.warm_up": 0,
    "ranking.epochs": 1,
    "ranking.batch": 16,
    "ranking.drop_path": 0.2,
}


def weights_of(run):
    return (run.path / "best" / "weights.safetensors").read_bytes()


def searched(out, **more):
    return nascore.search(
        space="tiny",
        updater="sgd",
        dataset="planted",
        scale="mini",
        seed=1,
        settings={**SETTINGS, **more},
        out=out,
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return weights_of(searched(tmp_path_factory.mktemp("alone") / "run"))


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", STATES)
def test_a_search_is_the_same_whatever_is_set_around_it(name, alone, tmp_path):
    with STATES[name]():
        before = state_of_torch()
        found = searched(tmp_path / "run")
        assert state_of_torch() == before
    assert weights_of(found) == alone


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", STATES)
def test_the_guard_gives_what_a_run_needs_and_puts_all_of_it_back_after_an_error(name):
    inside = {}

    def failing():
        with computing(1):
            inside.update(state_of_torch(), torch_state_changes=torch_state_changes())
            raise KeyError

    with STATES[name]():
        before = state_of_torch()
        with pytest.raises(KeyError):
            failing()
        assert state_of_torch() == before
    with computing(1):
        assert inside == {**state_of_torch(), "torch_state_changes": []}
    assert inside["threads"] == 1
    assert torch.zeros(1).device.type == "cpu"


@pytest.mark.parametrize("name", ["inference_mode", "float64", "default device"])
def test_the_other_verbs_are_the_same_too(name, tmp_path):
    few = {"training.epochs": 1, "dataset.count": 32, "training.batch": 8}

    def seen(folder):
        evaluated = nascore.evaluate(
            found.best, dataset="planted", scale="mini", settings=few, out=folder / "evaluated"
        )
        counted = draw(found.best, image=(8, 8)).counted
        nascore.search_several(
            space="tiny",
            scale="mini",
            updater=["uniform", "sgd"],
            dataset="planted",
            settings={**SETTINGS, "dataset.count": 32, "trainer.batch": 8, "ranking.batch": 8},
            out=folder / "several",
        )
        found_by = [weights_of(nascore.load_run(run)) for run in sorted(folder.glob("several/jobs/*"))]
        return weights_of(evaluated), counted, found_by

    found = searched(tmp_path / "run", **{"trainer.epochs": 1})
    with STATES[name]():
        there = seen(tmp_path / "there")
    assert seen(tmp_path / "here") == there


def test_the_flags_of_the_process_stay_until_the_last_is_through():
    inside, go_on = threading.Event(), threading.Event()

    def counting():
        with ambient():
            inside.set()
            go_on.wait(5)

    with precise(torch.float64):
        thread = threading.Thread(target=counting)
        thread.start()
        assert inside.wait(5)
        with computing(1):
            go_on.set()
            thread.join()
            assert torch.get_default_dtype() == torch.float32
        assert torch.get_default_dtype() == torch.float64


def test_one_computes_at_a_time_and_the_same_thread_may_begin_again():
    order = []

    def second():
        with computing(1):
            order.append("second")

    with computing(1):
        thread = threading.Thread(target=second)
        thread.start()
        with computing(1):
            thread.join(0.1)
            order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (torch.no_grad, "switched gradients off"),
        (torch.inference_mode, "switched inference mode on"),
        (lambda: torch.autocast("cpu"), "switched autocast on for cpu"),
        (lambda: precise(torch.float64), "made torch.float64 the default type"),
        (lambda: torch.device("meta"), "made meta the default device"),
        (nullcontext, None),
    ],
)
def test_what_is_switched_inside_is_seen(change, said):
    with ambient(), change():
        assert (said in torch_state_changes()) == (said is not None)
        assert bool(torch_state_changes()) == (said is not None)


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("name", ["inference_mode", "float64", "default device"])
def test_what_a_search_will_hand_over_is_known_there_too(name):
    cost = {"regularizer.cost.target": 100}
    request = Request(scale="mini", names={"space": ["tiny"], "regularizer": ["cost"]}, settings=cost)
    here = check(request)
    assert here.recipe.warned
    with STATES[name]():
        there = check(request)
    assert there.trained == here.trained
    assert there.recipe.warned == here.recipe.warned
