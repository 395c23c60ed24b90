"""Schedules."""

from __future__ import annotations

import pytest
import torch

from nascore.engine.weight_step import cosine, linear


def test_cosine_is_torchs_stepped_once_per_epoch():
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.025)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50, eta_min=0.001)
    for epoch in range(50):
        assert cosine(0.025, 0.001, epoch, 50) == pytest.approx(schedule.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        schedule.step()


def test_cosine_begins_with_the_full_rate():
    assert cosine(0.025, 0.001, 0, 50) == 0.025
    assert cosine(0.025, 0.0, 25, 50) == pytest.approx(0.0125)


def test_drop_path_rises_from_zero():
    assert linear(0.2, 0, 600) == 0
    assert linear(0.2, 300, 600) == pytest.approx(0.1)
    assert linear(0.2, 599, 600) == pytest.approx(0.2 * 599 / 600)
