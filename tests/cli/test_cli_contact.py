"""First contact: nothing typed, versions, lists, a narrow terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from command_line import cli, done

import nascore.builtin
from nascore.capability import BY_SLOT, CAPABILITIES
from nascore.cli import output
from nascore.cli.app import VERBS
from nascore.cli.output import INDENT, table
from nascore.plugin import Plugin, Registry
from nascore.slots import SLOTS
from nascore.verbs.listing import KINDS, items

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def core_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be installed but the core, and a plugin that is broken."""
    broken = Plugin(name="half", value="half", status="broken", reason="it broke")
    alone = Registry([*Registry.of(SLOTS, builtin=nascore.builtin).plugins, broken])
    for place in ("cli.welcome", "verbs.resolution"):
        monkeypatch.setattr(f"nascore.{place}.discover", lambda _files=(): alone)


@pytest.mark.needs("nascore-darts")
def test_nothing_typed_is_a_welcome() -> None:
    said = done()

    assert said.startswith("nascore 0.1.0: neural architecture search")
    assert "updater: darts, " in said
    tries = said.split("try:\n")[1].splitlines()
    assert len(tries) == 3
    assert tries[0].split()[:6] == ["nascore", "search", "--space", "darts", "--updater", "darts"]


@pytest.mark.usefixtures("core_alone")
def test_the_welcome_proposes_what_is_installed() -> None:
    said = done()

    assert "nascore search --space tiny --updater uniform  " in said
    assert "half is broken" in said


@pytest.mark.usefixtures("core_alone")
def test_a_search_without_plugins_says_what_to_install(tmp_path: Path) -> None:
    result = cli("search", "--out", str(tmp_path / "x"))

    assert result.exit_code == 4, result.output
    assert "pip install nascore-darts, or write --space NAME: file, planted, tiny." in result.stderr
    assert "pip install nascore-darts, or write --updater NAME: sgd, uniform." in result.stderr
    assert not (tmp_path / "x").exists()


def test_the_welcome_and_the_versions_load_no_torch() -> None:
    for words in ([], ["--version"], ["show", "mbconv"]):
        program = (
            "import sys\n"
            "from nascore.cli import main\n"
            f"main({words!r}, standalone_mode=False)\n"
            "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules\n"
        )
        result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr


@pytest.mark.needs("nascore-darts")
def test_versions_one_a_line() -> None:
    lines = dict(line.split(maxsplit=1) for line in done("--version").splitlines())

    assert lines["nascore"] == "0.1.0"
    assert list(lines)[:3] == ["nascore", "python", "torch"]
    assert "nascore-darts" in lines


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("kind", KINDS)
def test_list_says_who_brings_everything(kind: str) -> None:
    rows = json.loads(done("list", kind, "--json"))

    assert rows
    assert all(row["plugin"] for row in rows)


def test_list_verb_knows_those_of_the_core() -> None:
    assert {one["name"] for one in json.loads(done("list", "verb", "--json"))} >= set(VERBS)


@pytest.mark.parametrize(
    ("typed", "meant"), [("updatter", "updater"), ("verbe", "verb"), ("presett", "preset")]
)
def test_list_of_a_kind_that_there_is_not(typed: str, meant: str) -> None:
    result = cli("list", typed)

    assert result.exit_code == 3
    assert f"Did you mean {meant}?" in result.output


def test_piped_tables_have_one_line_a_row() -> None:
    rows = [("a", "word " * 40), ("b", "short")]

    assert len(table(rows, heads=("name", "is"), prose=True).splitlines()) == 3


@pytest.mark.parametrize(("across", "beneath"), [(100, False), (60, False), (40, True)])
def test_a_table_keeps_to_the_width_of_a_terminal(
    across: int, *, beneath: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "columns", lambda: across)
    rows = [("updater", "signs", "word " * 40), ("space", "x", "short")]

    lines = table(rows, heads=("slot", "name", "is"), prose=True).splitlines()

    assert max(map(len, lines)) <= across
    assert " ".join(lines).split().count("word") == 40
    assert (INDENT + "short" in lines) is beneath
    assert lines[0].split() == (["SLOT", "NAME"] if beneath else ["SLOT", "NAME", "IS"])


def test_items_are_sorted_by_name() -> None:
    found = items(Registry.of(SLOTS, builtin=nascore.builtin), "operation")

    assert [one.name for one in found] == sorted(one.name for one in found)


CAPABLE = """
from nascore.api import Component, Give, Need, hookimpl


@hookimpl
def nascore_relaxations():
    yield Component(
        name="gates",
        slot="relaxation",
        summary="Gates.",
        build="nascore.builtin.relaxations:Softmax",
        provides=("non-negative", Give(capability="capable.ordinal", when=bool)),
        needs=(
            Need(terms=("trainer.unrolled", "not space.capable.wide"), why="they are ordered"),
            Need(terms=("nowhere.fixed",), why="there is no such slot", verdict="warned"),
        ),
    )
"""


def test_capabilities_are_listed_with_who_provides_and_who_needs_them(tmp_path: Path) -> None:
    (tmp_path / "capable.py").write_text(CAPABLE, encoding="utf-8")
    rows = json.loads(done("list", "capability", "--json", "--with", str(tmp_path / "capable.py")))
    found = {(row["slot"], row["name"]): row for row in rows}

    assert len(found) == len(rows)
    assert found["relaxation", "non-negative"]["summary"] == CAPABILITIES["non-negative"]
    assert {"gates"} == {*found["relaxation", "non-negative"]["provided"]} - {"egs"}
    assert found["relaxation", "capable.ordinal"] == {
        "slot": "relaxation",
        "name": "capable.ordinal",
        "summary": "provides capable.ordinal",
        "provided": ["gates"],
        "conditional": ["gates"],
        "needed": [],
        "excluded": [],
    }
    assert "gates" in found["trainer", "unrolled"]["needed"]
    assert found["space", "capable.wide"]["excluded"] == ["gates"]
    assert found["nowhere", "fixed"]["needed"] == ["gates"]
    assert found["run", "horizon"]["provided"] == ["search"]
    slots = [slot.name for slot in SLOTS]
    assert {name for slot, names in BY_SLOT.items() if slot in slots for name in names} <= {
        name for _, name in found
    }


def test_capabilities_are_printed_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "capable.py").write_text(CAPABLE, encoding="utf-8")
    result = cli("list", "capabilities", "--with", str(tmp_path / "capable.py"))

    lines = {tuple(line.split()[:2]): line.split() for line in result.stdout.splitlines()}
    assert lines["space", "capable.wide"][2:] == ["-", "not", "gates", "provides", "capable.wide"]
    assert lines["relaxation", "capable.ordinal"][2] == "gates*"
    assert "*: with some settings only" in result.stderr
    assert "nascore list capability" in cli("show", "normalized").output
    assert "Did you mean capability?" in cli("list", "capabilty").output
