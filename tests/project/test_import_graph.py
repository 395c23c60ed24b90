"""No module imports itself by way of others, not for annotations either."""

from __future__ import annotations

import ast
from pathlib import Path
from runpy import run_path

ROOT = Path(__file__).parents[2]
STRUCTURE = run_path(str(ROOT / "benchmarks" / "structure.py"))


def circles(texts: dict[str, str]) -> list[list[str]]:
    trees = {name: ast.parse(text) for name, text in texts.items()}
    return list(STRUCTURE["circles"](STRUCTURE["import_graph"](trees)))


def test_there_is_no_circle() -> None:
    files = STRUCTURE["modules"](ROOT)

    assert circles({name: path.read_text(encoding="utf-8") for name, path in files.items()}) == []


def test_a_circle_of_annotations_is_seen() -> None:
    annotated = "if TYPE_CHECKING:\n    from b import B\n"

    assert circles({"a": annotated, "b": "from c import C\n", "c": "import a\n", "d": "import a\n"}) == [
        ["a", "b", "c"]
    ]
    assert circles({"a": annotated, "b": "", "d": "import a\n"}) == []


def test_an_import_of_a_package_is_one_of_the_module_that_defines_the_name() -> None:
    handed = {
        "p": "from p.one import One\nfrom p.two import Two\n",
        "p.one": "",
        "p.two": "from p import One\n",
    }

    assert circles(handed) == []
    assert circles({**handed, "p.one": "from p import Two\n"}) == [["p.one", "p.two"]]
