"""What the pages and the help show is run, in order and with small settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from shutil import copytree

import click
import pytest
from click.testing import CliRunner

from nascore.cli import main
from nascore.cli.app import VERBS
from nascore.cli.output import Verb
from nascore.plugin.known import distributions

ROOT = Path(__file__).parents[2]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "nascore_*/README.md", "plugins/*/README.md", "docs/*.md")
    for path in sorted(ROOT.glob(pattern))
]

SMALL = {
    "search": {
        "trainer.epochs": "1",
        "trainer.warm_up": "0",
        "trainer.batch": "256",
        "ranking.channels": "2",
        "ranking.cells": "3",
        "ranking.epochs": "1",
        "ranking.batch": "256",
    },
    "evaluate": {
        "training.channels": "2",
        "training.cells": "3",
        "training.epochs": "1",
        "training.batch": "256",
    },
}
SMALL["ablate"] = SMALL["evaluate"]
"""What shrinks a command that trains, where it does not set the same itself."""

SHOWN = ("nascore-data", "nascore-geonas", "nascore-nasbench", "nascore-petridish", "nascore-xnas")
"""The plugins whose parts the README mixes."""

BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def small(command: str) -> list[str]:
    words = shlex.split(command.removeprefix("$ "))
    assert words[0] == "nascore"
    given = {word.partition("=")[0] for word in words}
    small = SMALL.get(words[1], {})
    if "--evaluate" in words:
        small = small | SMALL["evaluate"]
    for path, value in small.items():
        if path not in given and "--help" not in words:
            words += ["--set", f"{path}={value}"]
    return words[1:]


def run(command: str) -> None:
    result = CliRunner().invoke(main, small(command))
    assert result.exit_code == 0, f"{command}\n{result.output}"


def commands(page: str) -> list[str]:
    blocks = BLOCK.finditer((ROOT / page).read_text(encoding="utf-8"))
    return [line for block in blocks if block["kind"] == "console" for line in block["text"].splitlines()]


def needing(page: str) -> pytest.MarkDecorator:
    """Mark a plugin's page: its commands need it, beside the space that most of them name."""
    name = Path(page).parent.name.replace("_", "-")
    more = [name] if name in distributions() else []
    more += ["nascore-vision"] if page == "docs/tricks.md" else []
    return pytest.mark.needs("nascore-darts", *(SHOWN if page == "README.md" else more))


@pytest.mark.parametrize("page", [pytest.param(page, id=page, marks=needing(page)) for page in PAGES])
def test_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        if block["file"]:
            Path(block["file"]).write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "console":
            for line in block["text"].splitlines():
                run(line)
        elif block["kind"] == "python":
            exec(compile(block["text"], page, "exec"), {"__name__": page})  # noqa: S102 - the page is ours


def test_pages_show_every_verb() -> None:
    shown = {shlex.split(line)[2] for page in PAGES for line in commands(page)}

    assert shown == set(VERBS)


def leaves(command: click.Command, name: str) -> dict[str, click.Command]:
    if isinstance(command, click.Group):
        below = ((f"{name} {word}", one) for word, one in command.commands.items())
        return {path: leaf for path, one in below for path, leaf in leaves(one, path).items()}
    return {name: command}


def every_verb() -> dict[str, click.Command]:
    context = click.Context(main)
    found: dict[str, click.Command] = {}
    for name in VERBS:
        command = main.get_command(context, name)
        assert command is not None
        found |= leaves(command, name)
    return found


READS_IMAGES = "predict"
"""The verb that reads image files, with nascore-vision."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.needs("nascore-vision")] if name == READS_IMAGES else [])
        for name in every_verb()
    ],
)
def test_help_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_run: Path) -> None:
    command = every_verb()[name]
    assert isinstance(command, Verb)
    assert command.examples
    monkeypatch.chdir(tmp_path)
    if name == "replay":
        run("nascore search --space tiny --dataset synthetic --scale mini --out runs/first")
    else:
        copytree(tiny_run, tmp_path / "runs" / "first")
    if name == "resume":
        run("nascore search --space tiny --budget 1step --out runs/stopped")
        run("nascore search --space tiny --growth random --set growth.count=2 --budget 1job --out runs/grown")
    for file, text in example_files().items():
        Path(file).write_text(text, encoding="utf-8")

    for example in command.examples:
        run(example)
    shown = CliRunner().invoke(main, [*name.split(), "--help"]).output
    assert shown.rstrip().endswith(command.examples[-1])


def example_files() -> dict[str, str]:
    """The files that the pages show, for the examples of the help."""
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    blocks = [block for text in texts for block in BLOCK.finditer(text) if block["file"]]
    return {block["file"]: block["text"] for block in blocks}
