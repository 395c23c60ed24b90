"""What is seen in a terminal of 60 columns: a real one, whose other end the test reads."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from comparison_runs import many

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

if sys.platform == "win32":
    pytest.skip("needs a terminal as POSIX has them", allow_module_level=True)

import fcntl
import pty
import struct
import termios

COLUMNS = 60
COLOUR = re.compile(r"\x1b\[[\d;]*?(?:3[0-8]|4[0-8]|9[0-7])(?:;[\d;]*)?m")
HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"


def in_terminal(
    words: Sequence[str],
    *,
    seen: Callable[[str, subprocess.Popen[bytes]], None] = lambda _text, _process: None,
    stdout: int | None = None,
    **variables: str,
) -> tuple[int, str]:
    """Run nascore in a terminal; return its exit code and what the terminal got.

    Args:
        words: The command line.
        seen: Called with all that was read so far, whenever something was.
        stdout: Where stdout goes instead of the terminal.
        variables: Environment variables.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    with subprocess.Popen(
        [sys.executable, "-m", "nascore", *words],
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **variables},
    ) as process:
        os.close(theirs)
        text = ""
        try:
            # On Linux reading fails once the last program has let the terminal go; elsewhere it ends.
            while block := os.read(ours, 4096):
                text += block.decode(errors="replace")
                seen(text, process)
        except OSError:
            pass
    os.close(ours)
    return process.returncode, text.replace("\r\n", "\n")


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("words", [["list"], ["show", "darts"], ["plugins", "list"], []])
def test_60_columns(words: list[str]) -> None:
    code, text = in_terminal(words)

    assert code == 0
    assert "\x1b" not in text
    if words == ["list"]:
        table = text.split("To list one kind")[0]
        assert max(map(len, table.splitlines())) <= COLUMNS
        assert "    Two cells of four nodes with eight operations; two edges" in table


BUILTIN = ("--only", "builtin", "--space", "tiny", "--by", "regularizer")
RUNS = [f"field/{updater}-{seed}" for updater in ("darts", "xnas") for seed in (0, 1)]


@pytest.mark.parametrize(
    ("words", "head"),
    [
        (["compare", *RUNS], "UPDATER "),
        (["runs", "field"], "RUN "),
        (["matrix", *BUILTIN, "--set", "trainer.estimate=first"], "SLOT "),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_wide_tables_fit_into_60_columns(
    words: list[str], head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    many(Path("field"), darts=(0.9, 0.8), xnas=(0.7, 0.9))

    code, text = in_terminal(words)

    assert code == 0, text
    lines = [line for line in text.splitlines() if not line.startswith(("warning: ", "\x1b"))]
    assert max(map(len, lines)) <= COLUMNS, text
    assert sum(line.startswith(head) for line in lines) >= (1 if head == "RUN " else 2), text


def interrupting() -> Callable[[str, subprocess.Popen[bytes]], None]:
    """Return what presses Ctrl-C, once, when the run is under way."""
    pressed = []

    def seen(text: str, process: subprocess.Popen[bytes]) -> None:
        if "step 2" in text and not pressed:
            pressed.append(True)
            process.send_signal(signal.SIGINT)

    return seen


@pytest.mark.parametrize("plain", [False, True])
def test_an_interrupted_run_gives_the_terminal_back(*, plain: bool, tmp_path: Path) -> None:
    words = ["search", "--space", "tiny", "--updater", "uniform", "--set", "trainer.epochs=500"]
    variables = {"NO_COLOR": "1"} if plain else {}

    code, text = in_terminal([*words, "--out", str(tmp_path / "x")], seen=interrupting(), **variables)

    assert code == 130, text
    assert HIDDEN in text
    assert text.rindex(SHOWN) > text.rindex(HIDDEN)
    assert (COLOUR.search(text) is None) is plain
    assert "interrupted" in text.rsplit(SHOWN, maxsplit=1)[1]
    result = json.loads((tmp_path / "x" / "result.json").read_text())
    assert result["status"] == "interrupted"
    assert result["observers"] == {"terminal": {"failures": 0, "muted": False}}
