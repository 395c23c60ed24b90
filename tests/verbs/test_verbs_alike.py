"""A call from Python and a command line give the same errors, the same suggestions and the same warnings."""

from __future__ import annotations

import re

import pytest
from command_line import cli
from tiny import CLOSED

import nascore
from nascore import Values
from nascore.errors import NascoreError

NAMES = {"space": "tiny", "updater": "sgd", "dataset": "synthetic"}
DATA = {"dataset.count": 32, "dataset.size": 4}
TRAINING = {"ranking.epochs": 1, "ranking.batch": 8}
SETTINGS = {**DATA, "trainer.epochs": 1, "trainer.batch": 8, "trainer.warm_up": 0, **TRAINING}

REFUSED = {
    "misfit with a suggestion": {
        "growth": "random",
        "updater": "uniform",
        "relaxation": "linear",
        "regularizer": "entropy",
        "settings": {"trainer.estimate": "unrolled"},
    },
    "unknown name": {"updater": "sdg"},
    "unknown setting": {"settings": {"trainer.epocks": 1}},
    "wrong value": {"settings": {"trainer.epochs": "many"}},
    "several at once": {"updater": "sdg", "settings": {"trainer.epochs": "many", "dataset.cont": 3}},
    "batch": {"settings": {**SETTINGS, "trainer.batch": 999}},
    "batch and a warning": {"growth": "random", "settings": {**SETTINGS, "ranking.batch": 999}},
    "unknown preset": {"preset": "dart-cifar10"},
    "unknown file of a plugin": {"plugins": ["nowhere.py"]},
    "unknown recipe": {"recipe": "nowhere.yaml"},
    "taken folder": {"out": "taken"},
    "taken folder of several": {"updater": ["sgd", "uniform"], "settings": SETTINGS, "out": "taken"},
    "refused combination": {"relaxation": ["softmax", "linear"], "regularizer": "entropy"},
    "batch of several": {"updater": ["sgd", "uniform"], "settings": {**SETTINGS, "trainer.batch": 999}},
    "wrong seeds": {"seeds": "4..1"},
    "refused values": {"settings": {**SETTINGS, "updater.lr": Values([-1, 0.1])}},
    "values that are given twice": {"settings": {"updater.lr": Values([0.1, 0.1])}},
    "a name that is not compared": {"updater": ["sgd", "uniform"], "settings": {"sdg:updater.lr": 0.1}},
}
WARNED = {
    "misfit and unread settings": {"growth": "random", "settings": {**SETTINGS, "growth.count": 1}},
    "target of costs": {
        "regularizer": "cost",
        "settings": {**SETTINGS, "regularizer.cost.target": 10**9},
    },
    "several with a misfit": {
        "updater": ["sgd", "uniform"],
        "regularizer": "entropy",
        "settings": {**SETTINGS, "updater.lr": 0.5},
    },
    "values of one of several": {
        "updater": ["sgd", "uniform"],
        "regularizer": "entropy",
        "settings": {**SETTINGS, "sgd:updater.lr": Values([0.5, 0.25])},
    },
}


EVALUATION = {"training.channels": 2, "training.cells": 3, "training.epochs": 1}
ORIGINS = (
    (r"This works(.*) \((.*)\):\n  nascore .*", r"This works\1: \2."),
    (r"The others work:\n  nascore .* --relaxation (\S+) .*", r"The others work: relaxation: \1."),
    (r"The others work:\n  nascore .* --set updater\.lr=(\S+).*", r"The others work: updater.lr: \1."),
    (r"settings\['([\w.:]+)'\]", r"--set \1"),
    (r"\b(\w+)='[^']*'", r"--\1"),
    (r"(--set [\w.:]+|^[\w.]+)=[^\s:]+", r"\1"),
    (r"(\n *from --(?!set)\w+) .*", r"\1"),
)
"""How a flag becomes an argument, and a whole command the changes in it."""


def neutral(text):
    """Return a text without the difference between an argument and a flag."""
    for pattern, replacement in ORIGINS:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text.strip()


def is_several(call):
    lists = any(isinstance(call.get(slot), list) for slot in ("updater", "relaxation"))
    return (
        "seeds" in call or lists or any(isinstance(one, Values) for one in call.get("settings", {}).values())
    )


