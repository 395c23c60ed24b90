"""Files of a run, cut off and changed: every answer is the right one or a refusal."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import click
import pytest
from click.testing import CliRunner
from damages import flips, prefixes, values_of
from tampered import UNREAD, Tampering, one_registry, opening, readers, unlisted

import nascore
from nascore.cli import main
from nascore.cli.app import VERBS


@pytest.fixture
def alone(tiny_run, tmp_path):
    """A copy of a run that is done, alone in its folder."""
    return Path(shutil.copytree(tiny_run, tmp_path / "alone" / "run"))


def damage(run, count=3):
    random = Random(0)  # noqa: S311 - mutations
    tampering = Tampering(run)
    for path in tampering.files():
        content = path.read_bytes()
        with tampering.damaging(path) as tried:
            for changed, what in (*prefixes(content, count, random), *flips(content, count, random)):
                tried(changed, what)
    return tampering


def test_what_is_damaged_is_refused_by_all_that_read_it(alone):
    with one_registry():
        tampering = damage(alone)
    assert tampering.found == []
    assert tampering.answers["refused"] > 100


def test_without_checksums_wrong_answers_are_found_so_this_test_can_fail(alone, tmp_path):
    with one_registry():
        tampering = damage(unlisted(alone, tmp_path / "old"))
    assert tampering.answers["wrong"] > 0
    assert not [text for text in tampering.found if not text.startswith("wrong")]


def test_no_value_of_a_file_ends_a_verb_unexpectedly(alone, tmp_path):
    run = unlisted(alone, tmp_path / "old")
    with one_registry():
        tampering = Tampering(run)
        kept = ("runs", "gallery", "compare")
        tampering.opened = {name: tampering.opened[name] for name in kept}
        for path in [run / "gallery.json", run / "result.json"]:
            with tampering.damaging(path) as tried:
                for changed, what in list(values_of(path))[::3]:
                    tried(changed, what)
    assert not [text for text in tampering.found if not text.startswith("wrong")]
    assert tampering.answers["refused"] > 100


def test_no_reader_opens_a_file_that_is_left_out(alone):
    with one_registry():
        tampering = Tampering(alone)
    every = {path for path in alone.rglob("*") if path.is_file()}
    unread = {path for path in every if path.as_posix().endswith(UNREAD)}
    read = {path for path in tampering.files() if not path.as_posix().endswith("-train/weights.safetensors")}
    assert read == every - unread


def lines(command, path):
    """Yield command lines of a verb, with a path in the place of each argument and each option of a path."""
    required = [one.opts[0] for one in command.params if isinstance(one, click.Option) and one.required]
    others = [word for name in required for word in (name, "genotype")]
    # Every argument has to be given: the images of `predict` too.
    others += [str(path)] * (
        sum(isinstance(one, click.Argument) and one.required for one in command.params) - 1
    )
    for param in command.params:
        is_argument = isinstance(param, click.Argument)
        if is_argument or isinstance(param.type, click.Path):
            words = [str(path)] if is_argument else [param.opts[0], str(path)]
            yield [command.name, *words, *others, *["--dry-run"] * (command.name in {"ablate", "search"})]


def test_every_verb_that_reads_a_run_is_among_the_readers(alone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {name.split()[0] for name in readers(alone)}
    context, found = click.Context(main), set()
    with one_registry():
        for verb in VERBS.keys() - {"matrix", "replay", "resume"}:  # for minutes; of none that is done
            command = main.get_command(context, verb)
            for path in (alone, alone / "recipe.yaml", alone.parent):
                for words in lines(command, path):
                    with opening() as opened:
                        CliRunner().invoke(main, words)
                    if any(Path(file).is_relative_to(alone) for file in opened):
                        found.add(verb)
    assert found == asked & set(VERBS)
    known = {"ablate", "evaluate", "search", "draw", "export", "check", "runs", "compare", "gallery", "watch"}
    assert known | {"predict"} == found


def test_what_reads_a_run_from_python_is_among_the_readers(alone):
    """Of the functions of the package, `search_several` asks as `search` does, and `matrix`, `Values` and
    `describe_data` take no run. `resume` refuses a run that is done (others: test_engine_resume.py), and
    `replay` takes as long as the run took (test_run_replay.py)."""
    asked = {name.split()[0] for name in readers(alone)}
    functions = {name for name in nascore.__all__ if callable(getattr(nascore, name))}
    others = {
        "Ablation",
        "Comparison",
        "Run",
        "Values",
        "describe_data",
        "matrix",
        "replay",
        "resume",
        "search_several",
    }
    assert functions - asked == others
    methods = {f"Run.{name}" for name in vars(nascore.Run) if not name.startswith("_")}
    of_files = {"Run.path", "Run.recipe", "Run.result", "Run.gallery", "Run.best", "Run.checked"}
    fields = {*of_files, "Run.network"}  # the caller's object, from no file
    assert methods - fields == {"Run.model", "Run.predict"}  # the second calls the first
    assert "Run.predict" in asked
