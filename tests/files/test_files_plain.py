"""Only plain files of bounded size are opened, wherever a user names one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from nascore.cli import main
from nascore.config import parse_document
from nascore.files import read_bytes, read_text
from nascore.files.plain import MOST_OF_A_DOCUMENT

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cli(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert isinstance(result.exception, SystemExit), result.exception
    assert "unexpected" not in result.output
    return result


def test_a_text_has_line_ends_of_one_character():
    Path("a").write_bytes("é\r\nb\rc\n".encode())
    assert read_text(Path("a")) == "é\nb\nc\n"


def test_what_is_too_large_is_not_read():
    Path("a").write_bytes(b"12345")
    assert read_bytes(Path("a"), most=5) == b"12345"
    with pytest.raises(OSError, match="the limit is 4"):
        read_bytes(Path("a"), most=4)


@needs_pipes
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_plain_file_is_not_opened(make):
    make("a")
    with pytest.raises(OSError, match=r"named pipe|directory"):
        read_bytes(Path("a"))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices")
def test_a_device_is_not_opened():
    with pytest.raises(OSError, match="a device, not a plain file"):
        read_bytes(Path("/dev/zero"))


@needs_pipes
@pytest.mark.parametrize(
    "words",
    [
        ("check", "pipe.yaml"),
        ("check", "including.yaml"),
        ("check", "space.yaml"),
        ("search", "--recipe", "pipe.yaml"),
        ("search", "--space", "file:pipe.yaml"),
        ("search", "--with", "pipe.yaml", "--dry-run"),
        ("draw", "pipe.yaml"),
        ("export", "pipe.yaml", "--to", "genotype"),
        ("evaluate", "pipe.yaml"),
    ],
    ids=" ".join,
)
def test_a_pipe_in_the_place_of_a_file_hangs_nothing(words):
    os.mkfifo("pipe.yaml")
    Path("including.yaml").write_text("nascore: 1\ninclude: pipe.yaml\n", encoding="utf-8")
    Path("space.yaml").write_text("nascore: 1\nspace: {name: file, path: pipe.yaml}\n", encoding="utf-8")
    result = cli(*words)
    assert result.exit_code in {3, 4}
    assert "Did you mean" not in result.stderr


def test_a_recipe_of_many_megabytes_is_refused_at_once():
    Path("a.yaml").write_text("nascore: 1\n" + "#" * MOST_OF_A_DOCUMENT, encoding="utf-8")
    assert "the limit is 1,000,000" in cli("check", "a.yaml").stderr


def test_aliases_are_not_expanded_before_they_are_refused():
    """Nine levels of nine stand for 387 million values, in ten lines."""
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    document = parse_document("\n".join(rows), where="laughs.yaml")
    assert document.root is None
    [problem] = document.problems
    assert "anchors (&) are not allowed" in problem.text
    assert str(problem.origin) == "laughs.yaml:1:5"
