"""What is shown while a run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner
from rich.console import Console
from tiny import CLOSED

import nascore
from nascore.builtin.components import TerminalSettings
from nascore.builtin.terminal import (
    EPOCHS_SEEN,
    WARMING_UP,
    Clock,
    LiveView,
    PlainView,
    figures,
    span,
    terminal,
)
from nascore.cli import main
from nascore.contract import EpochReport, Observer, StepReport
from nascore.description import load

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


def shown(view: LiveView, width: int = 100, height: int = 40) -> str:
    console = Console(
        width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False
    )
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
        "validation 62.5% (718 images)",
        "entropy 1.50",
    ]


def test_the_live_view_shows_where_a_run_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    view = LiveView()
    started(view)
    view.step_finished(StepReport(step=19, loss=1.125, accuracy=0.5))
    view.epoch_finished(REPORT)
    view.architecture_changed(load(CLOSED))

    text = shown(view)

    assert "run: runs/one" in text
    assert "20/40" in text
    assert "step 20: loss 1.125, accuracy 50.0%" in text
    view.run_ended()
    assert "validation 62.5% (718 images)" in capsys.readouterr().err  # stays above the bar
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
    assert epoch.endswith("0 s gone, 0 s left")


def test_the_time_left_is_that_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("nascore.builtin.terminal.monotonic", lambda: now[0])
    clock = Clock()
    clock.job(1, 3)
    clock.phase(10)
    now[0] = 5.0
    assert clock.summary(5) == "5 s gone, about 25 s left"
    now[0] = 20.0
    clock.job_done()
    clock.job(2, 3)
    clock.phase(10)
    now[0] = 24.0
    assert clock.summary(5) == "24 s gone, about 24 s left"
    clock.job(4, 0)
    clock.phase(10)
    now[0] = 30.0
    assert clock.summary(5) == "30 s gone, 6 s left in this job"


def test_the_live_view_says_that_it_warms_up() -> None:
    view = LiveView()
    started(view)
    assert WARMING_UP not in shown(view)
    warm_up = evolve(REPORT, architecture_loss=None)
    view.epoch_finished(warm_up)
    assert WARMING_UP in shown(view)
    view.architecture_changed(load(CLOSED))
    assert WARMING_UP not in shown(view)


@pytest.mark.parametrize("later", ["learned", "phase"])
def test_the_warm_up_ends_where_nothing_is_drawn(later: str) -> None:
    view = LiveView()
    started(view)
    view.epoch_finished(evolve(REPORT, architecture_loss=None))
    if later == "learned":
        view.epoch_finished(REPORT)
    else:
        view.phase_started("train", steps=7, steps_per_epoch=7)
    assert WARMING_UP not in shown(view)


@pytest.mark.parametrize("across", [60, 80, 100])
def test_the_live_view_is_whole_and_leaves_lines_to_the_epochs(across: int) -> None:
    view = LiveView()
    started(view)
    view.job_started("0003-search", 3, 5)
    view.phase_started("search", steps=12500, steps_per_epoch=100)
    view.step_finished(StepReport(step=3100, loss=1.125, accuracy=0.5))
    view._cell = "\n\n".join(f"cell {name}\n" + "  n0 = a(b)\n" * 6 for name in ("normal", "reduce"))

    lines = shown(view, across, height=24).rstrip().splitlines()

    assert "3101/12500" in lines[0]
    assert "…" not in "".join(lines)
    assert len(lines) <= 24 - EPOCHS_SEEN
    assert "cell normal" in lines
    assert "cell reduce" not in lines
    assert lines[-1] == "..."
    assert "cell reduce" in shown(view, across, height=40)


def test_an_epoch_above_the_bar_breaks_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    view = LiveView()
    started(view)
    view.epoch_finished(REPORT)
    view.run_ended()

    text = capsys.readouterr().err
    assert all(word in text.split() for word in figures(REPORT).split())
    assert max(map(len, text.splitlines())) <= 60


def test_no_terminal_no_live_view() -> None:
    assert isinstance(terminal(TerminalSettings()), PlainView)


@pytest.mark.parametrize(("form", "kind"), [("live", LiveView), ("lines", PlainView)])
def test_the_form_can_be_named(form: str, kind: type) -> None:
    assert isinstance(terminal(TerminalSettings(form=form)), kind)


def test_colour_that_is_asked_for_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert isinstance(terminal(TerminalSettings()), PlainView)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")]
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


WORDS = ["--space", "tiny", "--updater", "uniform", "--dataset", "synthetic", "--scale", "mini"]
SMALL = {
    "dataset.count": 64,
    "dataset.size": 8,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "ranking.channels": 2,
    "ranking.epochs": 1,
}


def searched(out: Path, *more: str) -> nascore.Run:
    sets = [word for path, value in SMALL.items() for word in ("--set", f"{path}={value}")]
    result = CliRunner().invoke(main, ["search", *WORDS, *sets, *more, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert ("search: " in result.stderr) is ("none" not in more)
    return nascore.load_run(out)


def test_the_terminal_is_shown_by_default_and_decides_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = searched(tmp_path / "shown")
    unseen = searched(tmp_path / "unseen", "--observer", "none")
    named = dict(zip(("space", "updater", "dataset", "scale"), WORDS[1::2], strict=True))
    python = nascore.search(**named, settings=SMALL, out=tmp_path / "python")  # type: ignore[arg-type]

    assert capsys.readouterr().err == ""
    assert shown.recipe == unseen.recipe == python.recipe
    assert shown.best == unseen.best == python.best
    weights = [run.path / "best" / "weights.safetensors" for run in (shown, unseen, python)]
    assert len({file.read_bytes() for file in weights}) == 1
    assert shown.result["observers"] == {"terminal": {"failures": 0, "muted": False}}
    assert unseen.result["observers"] == python.result["observers"] == {}

    nascore.evaluate(
        python,
        observer=["terminal"],
        settings={"training.channels": 2, "training.epochs": 1, "observer.terminal.form": "lines"},
        out=tmp_path / "e",
    )
    assert "train 1/1: loss" in capsys.readouterr().err
    assert "observer:\n  terminal:\n    form: lines\n" in (tmp_path / "e" / "recipe.yaml").read_text()
