"""Every mistake gets one clear answer.

Each row is run in an empty folder that holds the files of its row only. None may show a traceback, and none
may leave anything behind.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from edge_rows import DONE, ROWS

from nascore.cli import main


def test_there_are_enough_rows():
    assert len(ROWS) >= 60


def needs_darts(case):
    """Where no space is named, a search takes that of DARTS; its plugin reads genotypes."""
    texts = (case.typed, *case.said, *case.files.values())
    by_default = case.typed.startswith("search") and "--space" not in case.typed
    return by_default or any(word in text.lower() for text in texts for word in ("darts", "genotype"))


def param(number, case):
    marks = [pytest.mark.needs("nascore-darts")] if needs_darts(case) else []
    return pytest.param(case, id=f"{number}: {case.typed}", marks=marks)


@pytest.mark.parametrize("case", [param(number, case) for number, case in enumerate(ROWS)])
def test_a_mistake_gets_a_clear_answer(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name, text in case.files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = kept(tmp_path)
    result = CliRunner().invoke(main, case.typed.split(), env={"NASCORE_RUNS": None})
    told = result.output if case.code == DONE else result.stderr
    assert result.exit_code == case.code, told
    missing = [words for words in case.said if words not in told]
    assert not missing, told
    assert "Traceback" not in result.output
    assert kept(tmp_path) == before, "something was left on the disk"


def kept(folder):
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}
