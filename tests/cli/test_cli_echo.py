"""What is printed reaches no terminal as a command, whatever files, plugins and paths hold."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nascore.cli import main
from nascore.cli.output import echo, echo_over, inline, printable, table, wrapped
from nascore.files import CHECKSUMS

CLI = Path(__file__).parents[2] / "nascore" / "cli"
EVIL = "x\x1b[31my\rz\u202ea\x9bb\x07"


def cli(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def harmless(text):
    return all(one.isprintable() or one in "\n\t" for one in text)


def test_one_module_prints():
    there = [
        path.name for path in CLI.glob("*.py") if re.search(r"click\.secho|click\.echo\(", path.read_text())
    ]
    assert there == ["output.py"]


def test_lines_stay_and_the_rest_is_escaped():
    assert printable("a\tb\nc é 世界") == "a\tb\nc é 世界"
    assert printable(EVIL) == r"x\x1b[31my\x0dz\u202ea\x9bb\x07"
    assert printable(os.fsdecode(b"caf\xe9")) == r"caf\xe9"
    assert inline("a\nrow\tb") == r"a\nrow\tb"


def test_a_line_that_is_overwritten_holds_no_other_codes():
    with CliRunner().isolation(color=True) as (_, stderr, _):
        echo_over(EVIL)
        assert stderr.getvalue().decode() == "\r\x1b[K" + printable(EVIL)


def test_a_cell_is_one_line():
    assert table([("a\nforged  row", 1), ("b", 2)]).splitlines() == [
        r"a\nforged  row  1",
        "b               2",
    ]


@pytest.fixture
def runs(tiny_run, tmp_path):
    for name in ("a", "b"):
        copy = Path(shutil.copytree(tiny_run, tmp_path / "runs" / name))
        (copy / CHECKSUMS).unlink()
    return tmp_path / "runs"


def test_a_result_cannot_write_to_the_terminal(runs):
    file = runs / "a/result.json"
    result = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(
        json.dumps({**result, "status": "failed", "error": f"{EVIL}\nwarning: ok"}), encoding="utf-8"
    )
    for words in (("runs", runs), ("compare", runs / "a", runs / "b"), ("gallery", runs / "a")):
        shown = cli(*words)
        assert harmless(shown.output), words
        assert shown.exception is None or isinstance(shown.exception, SystemExit)
    file.write_text(json.dumps({**result, "kind": EVIL}), encoding="utf-8")
    assert harmless(cli("runs", runs).output)


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="file names are Unicode there")
def test_a_folder_whose_name_is_no_text_is_listed(runs):
    (runs / "b").rename(runs / os.fsdecode(b"caf\xe9"))
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    for more in ([], ["--json"]):
        words = [sys.executable, "-m", "nascore", "runs", str(runs), *more]
        done = subprocess.run(words, capture_output=True, check=False, env=env)
        assert done.returncode == 0, done.stderr
        assert rb"caf\xe9" in done.stdout or rb"caf\udce9" in done.stdout


def test_a_plugin_cannot_write_to_the_terminal(tmp_path):
    plugin = tmp_path / "evil.py"
    plugin.write_text(
        "from nascore.api import Component, NoSettings, hookimpl\n"
        "@hookimpl\n"
        "def nascore_updaters():\n"
        f"    return [Component(name='evil', summary={EVIL + chr(10) + 'row  ready'!r}, build='evil:X')]\n",
        encoding="utf-8",
    )
    for words in (("list", "--with", plugin), ("show", "evil", "--with", plugin), ("check-plugin", plugin)):
        assert harmless(cli(*words).output)


@pytest.mark.skipif(os.name == "nt", reason="a shell closes no stream there")
@pytest.mark.parametrize("stream", [">&-", "2>&-"])
def test_a_closed_stream_is_no_mistake_of_nascore(stream):
    line = f"{shlex.quote(sys.executable)} -m nascore list {stream}"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, "unexpected" in done.stderr) == (0, False)


@pytest.mark.parametrize("point", [("nan", "1"), ("1", "inf"), ("0", "1")])
def test_a_reference_that_is_no_number(runs, point):
    shown = cli("gallery", runs / "a", "--reference", *point)
    assert shown.exit_code == 2
    assert "unexpected" not in shown.stderr


def in_terminal_of(monkeypatch, across):
    monkeypatch.setenv("COLUMNS", str(across))
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)


@pytest.mark.parametrize("across", [40, 60, 80, 100])
def test_words_are_broken_nowhere(across, monkeypatch, capsys):
    in_terminal_of(monkeypatch, across)
    text = "  trainer: set estimate=unrolled or " + "so-many words " * 20 + "\n\nshort\n"

    echo(wrapped(text))
    echo(text, err=True)

    out, err = capsys.readouterr()
    assert out == err
    assert out.split() == text.split()
    assert max(map(len, out.splitlines())) <= across
    assert out.splitlines()[1].startswith("      ")


@pytest.mark.parametrize(
    "command",
    [
        "--set trainer.epochs=5",
        "nascore search --recipe RUN/recipe.yaml",
        "nascore compare 'runs/a b' --json",
        "nascore evaluate runs/x",
    ],
)
def test_a_command_in_a_sentence_stays_in_one_line(command, monkeypatch):
    in_terminal_of(monkeypatch, 60)
    for more in range(0, 60, 3):
        assert command in wrapped(f"{'a ' * more}Write {command} and no more words than those.")


def test_a_line_that_is_a_command_is_left_whole(monkeypatch):
    in_terminal_of(monkeypatch, 60)
    line = "    nascore search " + "--set trainer.epochs=5 " * 5

    assert wrapped(line) == line
