# ruff: noqa: RUF009 - setting(...) declares a field
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from attrs import field, frozen

from nascore.config import Count, Duration, SettingsOwner, parse_document, setting, settings_of, structure
from nascore.errors import RecipeError


class Kind(Enum):
    FAST = "fast"
    SLOW = "slow"


@frozen(kw_only=True)
class Inner:
    epochs: int = setting(600, "passes", ge=1)
    lr: float = setting(0.025, "step", gt=0)


@frozen(kw_only=True)
class Sample:
    eta: float = setting(0.1, "step", gt=0, le=10)
    count: int = setting(3, "how many", ge=1)
    nesterov: bool = setting(default=False, help="momentum")
    note: str = setting("", "free text")
    path: Path | None = setting(None, "file")
    estimate: Literal["first", "unrolled", 1] = setting("first", "gradient")
    kind: Kind = setting(Kind.FAST, "speed")
    betas: list[float] = setting([0.5, 0.999], "momenta", ge=0, lt=1)
    size: int | str = setting(3, "pixels or a word")
    budget: Duration | None = setting(None, "time", gt=0)
    target: Count = setting(0, "operations", ge=0)
    mode: str = setting("a", "one of two", choices=("a", "b"))
    training: Inner = setting(Inner(), "group")


def read(text):
    return structure(
        Sample, parse_document(text, where="a.yaml").root, SettingsOwner(owner="sample", path="updater")
    )


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("eta: 1", "eta", 1.0),
        ("eta: 1e-3", "eta", 0.001),
        ("count: 7", "count", 7),
        ("nesterov: true", "nesterov", True),
        ("note: '1e3'", "note", "1e3"),
        ("path: a/b.yaml", "path", Path("a/b.yaml")),
        ("path: null", "path", None),
        ("estimate: unrolled", "estimate", "unrolled"),
        ("estimate: 1", "estimate", 1),
        ("kind: slow", "kind", Kind.SLOW),
        ("betas: [0, 0.5]", "betas", [0.0, 0.5]),
        ("size: big", "size", "big"),
        ("size: 4", "size", 4),
        ("budget: 30min", "budget", 1800.0),
        ("budget: 2h", "budget", 7200.0),
        ("budget: 45", "budget", 45.0),
        ("target: 1.5G", "target", 1_500_000_000),
        ("target: 200", "target", 200),
        ("mode: b", "mode", "b"),
    ],
)
def test_values_of_every_kind_are_read(text, name, value):
    reading = read(text)
    assert reading.problems == ()
    got = getattr(reading.settings, name)
    assert got == value
    assert type(got) is type(value)
    assert list(reading.origins) == [name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("eta: many", "updater.eta: 'many' is not a number above 0 and at most 10."),
        ("eta: 0", "updater.eta: 0 is not a number above 0 and at most 10."),
        ("eta: .inf", "updater.eta: inf is not a number above 0 and at most 10."),
        ("eta: .nan", "updater.eta: nan is not a number above 0 and at most 10."),
        ("eta: true", "updater.eta: true is not a number above 0 and at most 10."),
        ("count: 2.0", "updater.count: 2.0 is not a whole number at least 1."),
        ("count: true", "updater.count: true is not a whole number at least 1."),
        ("count: '3'", "updater.count: '3' is not a whole number at least 1."),
        ("count: null", "updater.count: null is not a whole number at least 1."),
        ("nesterov: 'false'", "updater.nesterov: 'false' is not true or false."),
        ("nesterov: on", "updater.nesterov: 'on' is not true or false."),
        ("note: 1e3", "updater.note: 1000.0 is not text."),
        ("path: 3", "updater.path: 3 is not a path or null."),
        ("estimate: true", "updater.estimate: true is not one of first, unrolled, 1."),
        ("kind: FAST", "updater.kind: 'FAST' is not one of fast, slow."),
        ("betas: 0.5", "updater.betas: 0.5 is not a list, each item a number at least 0 and below 1."),
        ("betas: [0, x]", "updater.betas: 'x' is not a number at least 0 and below 1."),
        ("betas: [0, 1]", "updater.betas: 1 is not a number at least 0 and below 1."),
        ("size: 1.5", "updater.size: 1.5 is not a whole number or text."),
        (
            "budget: 0s",
            "updater.budget: '0s' is not a time (seconds, or with a unit: 45s, 30min, 2h) above 0 or null.",
        ),
        (
            "target: 0.5",
            "updater.target: 0.5 is not a whole number (200K, 200M and 1.5G work too) at least 0.",
        ),
        ("mode: c", "updater.mode: 'c' is not one of a, b."),
        ("training: 3", "updater.training: 3 is not a group of settings."),
        ("training: {epochs: 0}", "updater.training.epochs: 0 is not a whole number at least 1."),
        ("training: {epoch: 1}", "updater.training.epoch: updater.training has no setting epoch."),
        ("etta: 1", "updater.etta: sample has no setting etta."),
    ],
)
def test_what_does_not_fit_is_said(text, said):
    reading = read(text)
    [problem] = reading.problems
    assert f"{problem.path}: {problem.text}" == said
    assert str(problem.origin).startswith("a.yaml:1:")
    assert reading.settings == Sample()


def test_all_problems_at_once_and_the_good_values_stand():
    reading = read("eta: x\ncount: 9\nmode: c\nno: 1\ntraining: {epochs: 5, lr: 0}\n")
    assert [problem.path for problem in reading.problems] == [
        "updater.eta",
        "updater.mode",
        "updater.no",
        "updater.training.lr",
    ]
    assert reading.settings == Sample(count=9, training=Inner(epochs=5))


def test_an_unknown_setting_names_the_nearest_one():
    [problem] = read("etaa: 1").problems
    assert problem.hint == "Did you mean eta? (a number above 0 and at most 10)"


def test_direct_construction_is_as_strict_as_a_recipe():
    with pytest.raises(RecipeError, match="0 is not a number above 0"):
        Sample(eta=0)
    with pytest.raises(RecipeError, match="true is not a whole number"):
        Sample(count=True)
    with pytest.raises(RecipeError, match="not a group of settings"):
        Sample(training={"epochs": 3})
    assert Sample(kind=Kind.SLOW, path=Path("x")).kind is Kind.SLOW


def test_a_default_list_is_copied():
    Sample().betas.append(3.0)
    assert Sample().betas == [0.5, 0.999]


def test_a_setting_without_declaration_is_a_mistake_of_the_programmer():
    @frozen(kw_only=True)
    class Bare:
        eta: float = field(default=1.0)

    with pytest.raises(TypeError, match=r"Bare\.eta is not declared with setting"):
        settings_of(Bare)
