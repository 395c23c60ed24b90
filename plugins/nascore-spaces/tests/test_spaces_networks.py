"""Networks by name, from the command line and from Python; and what a search finds in the spaces."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from spaces_samples import CATALOGUE, OWN, REGISTRY, described, drawn, kind

import nascore
from nascore.api import DescriptionError, dump, expand, fingerprint, load, resize
from nascore.cli import main
from nascore.component import load as part
from nascore_spaces.networks import from_name, recognises, to_name
from nascore_spaces.space import FOLDER, NETWORKS, read, spelled_out, untied

DATA = {"dataset.count": 64, "dataset.size": 8}
TRAINING = {"training.epochs": 1, "training.batch": 16}
SIZE = {"training.channels": 2, "training.cells": 3}
SEARCH = {"trainer.epochs": 2, "trainer.warm_up": 0, "trainer.batch": 16}


def flags(settings):
    return [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]


def typed(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


# ---- names


def test_every_file_is_reachable():
    spaces = {path.stem for path in (FOLDER / "spaces").glob("*.yaml")}
    assert spaces == set(OWN) == {one.name for one in REGISTRY.components("space") if one.name in spaces}
    assert set(NETWORKS) == {"densenet100", "mobilenetv2", "resnet20", "resnet32", "resnet56", "vgg16"}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_name_is_a_closed_network_and_comes_back(name):
    assert recognises(f" {name}\n")
    description = from_name(name, channels=3, classes=7, in_channels=1)
    assert not description.is_open
    assert to_name(description) == name
    assert to_name(from_name(name, auxiliary=True)) == name
    assert fingerprint(from_name(name)) == fingerprint(read("networks", name))
    assert load(dump(description), catalogue=CATALOGUE) == description


def test_another_network_has_no_name():
    other = resize(read("networks", "resnet20"), repeats={"a": 2})
    with pytest.raises(DescriptionError, match=r"this network has no name. Named networks: densenet100"):
        to_name(other)
    with pytest.raises(DescriptionError, match="no network is called resnet21"):
        from_name("resnet21")


def test_draw_export_and_what_is_mistyped():
    assert "269,722 parameters, 40,551,040 MACs on images of 32x32" in typed("draw", "resnet20").stdout
    assert "3,504,872 parameters, 300,774,272 MACs" in typed("draw", "mobilenetv2", "--size", 224).stdout
    assert "275,572 parameters" in typed("draw", "resnet20", "--classes", 100).stdout
    assert typed("export", "vgg16", "--to", "network").stdout == "vgg16\n"
    assert (
        "the depth of resnet20 is part of its name" in typed("draw", "resnet20", "--cells", 3, code=3).stderr
    )
    assert "vgg16" in typed("draw", "resnett20", code=5).stderr
    assert "Did you mean resnet20?" in typed("draw", "ResNet-20", code=3).stderr


def test_a_network_is_trained_at_its_own_size(tmp_path):
    own = {"training.channels": "null", "training.cells": "null"}
    words = ["--dataset", "synthetic", "--scale", "mini", *flags({**DATA, **TRAINING, **own})]
    typed("evaluate", "resnet20", *words, "--out", tmp_path / "run")
    found = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert (found["status"], found["params"]) == ("done", 269_722)
    assert typed("export", tmp_path / "run", "--to", "network").stdout == "resnet20\n"


# ---- edits


def test_spelled_out_and_untied_change_no_network():
    description = read("networks", "densenet100")
    assert fingerprint(spelled_out(description)) == fingerprint(description)
    assert all(node.repeat is None for node in spelled_out(description).network.nodes)
    space = read("spaces", "darts-s2")
    layouts = expand(untied(space), CATALOGUE).layouts
    assert list(layouts) == ["a-0", "a-1", "r1", "b-0", "b-1", "r2", "c-0", "c-1"]
    assert {(len(one.rows), one.replicas) for one in layouts.values()} == {(14, 1)}


def test_macro_has_the_weights_of_darts_by_more_choices():
    from nascore.nn import costs  # noqa: PLC0415 - torch

    component = REGISTRY.get("space", "macro")
    space = part(component.build)(component.config()).describe(kind(32))
    found = costs(space, CATALOGUE, (32, 32))
    # The supernet of DARTS at C16 L8, as counted on the authors' code: only the choices are more.
    assert found.params + sum(int(group.params.sum()) for group in found.groups.values()) == 1_930_618
    assert len(space.groups) == 8


# ---- facts of the papers


def test_restricted_spaces_are_those_of_the_paper():
    spaces = {name: described(name, kind(32)) for name in ("darts-s1", "darts-s2", "darts-s3", "darts-s4")}
    offered = {
        name: [tuple(op.name for op in edge.ops) for _, _, edge in space.edges() if edge.group]
        for name, space in spaces.items()
    }
    assert set(offered["darts-s2"]) == {("skip_connect", "sep_conv_3x3")}
    assert set(offered["darts-s3"]) == {("none", "skip_connect", "sep_conv_3x3")}
    assert set(offered["darts-s4"]) == {("noise", "sep_conv_3x3")}
    assert [len(edges) for edges in offered.values()] == [28] * 4
    # The authors' table, each edge by two letters: those of the normal cell, then of the reduction cell.
    short = {"skip_connect": "s", "sep_conv_3x3": "c", "dil_conv_3x3": "d", "dil_conv_5x5": "D"}
    short |= {"max_pool_3x3": "m", "avg_pool_3x3": "a"}
    assert " ".join("".join(short[name] for name in edge) for edge in offered["darts-s1"]) == (
        "sd sD sD sc sd ms sc sc sd sc ms sd dD dD ma md ma ma sD ma mc sd sD ma ma sD sD sD"
    )


def test_mbconv_has_the_stages_of_proxylessnas():
    """Width, layers and stride of each stage as in the authors' code, at images of 224 pixels."""
    component = REGISTRY.get("space", "mbconv")
    space = part(component.build)(component.config()).describe(kind(224))
    states = {state.path: state for state in expand(space, CATALOGUE).feature_maps}
    shapes = [
        [(states[f"{stage}{layer}"].channels, states[f"{stage}{layer}"].reduction) for layer in range(1, 5)]
        for stage in "abcde"
    ]
    assert shapes == [[one] * 4 for one in ((24, 4), (40, 8), (80, 16), (96, 16), (192, 32))]
    around = [(states[name].channels, states[name].reduction) for name in ("stem", "first", "f1")]
    assert around == [(32, 2), (16, 2), (320, 32)]
    # Six kinds of layer, and where the shape stays a seventh, which leaves it out.
    kinds = {f"mbconv(expand={expand};kernel={kernel})" for expand in (3, 6) for kernel in (3, 5, 7)}
    offered = {node.name: {str(op) for op in edge.ops} for _, node, edge in space.edges() if edge.group}
    changes = {name for name, ops in offered.items() if ops == kinds}
    assert changes == {"a1", "b1", "c1", "d1", "e1", "f1"}
    assert all(ops == kinds | {"skip_connect"} for name, ops in offered.items() if name not in changes)


