"""The suggestion for what files say: what they chose is put back by flags."""

import pytest
from suggested import REGISTRY, line_of, read_back, said, suggestion

from nascore.recipe import Request, resolve

pytestmark = pytest.mark.needs(
    "nascore-darts",
    "nascore-data",
    "nascore-geonas",
    "nascore-nasbench",
    "nascore-petridish",
    "nascore-xnas",
)

OPEN = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups: {g: {ops: [conv_3x3, sep_conv_3x3]}}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: g}
    head: {from: -1, op: classifier, width: classes}
"""


def test_what_a_shell_would_read_otherwise_is_quoted(tmp_path):
    path = tmp_path / "a b's.yaml"
    path.write_text(OPEN, encoding="utf-8")
    names = {"updater": ["xnas"], "relaxation": ["linear"], "space": [f"file:{path}"]}
    found = suggestion(Request(names=names, scale="mini", run={"seed": 3}))
    assert said(read_back(line_of(found))) == said(found.request)
    assert found.request.names == {"updater": ["xnas"], "space": [f"file:{path}"]}


FILES = [
    # A choice of a file is given back by naming what the wishes bring.
    (
        "updater: xnas\nrelaxation: linear\n",
        ("linear removed, so xnas brings softmax",),
        {"relaxation": ["softmax"]},
        [],
    ),
    ("relaxation: linear\nupdater: geonas\n", None, {"relaxation": ["softmax"]}, []),
    # One component of a list is left out; what stays keeps its settings.
    (
        "updater: xnas\nregularizer: {l1: {weight: 0.1}, entropy: {weight: 0.2}}\n",
        ("l1 removed",),
        {"regularizer": ["entropy"]},
        [],
    ),
    ("updater: xnas\nregularizer: l1\n", ("l1 removed",), {"regularizer": ["none"]}, []),
    # A setting of a file is put back by its default.
    (
        "updater: {name: xnas, exclude_none: false}\n",
        ("updater.exclude_none unset, so it is true",),
        {},
        ["updater.exclude_none=true"],
    ),
    (
        "updater: xnas\ntrainer: {name: alternating, estimate: unrolled, epochs: 7}\n",
        ("trainer.estimate unset, so it is first",),
        {},
        ["trainer.estimate=first"],
    ),
    (
        "updater: darts\nregularizer: {l1: {target: mixture}}\n",
        ("regularizer.l1.target unset, so it is theta",),
        {},
        ["regularizer.l1.target=theta"],
    ),
]


@pytest.mark.parametrize(("text", "changes", "names", "sets"), FILES)
def test_what_is_suggested_for_a_file(tmp_path, text, changes, names, sets):
    path = tmp_path / "main.yaml"
    path.write_text(f"nascore: 1\nscale: mini\n{text}", encoding="utf-8")
    found = suggestion(Request(recipe=path))
    assert changes in (None, found.changes)
    assert (found.request.names, list(found.request.sets)) == (names, sets)
    assert said(read_back(line_of(found))) == said(found.request)
    assert resolve(found.request.layers(REGISTRY), REGISTRY).problems == ()


def test_a_flag_over_a_file_is_given_back_to_the_file(tmp_path):
    path = tmp_path / "main.yaml"
    path.write_text("nascore: 1\nscale: mini\nrelaxation: softmax\nupdater: xnas\n", encoding="utf-8")
    found = suggestion(Request(recipe=path, names={"relaxation": ["one-hot"]}))
    assert found.changes == (f"one-hot removed, so softmax comes from {path}:3:13",)
    assert found.request.names == {}


def test_the_settings_that_stay_are_those_of_the_file(tmp_path):
    path = tmp_path / "main.yaml"
    text = "regularizer: {l1: {weight: 0.1}, entropy: {weight: 0.2}}"
    path.write_text(f"nascore: 1\nscale: mini\nupdater: geonas\n{text}\n", encoding="utf-8")
    found = suggestion(Request(recipe=path))
    assert found.recipe.setting("regularizer.entropy.weight") == 0.2
    assert found.recipe.names("regularizer") == ("entropy",)
