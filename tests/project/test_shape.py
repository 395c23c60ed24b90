"""A file holds one subject, whole, and functions stay short enough to be read at once."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "nascore",
    "nascore_darts",
    "nascore_data",
    "nascore_petridish",
    "nascore_xnas",
    "plugins",
    "tests",
    "benchmarks",
)
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 50


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def long_functions(text: str) -> list[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    return [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shape(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE
    assert long_functions(text) == []


def test_a_long_function_is_seen() -> None:
    body = "\n".join("    x = 1" for _ in range(MOST_LINES_OF_A_FUNCTION))

    assert long_functions(f"def short():\n    pass\ndef long():\n{body}\n") == ["long: 51 lines"]


@pytest.mark.parametrize("path", sorted((ROOT / "tests").glob("*.py")), ids=lambda path: path.name)
def test_tests_of_the_core_are_collected_without_plugins(path: Path) -> None:
    """They are in its source distribution; a test that needs a plugin imports it inside."""
    assert not re.search(r"^(import|from) nascore_", path.read_text(encoding="utf-8"), re.MULTILINE)
