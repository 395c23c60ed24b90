"""A slot is declared once: its row brings it into the commands, the schema, the matrix and the kit."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import pytest

from nascore.slots import SLOTS

PLUGIN = """
from attrs import frozen
from nascore.api import Component, Need, hookimpl, setting

@frozen(kw_only=True)
class Settings:
    size: int = setting(3, "Size of the toy.", ge=1)

class Bear:
    def __init__(self, settings):
        self.size = settings.size

@hookimpl
def nascore_toys():
    yield Component(
        name="bear", slot="toy", summary="A bear.", config=Settings, build="toys:Bear",
        needs=(Need(terms=("not updater.learns",), why="it distracts", verdict="warned"),),
    )
"""

SCRIPT = """
import sys
import nascore.slots as slots

row = slots.Slot(name="toy", summary="a toy", protocol="toys:Bear", conformance="toy_kit:ToyConformance")
slots.SLOTS = (*slots.SLOTS, row)

from nascore.cli import main
main(sys.argv[1:])
"""

PYTHON = """
from nascore.verbs.arguments import request_of

request, _ = request_of({"toy": "bear", "space": "tiny"})
print(request.names["toy"])
"""

KIT = """
from nascore.testing import Conformance

class ToyConformance(Conformance):
    slot = "toy"

    def test_has_its_size(self):
        '''It has the size that is set.'''
        self.hold(self.made().size == 3, "has another size")
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "toys.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "toy_kit.py").write_text(KIT, encoding="utf-8")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")

    def run(*words):
        command = [sys.executable, "script.py", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_new_slot_follows_from_its_row(run):
    assert "bear" in run("list", "toy", "--with", "toys.py")
    assert "--toy" in run("search", "--help")
    schema = json.loads(run("schema", "--with", "toys.py"))
    assert "toy" in schema["properties"]
    assert "bear" in json.dumps(schema["properties"]["toy"])
    matrix = run(
        "matrix", "--with", "toys.py", "--space", "tiny", "--updater", "sgd", "--growth", "none", "--list"
    )
    assert "bear" in matrix


def test_its_components_are_chosen_set_and_judged(run):
    words = ("search", "--with", "toys.py", "--toy", "bear", "--set", "toy.size=4", "--space", "tiny")
    plan = run(*words, "--updater", "sgd", "--dataset", "synthetic", "--scale", "mini", "--dry-run", "--json")
    assert {"slot": "toy", "name": "bear", "from": "--toy bear"} in json.loads(plan)["parts"]
    assert "it distracts" in plan


def test_it_is_an_argument_from_python(run, tmp_path):
    script = SCRIPT.replace("from nascore.cli import main\nmain(sys.argv[1:])", "") + PYTHON
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    assert run() == "['bear']\n"


def test_the_kit_examines_its_components(run):
    report = run("check-plugin", "toys", "--with", "toys.py")
    assert "toy bear" in report
    assert "failed" not in report.splitlines()[-1]


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.name)
def test_every_row_names_what_there_is(slot):
    for place in (slot.protocol, slot.conformance):
        module, _, name = place.partition(":")
        assert isinstance(getattr(import_module(module), name), type)
