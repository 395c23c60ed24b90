"""The task of a recipe in the engine: classification as before, and what a written recipe says of it."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

import nascore.builtin
from nascore.contract import DataFacts
from nascore.engine.factory import build_task
from nascore.engine.forward import Criterion
from nascore.engine.tricks import batch_tricks
from nascore.nn import Classification
from nascore.plugin import Registry
from nascore.recipe import Request, plain_origins, settled
from nascore.recipe.settling.snapshot import dump_recipe

FACTS = DataFacts(
    channels=1,
    height=8,
    width=8,
    classes=3,
    train=6,
    test=6,
    mean=(0.5,),
    std=(0.5,),
    class_names=("a", "b", "c"),
)
LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 3.0]])


def recipe(**names):
    names = {"space": ["tiny"], "updater": ["uniform"], **names}
    return settled(Request(names=names, scale="mini"), Registry.of(builtin=nascore.builtin))


@pytest.mark.parametrize("names", [{}, {"task": ["classification"]}])
def test_a_written_recipe_leaves_out_the_classification(names):
    found = recipe(**names)
    assert isinstance(build_task(found), Classification)
    assert "\ntask:" not in dump_recipe(found)
    assert "task classification" not in plain_origins(found)["parts"]


def test_the_default_criterion_is_cross_entropy():
    labels = torch.tensor([0, 1])
    for smoothing in (0.0, 0.1):
        found = Criterion(label_smoothing=smoothing, auxiliary=0.5)((LOGITS, -LOGITS), labels)
        parts = [cross_entropy(one, labels, label_smoothing=smoothing) for one in (LOGITS, -LOGITS)]
        assert torch.equal(found, parts[0] + 0.5 * parts[1])
    assert float(Criterion().score(LOGITS, labels)) == 0.5
    assert float(Criterion().score(LOGITS, torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]))) == 1.0


def test_a_prediction_has_a_label_with_probabilities():
    first, second = Classification().predictions(LOGITS, FACTS)
    assert (first["label"], second["label"]) == ("a", "c")
    assert first["probabilities"] == pytest.approx(
        dict(zip("abc", LOGITS[0].softmax(0).tolist(), strict=True))
    )


def test_faulty_classes_are_named():
    task = Classification()
    assert [*task.target_faults(torch.tensor([0, 2, 1]), FACTS)] == []
    assert [*task.target_faults(torch.tensor([0, 3]), FACTS)] == [
        "has the label 3, but labels of 3 classes are 0 to 2"
    ]
    (fault,) = task.target_faults(torch.zeros(4, 2), FACTS)
    assert "shape (4, 2) and torch.float32, not one class [N]" in fault


def test_without_tricks_batches_stay():
    assert batch_tricks((), None, FACTS) is None