def test_nb101_has_the_operations_and_edges_of_the_benchmark():
    space = described("nb101", kind(32), cells=9)
    assert [str(op) for op in space.groups["nodes"].ops] == [
        "conv_norm_relu(kernel=1)",
        "conv_norm_relu(kernel=3)",
        "max_pool_3x3",
    ]
    layouts = expand(space, CATALOGUE).layouts
    # Seven nodes with input and output, of which each may read all before it; five have an operation.
    assert {name: len(one.rows) for name, one in layouts.items()} == {"edges": 7 * 6 // 2, "nodes": 5}
    assert all(
        "none" in {op.name for op in edge.ops} for _, _, edge in space.edges() if edge.group == "edges"
    )


@pytest.mark.parametrize("name", OWN)
def test_what_is_drawn_differs(name):
    description = described(name, kind(16))
    marks = {fingerprint(drawn(description, seed)[0]) for seed in range(20)}
    assert len(marks) >= 19


@pytest.mark.parametrize("name", ["mbconv", "resnet", "nb101", "macro", "darts-s1"])
def test_a_search_ends_with_an_architecture_that_is_evaluated(name, tmp_path):
    run = nascore.search(
        space=name,
        updater="sgd",
        dataset="synthetic",
        scale="mini",
        settings={**DATA, **SEARCH, **TRAINING, **SIZE},
        out=tmp_path / "run",
    )
    assert not run.best.is_open
    typed("evaluate", run.path, *flags({**TRAINING, **SIZE}), "--out", tmp_path / "again")


# ---- settings


@pytest.mark.parametrize(
    ("name", "settings", "group", "rows", "uses"),
    [
        ("mbconv", {"stages": 2, "layers": 3}, "layers", 6, 1),
        ("mbconv", {"stages": 6, "layers": 4}, "layers", 21, 1),
        ("resnet", {"stages": 3, "layers": 6}, "blocks", 18, 1),
        ("resnet", {"stages": 1, "layers": 2}, "blocks", 2, 1),
        ("darts-s1", {"cells": 8}, "normal", 14, 6),
        ("darts-s4", {"cells": 20}, "reduce", 14, 2),
        ("nb101", {"cells": 6}, "edges", 21, 6),
        ("nb101", {"cells": 9}, "nodes", 5, 9),
        ("macro", {"cells": 4}, "c-0", 14, 1),
    ],
)
def test_settings_say_the_size(name, settings, group, rows, uses):
    layout = expand(described(name, kind(32), **settings), CATALOGUE).layouts[group]
    assert (len(layout.rows), layout.replicas) == (rows, uses)


@pytest.mark.parametrize("name", OWN)
def test_channels_scale_every_state(name):
    narrow, wide = (expand(described(name, kind(32), channels=c)).feature_maps[1:-1] for c in (2, 6))
    assert [3 * state.channels for state in narrow] == [state.channels for state in wide]
