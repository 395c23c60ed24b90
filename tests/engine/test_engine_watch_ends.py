"""Who watches lets go of what it holds, however the run ends."""

from __future__ import annotations

import pytest
from engine_runs import REGISTRY, recipe_of

from nascore.api import Observer, RunFailed
from nascore.engine.observers import Observers
from nascore.engine.search import search
from nascore.run import read


class Holding(Observer):
    """Holds something from the start of the run to its end."""

    def __init__(self):
        self.held = []

    def run_started(self, folder, recipe):
        del folder, recipe
        self.held.append("taken")

    def run_ended(self):
        self.held.append("let go")


class Interrupting(Observer):
    def step_finished(self, report):
        del report
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("other", "settings", "error"),
    [
        (Observer(), {"trainer__lr": 1e17, "trainer__clip": 0}, RunFailed),
        (Interrupting(), {}, KeyboardInterrupt),
    ],
)
def test_an_observer_is_let_go_however_the_run_ends(tmp_path, other, settings, error):
    holding = Holding()

    with pytest.raises(error):
        search(recipe_of(**settings), REGISTRY, out=tmp_path / "x", observers=[holding, other])

    assert holding.held == ["taken", "let go"]
    assert read(tmp_path / "x").status in {"failed", "interrupted"}


def test_a_muted_observer_is_let_go_once():
    class Muted(Holding):
        def step_finished(self, report):
            raise ValueError(report)

    muted, log = Muted(), []
    watch = Observers([muted], log.append)
    watch.notify("run_started", None, None)
    for number in range(9):
        watch.notify("step_finished", number)
    watch.end()
    watch.end()

    assert muted.held == ["taken", "let go"]
    assert len(log) == 3
