"""Whatever a caller has set in torch, the networks of a run are ordinary ones and their answers are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from test_run_model import module_of
from torch_states import STATES, state_of_torch

import nascore
from nascore.builtin.datasets import Digits
from nascore.config import NoSettings

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import nn


def images() -> np.ndarray:
    return Digits(NoSettings()).test().images[:16].numpy()


def refuse_unless_ordinary(model: nn.Module) -> None:
    kept = [*model.parameters(), *model.buffers()]
    assert len(kept) > 4
    assert {one.dtype for one in kept} <= {torch.float32, torch.int64}
    assert {one.device.type for one in kept} == {"cpu"}
    assert not any(one.is_inference() for one in kept)
    assert all(one.requires_grad for one in model.parameters())
    assert not model.training


def trained(model: nn.Module, seen: torch.Tensor) -> None:
    """Take a step, as whoever goes on with the network would."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.train()(seen).square().mean().backward()
    optimizer.step()


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", STATES)
def test_a_network_of_a_run_is_an_ordinary_one(name: str, tiny_run: Path) -> None:
    given = images()
    alone = nascore.load_run(tiny_run).predict(given)
    with STATES[name]():
        before = state_of_torch()
        run = nascore.load_run(tiny_run)
        model, told = run.model(), run.predict(given)
        assert model.preprocess is not None
        seen = model.preprocess(given)
        assert state_of_torch() == before
    assert torch.equal(told.logits, alone.logits)
    assert not told.logits.is_inference()
    assert (seen.dtype, seen.device.type) == (torch.float32, "cpu")
    refuse_unless_ordinary(model)
    trained(model, seen.clone())


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", STATES)
def test_so_is_that_of_its_program(name: str, tiny_run: Path) -> None:
    given = images()
    expected = nascore.load_run(tiny_run).predict(given).logits
    with STATES[name]():
        before = state_of_torch()
        program = module_of("program", tiny_run)
        model, seen = program.load(), program.preprocess(given)
        assert state_of_torch() == before
    refuse_unless_ordinary(model)
    with torch.no_grad():
        assert torch.allclose(model(seen), expected, atol=1e-5)
    trained(model, seen.clone())


@pytest.mark.parametrize("name", ["no_grad", "inference_mode", "float64", "float16", "default device"])
def test_it_answers_there_too(name: str, tiny_run: Path) -> None:
    given = images()
    run = nascore.load_run(tiny_run)
    program = module_of("program", tiny_run)
    with STATES[name]():
        for model in (run.model(), program.load()):
            logits = model((program if model.__module__ == "program" else model).preprocess(given))
            assert logits.dtype == torch.float32
            assert torch.allclose(logits, run.predict(given).logits, atol=1e-5)
