"""Runs with tricks that were stopped and resumed end as runs that nobody stopped, to the last bit."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from resumed_runs import differences

from nascore.errors import RunStopped
from nascore.run import Budget, RunControl, read
from nascore.verbs.evaluate import evaluate_as_requested
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested
from nascore.verbs.resume import resume_as_requested
from nascore.verbs.search import search_as_requested

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.recipe import Request

TRICKS = {
    "batches": ("cutout", "mixup", "warm-up", "ema", "accumulate"),
    "images": ("trivial-augment", "cutmix", "cosine", "swa", "no-decay", "optimizer:lookahead_adam"),
    "norms": ("random-erasing", "one-cycle", "centralize", "dropout", "recalibrate"),
}
DATA = {"dataset.count": 64, "dataset.size": 8}


def request_of(tricks: tuple[str, ...], group: str) -> Request:
    names = {"space": "tiny", "updater": "sgd"} if group == "ranking" else {}
    settings = {**DATA, f"{group}.epochs": 2, f"{group}.batch": 16}
    if group == "ranking":
        settings |= {"trainer.epochs": 2, "trainer.batch": 8, "trainer.warm_up": 0}
    return requested(
        names={**names, "dataset": "synthetic", "trick": tricks},
        recipe=None,
        preset=None,
        scale="mini",
        settings=settings,
    )


def stopping() -> Reporter:
    return Reporter(RunControl(every=1e9, budget=Budget.of("3steps")))


def resumed(run: Path) -> int:
    """Resume a run until it is done; returns how often that took."""
    pieces = 0
    while read(run).status != "done":
        with suppress(RunStopped):
            resume_as_requested(run, reporter=stopping())
        pieces += 1
    return pieces


@pytest.mark.parametrize("tricks", TRICKS.values(), ids=list(TRICKS))
def test_a_search_and_an_evaluation_with_tricks_in_pieces_end_as_whole_ones(
    tricks: tuple[str, ...], tmp_path: Path
) -> None:
    request = request_of(tricks, "ranking")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    search_as_requested(request, out=whole)
    with pytest.raises(RunStopped):
        search_as_requested(request, out=cut, reporter=stopping())
    assert resumed(cut) >= 2
    assert differences(whole, cut) == []

    request = request_of(tricks, "training")
    evaluate_as_requested(whole, request, out=tmp_path / "evaluated" / "whole")
    with pytest.raises(RunStopped):
        evaluate_as_requested(whole, request, out=tmp_path / "again" / "cut", reporter=stopping())
    assert resumed(tmp_path / "again" / "cut") >= 2
    assert differences(tmp_path / "evaluated" / "whole", tmp_path / "again" / "cut") == []
