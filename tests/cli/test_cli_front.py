"""The command line before anything is built: listing, showing, checking, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click
import pytest
from command_line import cli, done

from nascore.api import Command, hookimpl
from nascore.cli import output
from nascore.cli.output import table
from nascore.plugin import Registry
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("words", [["list"], ["show", "darts"], ["plugins", "list"], ["list", "operation"]])
def test_answers_without_torch(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from nascore.cli import main\n"
        f"main({words!r}, standalone_mode=False)\n"
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    assert "darts" in result.stdout or "conv" in result.stdout


@pytest.mark.needs("nascore-darts")
def test_list_names_slot_and_plugin() -> None:
    rows = [line.split()[:3] for line in done("list").splitlines()]

    assert ["updater", "darts", "nascore-darts"] in rows
    assert ["updater", "uniform", "builtin"] in rows
    assert ["preset", "darts-cifar10", "nascore-darts"] in rows


@pytest.mark.needs("nascore-darts")
def test_list_one_slot_as_json() -> None:
    found = json.loads(done("list", "space", "--json"))

    assert {one["kind"] for one in found} == {"space"}
    assert {"darts", "file", "planted", "tiny"} <= {one["name"] for one in found}


@pytest.mark.needs("nascore-darts")
def test_show_names_every_setting_with_both_scales() -> None:
    found = json.loads(done("show", "darts", "--json"))

    settings = {one["path"]: one for shown in found for one in shown["settings"]}
    assert (settings["updater.lr"]["default"], settings["updater.lr"]["mini"]) == (3e-4, 0.1)
    assert (settings["space.cells"]["default"], settings["space.cells"]["mini"]) == (8, 3)


def test_show_run_shows_nested_settings_of_search_and_evaluate() -> None:
    search, evaluate = json.loads(done("show", "run", "--json"))

    def mini(shown: dict, path: str) -> object:
        return next(one["mini"] for one in shown["settings"] if one["path"] == path)

    assert (mini(search, "ranking.epochs"), mini(evaluate, "training.epochs")) == (10, 12)


@pytest.mark.needs("nascore-darts")
def test_plugins_list_gives_status() -> None:
    found = {one["name"]: one for one in json.loads(done("plugins", "list", "--json"))}

    assert found["builtin"]["status"] == found["nascore-darts"]["status"] == "ready"


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("sets", "weights"),
    [
        (["dataset.channels=3", "space.channels=16", "space.cells=8"], "1,930,618"),
        (["dataset.channels=3", "space.channels=8", "space.cells=4"], "347,298"),
        (["dataset.channels=3", "space.channels=4", "space.cells=3"], "72,854"),
    ],
)
def test_dry_run_counts_the_supernet(sets: list[str], weights: str) -> None:
    words = [word for value in sets for word in ("--set", value)]

    said = done(
        "search", "--space", "darts", "--dataset", "synthetic", "--scale", "mini", *words, "--dry-run"
    )

    assert f"supernet: {weights} parameters" in said


@pytest.mark.needs("nascore-darts")
def test_dry_run_says_what_brought_each_part_and_value() -> None:
    said = done("search", "--updater", "uniform", "--set", "trainer.epochs=2", "--seed", "5", "--dry-run")

    rows = [line.split(maxsplit=2) for line in said.splitlines()]
    assert ["updater", "uniform", "--updater uniform"] in rows
    assert ["space", "darts", "default"] in rows
    assert ["trainer.epochs", "2", "--set trainer.epochs=2"] in rows
    assert ["seed", "5", "--seed 5"] in rows
    assert ["space.cells", "3", "scale mini"] in rows


@pytest.mark.needs("nascore-darts")
def test_dry_run_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done("search", "--space", "tiny", "--updater", "darts", "--dry-run")

    assert list(tmp_path.iterdir()) == []


def test_check_says_the_same_as_a_dry_run(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("nascore: 1\nscale: mini\nspace: tiny\nupdater: uniform\n", encoding="utf-8")

    said = done("check", str(recipe))

    assert "uniform" in said
    assert f"{recipe}:4:10" in said
    assert "supernet: " in said


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["search", "--no-such-flag"], 2, "--no-such-flag"),
        (["search", "--updater", "dart"], 3, "Did you mean darts?"),
        (["search", "--set", "updater.lrr=1", "--set", "seed=-1"], 3, "from --set seed=-1"),
        (["search", "--dataset", "synthetic"], 3, "--scale mini"),
        (["show", "dart"], 3, "Did you mean darts?"),
        (["list", "updatter"], 3, "Did you mean updater?"),
        (["draw", "no-such-thing"], 5, "neither a run"),
        (["draw", "DARTS_V2", "--with", "no-such-file.py"], 4, "no-such-file.py"),
        (["export", "DARTS_V2", "--to", "genotyp"], 4, "Did you mean genotype?"),
        (["export", ".", "--to", "genotype"], 5, "is not a run"),
    ],
)
def test_refusals(
    words: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = cli(*words)

    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stdout == "" or code == 2


@pytest.mark.needs("nascore-darts")
def test_all_problems_are_said_at_once() -> None:
    said = cli("search", "--set", "updater.lrr=1", "--set", "seed=-1", "--set", "trainer.epochs=many").stderr

    assert all(path in said for path in ("updater.lrr", "seed", "trainer.epochs"))


@pytest.mark.needs("nascore-darts")
def test_a_published_genotype_is_drawn_and_counted() -> None:
    said = done("draw", "DARTS_V2", "--channels", "36", "--cells", "20")

    assert "3,349,342 parameters, 528,359,040 MACs" in said
    assert "sep_conv_3x3" in said


@pytest.mark.needs("nascore-darts")
def test_a_genotype_goes_through_a_file_unchanged(tmp_path: Path) -> None:
    text = done("export", "DARTS_V1", "--to", "genotype")
    file = tmp_path / "genotype.txt"
    file.write_text(text, encoding="utf-8")

    assert done("export", str(file), "--to", "genotype") == text


@pytest.mark.needs("nascore-darts")
def test_draw_as_dot() -> None:
    assert done("draw", "DARTS_V1", "--dot").startswith("digraph")


def test_a_plugin_brings_a_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("greet", help="Say hello.")
    def greet() -> None:
        click.echo("hello")

    @hookimpl
    def nascore_commands() -> list[Command]:
        return [Command(name="greet", summary="Say hello.", build=greet)]

    registry = Registry.of(SLOTS, mine=SimpleNamespace(nascore_commands=nascore_commands))
    monkeypatch.setattr("nascore.cli.output.discover", lambda: registry)

    assert "Say hello." in done("--help")
    assert done("greet") == "hello\n"


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nascore.cli.listing.listing", interrupted)

    assert cli("list").exit_code == 130


def test_table_aligns() -> None:
    assert table([("a", 1), ("bbb", 22)], heads=("x", "number")) == "X    NUMBER\na         1\nbbb      22"


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (("1,189,024", "599,200"), True),
        (("99.17%", "-", ""), True),
        (("92.1 to 100.0%", "0.0 to 9.0%"), True),
        (("0..4", "7"), True),
        (("+11.81", "<0.0001"), True),
        (("1.19M", "599k"), True),
        (("auto", "1"), False),
        (("83.70%, guided", "5%"), False),
        (("-", ""), False),
    ],
)
def test_numbers_are_aligned_at_their_last_digit(cells: tuple[str, ...], *, right: bool) -> None:
    head = "n" * 16
    rows = table([("a", cell, "x") for cell in cells], heads=("name", head, "is")).splitlines()[1:]

    column = [row[6:22] for row in rows]
    assert column == [cell.rjust(16) if right else cell.ljust(16) for cell in cells]


def test_columns_that_are_too_wide_are_named_beneath(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "columns", lambda: 40)
    rows = [("trainer.estimate", "first", "one of first, unrolled, single-level", "How."), ("a", "", "", "b")]

    lines = table(rows, heads=("setting", "default", "must be", "is"), prose=True).splitlines()

    assert lines == [
        "SETTING           DEFAULT",
        "trainer.estimate  first",
        "    must be: one of first, unrolled,",
        "    single-level",
        "    How.",
        "a",
        "    b",
    ]