def typed_value(value):
    """Return a value from Python as one types it."""
    return ",".join(map(str, value.values)) if isinstance(value, Values) else value


def words(call):
    """Return the options of a call from Python."""
    typed = []
    for name, value in call.items():
        if name == "settings":
            typed += [word for path, one in value.items() for word in ("--set", f"{path}={typed_value(one)}")]
        elif name == "plugins":
            typed += [word for file in value for word in ("--with", file)]
        else:
            typed += [f"--{name}", ",".join(value) if isinstance(value, list) else value]
    return typed


def called(call):
    """Search from Python; return the result, or the whole text of the error."""
    try:
        return (nascore.search_several if is_several(call) else nascore.search)(**call)
    except NascoreError as error:
        return "\n".join([str(error), *getattr(error, "__notes__", ())])


@pytest.mark.parametrize("case", REFUSED)
def test_a_search_is_refused_alike(case, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    call = {**NAMES, "scale": "mini", **REFUSED[case]}
    call["out"] = tmp_path / call.get("out", "new")
    text = called(call)
    typed = cli("search", *words(call))
    tried = cli("search", *words(call), "--dry-run")

    assert isinstance(text, str)
    assert neutral(text) == neutral(typed.stderr)
    assert neutral(text) == neutral(tried.stderr)
    assert typed.exit_code == tried.exit_code != 0
    assert not (tmp_path / "new").exists()


def test_a_misfit_ends_with_a_suggestion_in_both(tmp_path):
    for case, ending in (
        ("misfit with a suggestion", "This works"),
        ("refused combination", "The others work"),
    ):
        call = {**NAMES, "scale": "mini", **REFUSED[case], "out": tmp_path / "new"}
        assert called(call).splitlines()[-1].startswith(ending)
        assert any(line.startswith(ending) for line in cli("search", *words(call)).stderr.splitlines())


@pytest.mark.parametrize("case", WARNED)
def test_a_search_is_warned_of_alike(case, tmp_path, caplog):
    call = {**NAMES, "scale": "mini", **WARNED[case]}
    found = called({**call, "out": tmp_path / "python"})
    typed = cli("search", *words({**call, "out": tmp_path / "typed"}))
    tried = cli("search", *words(call), "--dry-run")

    assert typed.exit_code == tried.exit_code == 0, typed.stderr + tried.stderr
    warnings = [neutral(record.message) for record in caplog.records if record.name == "nascore"]
    assert warnings
    assert neutral(tried.stderr) == "\n".join(warnings)
    printed = neutral(typed.stderr)
    for text in warnings:
        assert text in printed
        printed = printed.replace(text, "", 1)
    of_table = [f"warning: {text}" for text in found.warnings] if is_several(call) else []
    assert [line for line in printed.splitlines() if line.startswith("warning")] == of_table


@pytest.mark.parametrize(
    "settings", [{"training.epocks": 1}, {"training.epochs": "many"}, {"training.batch": 10**6}]
)
def test_an_evaluation_is_refused_alike(settings, tmp_path):
    file = tmp_path / "closed.yaml"
    file.write_text(CLOSED, encoding="utf-8")
    call = {"scale": "mini", "settings": settings, "out": tmp_path / "new"}
    with pytest.raises(NascoreError) as caught:
        nascore.evaluate(file, **call)
    assert neutral(str(caught.value)) == neutral(cli("evaluate", file, *words(call)).stderr)


def test_a_second_test_is_warned_of_alike(tmp_path, caplog):
    file = tmp_path / "closed.yaml"
    file.write_text(CLOSED, encoding="utf-8")
    call = {"scale": "mini", "settings": EVALUATION}
    for name in ("first", "second"):
        nascore.evaluate(file, **call, out=tmp_path / "python" / name)
        typed = cli("evaluate", file, *words({**call, "out": tmp_path / "typed" / name}))

    unused, _, late = [record.message for record in caplog.records if record.name == "nascore"]
    assert "training.cells: no node of this network repeats" in unused
    assert "was tested on these images once before" in late
    printed = neutral(typed.stderr)
    assert neutral(unused) in printed
    assert late.replace("/python/", "/typed/") in printed
