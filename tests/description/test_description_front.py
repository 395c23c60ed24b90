"""What the command line says to a description that is wrong: everything, with lines, and exit code 3."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from edge_files import KNOT
from tiny import CLOSED

from nascore.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"knot": KNOT, "chain": CLOSED, "recipe": "updater: darts\nspace: tiny\n"}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    yield tmp_path
    assert sorted(tmp_path.rglob("*")) == before


def refused(*words):
    result = CliRunner().invoke(main, [*words])
    assert result.exit_code == 3, result.output
    assert "Traceback" not in result.output
    return result.stderr


@pytest.mark.parametrize(
    "verb", [["draw", "knot.yaml"], ["evaluate", "knot.yaml"], ["search", "--space", "file:knot.yaml"]]
)
@pytest.mark.usefixtures("here")
def test_a_cycle_a_stride_and_an_operation_are_told_together(verb):
    said = refused(*verb)
    assert "a cycle: a reads b, which reads a" in said
    assert "there is no operation 'sep_conv_3x4'. Did you mean sep_conv_3x3?" in said
    assert "conv_3x3 cannot do stride 3, only 1 or 2" in said
    assert [f"knot.yaml:{line}:" in said for line in (8, 9, 10)] == [True] * 3


@pytest.mark.needs("nascore-darts")
@pytest.mark.usefixtures("here")
def test_a_description_is_wrong_beside_its_recipe():
    said = refused("search", "--space", "file:knot.yaml", "--set", "updater.lrr=1", "--updater", "darts")
    assert "knot.yaml:9:" in said
    assert "Did you mean lr?" in said


@pytest.mark.usefixtures("here")
def test_a_file_that_is_not_there_has_a_neighbour():
    assert "there is no file chian.yaml. Did you mean chain.yaml?" in refused(
        "search", "--space", "file:chian.yaml"
    )


@pytest.mark.parametrize("words", [["draw", "recipe.yaml"], ["search", "--space", "file:recipe.yaml"]])
@pytest.mark.usefixtures("here")
def test_a_recipe_is_no_description(words):
    said = refused(*words)
    assert "this is a recipe, not a description: it says space and updater" in said
    assert "--recipe" in said


@pytest.mark.usefixtures("here")
def test_what_cannot_be_scaled_says_so():
    said = refused("draw", "chain.yaml", "--cells", "3", "--auxiliary", "--channels", "8")
    assert "no node of this network repeats" in said
    assert "and this network has none" in said


@pytest.mark.needs("nascore-darts")
@pytest.mark.usefixtures("here")
def test_a_name_is_nearly_that_of_a_genotype():
    assert "Did you mean DARTS_V2?" in refused("draw", "DARTS_v2")


@pytest.mark.needs("nascore-darts")
def test_a_genotype_in_a_file_has_lines(here):
    pairs = ", ".join(["('skip_connect', 0), ('skip_connect', 1)"] * 4)
    fields = [f"normal=[{pairs}]", "normal_concat=[2]", f"reduce=[{pairs[:-4]}, 9)]", "reduce_concat=[8]"]
    text = "Genotype(\n  " + ",\n  ".join(fields) + ")"
    (here / "chain.yaml").write_text(text.replace("skip_connect", "skip_conect", 1), encoding="utf-8")
    said = refused("draw", "chain.yaml")
    assert "normal[0]: there is no operation 'skip_conect'. Did you mean skip_connect?" in said
    assert [f"from chain.yaml:{place}" in said for place in ("2:11\n", "4:", "5:17\n")] == [True] * 3
