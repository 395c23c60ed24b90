"""What shells complete."""

from __future__ import annotations

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from nascore.cli import main
from nascore.cli.completion import LINES


@pytest.mark.parametrize("shell", LINES)
def test_completion_prints_one_line_to_add(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])

    assert result.exit_code == 0
    assert result.stdout == LINES[shell] + "\n"
    assert f"nascore completion {shell} >> " in result.stderr


def completed(*words: str) -> list[str]:
    """Return what a shell would offer for the last word."""
    complete = BashComplete(main, {}, "nascore", "_NASCORE_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sea"], ["search"]),
        (["search", "--upd"], ["--updater"]),
        (["search", "--updater", "da"], ["darts", "data"]),
        (["search", "--space", "ti"], ["tiny"]),
        (["search", "--observer", ""], ["terminal"]),
        (["evaluate", "x", "--dataset", "dig"], ["digits"]),
        (["search", "--preset", "darts"], ["darts-cifar10"]),
        (["show", "sep_conv_3"], ["sep_conv_3x3"]),
        (["show", "ru"], ["run"]),
        (["list", "not"], ["notation"]),
        (["list", "cap"], ["capability"]),
        (["completion", "z"], ["zsh"]),
    ],
)
def test_what_a_shell_completes(words: list[str], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_completion_says_nothing_where_plugins_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("half installed")

    monkeypatch.setattr("nascore.cli.completion.discover", broken)

    assert completed("search", "--updater", "") == []
