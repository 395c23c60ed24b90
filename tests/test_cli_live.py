"""What is shown while a run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from nascore.cli.live import LiveView, PlainView, figures, span, watching
from nascore.contract import EpochReport, Observer, StepReport
from nascore.description import load

CLOSED = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, op: sep_conv_5x5}
    head: {from: -1, op: classifier, width: classes}
"""

REPORT = EpochReport(
    phase="search",
    epoch=1,
    epochs=4,
    step=20,
    loss=1.25,
    accuracy=0.5,
    architecture_loss=1.5,
    validation_accuracy=0.625,
    validation_count=718,
    lr=0.05,
    entropy={"normal": 2.0, "reduce": 1.0},
    seconds=3.0,
)


def shown(view: LiveView) -> str:
    console = Console(width=100, force_terminal=True, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


def started(view: Observer) -> Observer:
    view.run_started(Path("runs/one"), None)  # type: ignore[arg-type]
    view.phase_started("search", steps=40, steps_per_epoch=10)
    return view


def test_figures_of_an_epoch() -> None:
    assert figures(REPORT).split(", ") == [
        "search 2/4: loss 1.250",
        "accuracy 50.0%",
        "architecture loss 1.500",
        "validation 62.5% of 718",
        "entropy 1.50",
    ]


def test_the_live_view_shows_where_a_run_is() -> None:
    view = LiveView()
    started(view)
    view.step_finished(StepReport(step=19, loss=1.125, accuracy=0.5))
    view.epoch_finished(REPORT)
    view.architecture_changed(load(CLOSED))

    text = shown(view)

    assert "run: runs/one" in text
    assert "20/40" in text
    assert "step 20: loss 1.125, accuracy 50.0%" in text
    assert "validation 62.5% of 718" in text
    assert "sep_conv_5x5" in text


def test_the_live_view_forgets_a_job_that_is_done() -> None:
    view = LiveView()
    started(view)
    view.architecture_changed(load(CLOSED))
    view.job_finished("0001-search", {})
    view.phase_started("train", steps=7, steps_per_epoch=7)

    text = shown(view)

    assert "sep_conv_5x5" not in text
    assert "0/7" in text
    assert "search" not in text


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView()
    started(view)
    view.epoch_finished(REPORT)

    caught = capsys.readouterr()

    assert caught.out == ""
    run, phase, epoch = caught.err.splitlines()
    assert run == "run: runs/one"
    assert phase == "search: 40 steps, 10 an epoch"
    assert epoch.startswith(figures(REPORT))
    assert epoch.endswith("0 s left")


def test_no_terminal_no_live_view() -> None:
    with watching() as view:
        assert isinstance(view, PlainView)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")]
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text
