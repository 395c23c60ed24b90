"""A teacher is the best network of a finished run."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from torch.nn.functional import cross_entropy

import nascore
from nascore.api import DataFacts, RecipeError
from nascore.contract import Training, WeightSettings
from nascore_vision.tricks.networks import Distillation, distilled
from nascore_vision.tricks.settings import DistillationSettings


def test_the_teacher_is_read_and_checked(tmp_path):
    settings = {"trainer.epochs": 1, "trainer.warm_up": 0, "ranking.epochs": 1, "dataset.count": 128}
    run = nascore.search(
        space="tiny",
        dataset="synthetic",
        updater="sgd",
        scale="mini",
        settings=settings,
        out=tmp_path / "run",
    )
    trick = Distillation(DistillationSettings(teacher=run.path, weight=0.5, temperature=2.0))
    network = run.model().network
    facts = DataFacts(
        channels=3, height=16, width=16, classes=10, train=8, test=2, mean=(0.5,) * 3, std=(0.25,) * 3
    )
    more = {"network": network, "weights": dict(network.named_parameters()), "settings": WeightSettings()}
    trick.start(Training(steps=4, steps_per_epoch=2, facts=facts, **more))
    images, logits, labels = torch.rand(4, 3, 16, 16), torch.rand(4, 10), torch.arange(4)
    loss = cross_entropy(logits, labels)
    with torch.no_grad():
        teacher = run.model()(images)
    assert trick.loss(loss, logits, images, labels) == distilled(loss, logits, teacher, 0.5, 2.0)
    assert not any(weight.requires_grad for weight in trick.teacher.parameters())
    with pytest.raises(RecipeError, match="the teacher has 10 classes, the data 7"):
        trick.start(Training(steps=4, steps_per_epoch=2, facts=evolve(facts, classes=7), **more))
