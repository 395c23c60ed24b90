"""Genotypes as they stand in logs, notebooks and files: what is read, what is refused, nothing misread."""

from __future__ import annotations

import tracemalloc
from collections import namedtuple
from random import Random
from time import perf_counter

import numpy as np
import pytest
from pasted_genotypes import BAD, CELLS, FORMS, flat, judged, lines, published

from nascore.api import DescriptionError, NascoreError, RecipeError, fingerprint
from nascore.verbs.architecture import read_architecture
from nascore.verbs.resolution import installed
from nascore_darts.genotype import from_genotype, to_genotype
from nascore_darts.genotypes import GENOTYPES
from nascore_darts.source import find

GOOD = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('max_pool_3x3', 2)], "
    "normal_concat=range(2, 4), reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 0)], reduce_concat=range(2, 4))"
)
OTHER = GOOD.replace("sep_conv_3x3", "sep_conv_5x5")
MARK = fingerprint(from_genotype(GOOD))


def same(text):
    return fingerprint(from_genotype(text)) == MARK


@pytest.mark.parametrize("seed", range(3))
def test_of_mutated_texts_none_is_misread(seed):
    found = judged(lines(60, seed))
    assert (found["misread"], found["refused, wrong reason"]) == (0, 0)
    assert found["read right"] > 20
    assert found["refused, right reason"] > 3


def test_the_judge_sees_a_misreading():
    text, _ = next(line for line in lines(60, 0) if line[1].kind == "read")
    wrong = [(text, want) for _, want in lines(60, 1) if want.kind == "read"][0:1]
    assert judged(wrong)["misread"] == 1


def test_every_form_is_among_the_lines():
    assert {want.form for _, want in lines(500, 0)} == {*FORMS, *BAD}


PASTED = {
    "a log line": f"2020-01-01 00:00:00,000 genotype = {GOOD}",
    "a comment above": f"# epoch 49\nMINE = {GOOD}",
    "a commented one beside": f"# OLD = {OTHER}\nMINE = {GOOD}",
    "a file": f"import os\nGenotype = namedtuple('Genotype', 'a b')\nMINE = {GOOD}\n",
    "a class of that name": f"class Genotype(NamedTuple):\n    normal: list\n\nMINE = {GOOD}",
    "program text": f"genotype = Genotype(normal=gene, normal_concat=concat)\nMINE = {GOOD}",
    "an alias": f"A = {GOOD}\nB = A",
    "twice the same": f"A = {GOOD}\nB = {GOOD}",
    "a byte order mark": f"\ufeff{GOOD}",
    "a comma": f"{GOOD},",
    "a prompt": f">>> {GOOD}",
    "a prompt over lines": ">>> G = " + GOOD.replace("reduce=", "\n...     reduce="),
    "quotes": f'"{GOOD}"',
    "escaped quotes": '"' + GOOD.replace("'", "\\'") + '"',
    "back quotes": f"```python\n{GOOD}\n```",
    "numpy's numbers": GOOD.replace("range(2, 4)", "[np.int64(2), numpy.int32(3)]").replace(
        "0)", "int64(0))"
    ),
    "numpy's arrays": GOOD.replace("range(2, 4)", "array([2, 3], dtype=int64)", 1),
    "numpy's texts": GOOD.replace("'skip_connect'", "np.str_('skip_connect')"),
}


@pytest.mark.parametrize("form", PASTED)
def test_a_pasted_genotype_is_read(form):
    assert same(PASTED[form])


def test_what_is_wrong_in_a_pasted_text_keeps_its_place():
    text = f"import os\n\n  MINE = {GOOD.replace('skip_connect', 'skip_conect', 1)}"
    with pytest.raises(DescriptionError) as raised:
        from_genotype(text)
    (problem,) = raised.value.problems
    column = text.splitlines()[2].index("'skip_conect'")
    assert str(problem.origin) == f"genotype:3:{column}"


def test_of_several_one_is_chosen_by_name_or_line(tmp_path):
    registry = installed()
    file = tmp_path / "a folder" / "genotypes.py"
    file.parent.mkdir()
    file.write_text(f"A = {OTHER}\nB = {GOOD}\nC = B\n{'' * 3}log genotype = {DARTS}\n")
    with pytest.raises(RecipeError) as raised:
        read_architecture(file, registry)
    assert "holds 3 of genotype: A (line 1), B = C (line 2), genotype (line 4)." in str(raised.value)
    assert f"Name one by its name or line: {file}:A" in str(raised.value)
    for chosen in ("B", "C", "2"):
        assert fingerprint(read_architecture(f"{file}:{chosen}", registry)) == MARK
    with pytest.raises(RecipeError, match="none of them D"):
        read_architecture(f"{file}:D", registry)
    with pytest.raises(DescriptionError, match="contains 3 genotypes: A in line 1, B = C in line 2"):
        from_genotype(file.read_text())


DARTS = GENOTYPES["DARTS_V1"].replace("\n", " ")


def test_a_log_with_a_genotype_each_epoch_asks_for_the_line(tmp_path):
    file = tmp_path / "log.txt"
    file.write_text(f"01 genotype = {OTHER}\nloss 1\n02 genotype = {GOOD}\n")
    with pytest.raises(RecipeError, match=f"{file}:1"):
        read_architecture(file, installed())
    with pytest.raises(RecipeError, match="2 of them genotype"):
        read_architecture(f"{file}:genotype", installed())
    assert fingerprint(read_architecture(f"{file}:3", installed())) == MARK


def test_without_a_reduction_cell_all_cells_are_normal():
    text = GOOD[: GOOD.index("reduce=")] + "reduce=None, reduce_concat=None)"
    description = from_genotype(text, channels=4, cells=5)
    assert [node.join for node in description.network.nodes if node.cell] == ["normal"]
    assert "reduce=None, reduce_concat=None)" in to_genotype(description)
    assert from_genotype(to_genotype(description), channels=4, cells=5) == description
    half = GOOD[: GOOD.index("reduce=")] + "reduce=None, reduce_concat=[2])"
    with pytest.raises(DescriptionError, match="a cell is a list"):
        from_genotype(half)


@pytest.mark.parametrize("operation", ["none", "noise"])
def test_none_and_noise_are_read_and_written(operation):
    text = GOOD.replace("'skip_connect', 2", f"'{operation}', 2")
    description = from_genotype(text, channels=4, cells=3)
    assert f"('{operation}', 2)" in to_genotype(description)
    assert from_genotype(to_genotype(description), channels=4, cells=3) == description


def test_operations_of_the_catalogue_are_read_and_structural_ones_are_not():
    registry = installed()
    known = read_architecture(GOOD.replace("skip_connect", "conv_3x3"), registry)
    assert "('conv_3x3', 0)" in to_genotype(known)
    with pytest.raises(DescriptionError, match="no operation 'classifier'"):
        read_architecture(GOOD.replace("skip_connect", "classifier"), registry)


def test_fairdarts_names_the_node_before_the_source():
    text = (
        "Genotype(normal=[('sep_conv_3x3', 2, 0), ('max_pool_3x3', 4, 1)], normal_concat=range(2, 5), "
        "reduce=[('skip_connect', 3, 2), ('max_pool_3x3', 2, 0), ('max_pool_3x3', 2, 1)], "
        "reduce_concat=range(2, 4))"
    )
    cells = from_genotype(text, channels=4, cells=3).cells
    terms = {
        name: {
            node.name: [(str(edge.source), str(edge.ops[0])) for edge in node.edges]
            for node in cell.nodes
            if node.name.startswith("n")
        }
        for name, cell in cells.items()
    }
    # Node 3 of the normal cell has no term, and the concatenation lists it: it is zero.
    assert terms["normal"] == {
        "n0": [("pre0", "sep_conv_3x3")],
        "n1": [("pre0", "none")],
        "n2": [("pre1", "max_pool_3x3")],
    }
    assert terms["reduce"] == {
        "n0": [("pre0", "max_pool_3x3"), ("pre1", "max_pool_3x3")],
        "n1": [("n0", "skip_connect")],
    }


def test_numbers_of_operations_are_refused_with_both_readings():
    text = "(((0, 6), (1, 4), (0, 0), (1, 5)), ((0, 1), (1, 4), (0, 1), (1, 4)))"
    with pytest.raises(DescriptionError, match="as in NASLib and NAS-Bench-301, and `none` where it is"):
        read_architecture(text, installed())


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("DARTS", "DARTS_V1 or DARTS_V2?"),
        ("darts_v2", "DARTS_V2?"),
        ("PC-DARTS", "PC_DARTS_cifar or PC_DARTS_image?"),
        ("PCDARTS", "PC_DARTS_cifar or PC_DARTS_image?"),
        ("P-DARTS", "PDARTS?"),
    ],
)
def test_a_name_leads_to_its_own_network_only(name, offered):
    with pytest.raises(RecipeError) as raised:
        read_architecture(name, installed())
    assert str(raised.value).endswith(f"Did you mean {offered}")


@pytest.mark.parametrize("name", ["GDAS", "DrNAS", "SDARTS", "GNAS", "DARTS_V3"])
def test_a_name_of_another_paper_is_not_corrected(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # a folder of a name that is near would be offered
    with pytest.raises(NascoreError) as raised:
        read_architecture(name, installed())
    assert "Did you mean" not in str(raised.value)
    assert "Names: AmoebaNet, DARTS_V1, DARTS_V2, NASNet" in str(raised.value)


def test_a_search_for_literals_is_linear():
    for text in ("Genotype(" * 20_000, "a" * 400_000, "{'normal':" * 20_000, "{ " * 100_000, "\\'" * 100_000):
        with pytest.raises(DescriptionError):
            from_genotype(text)


def test_a_description_with_a_genotype_in_a_comment_is_no_genotype():
    from nascore_darts.genotype import recognises  # noqa: PLC0415 - beside what it is for

    assert not recognises(f"# {GOOD}\nnascore: 1\nchannels: 16\n")


Fields = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")  # noqa: PYI024 - as users have it


def test_values_whose_text_is_a_genotype_are_read():
    given = published("DARTS_V2")
    fields = {cell: flat(given, cell) for cell in CELLS}
    fields |= {f"{cell}_concat": np.array(given[f"{cell}_concat"]) for cell in CELLS}
    registry, wanted = installed(), fingerprint(from_genotype("DARTS_V2"))
    for value in (fields, Fields(**fields), str(Fields(**fields)), fields | {"normal_concat": range(2, 6)}):
        assert fingerprint(read_architecture(value, registry)) == wanted
    for value in (7, None, object()):
        with pytest.raises(RecipeError, match="is not an architecture"):
            read_architecture(value, registry)
    with pytest.raises(RecipeError, match="neither a name nor a text"):
        read_architecture({"a": 1}, registry)


def test_random_networks_come_back():
    """Ours out, ours in, by way of every form."""
    rng = Random(3)  # noqa: S311 - no secret
    for text, want in lines(40, rng.randrange(1000)):
        if want.kind == "read":
            assert fingerprint(from_genotype(text, cells=3, channels=4, operations=["conv_3x3"])) == want.mark


def test_a_long_text_with_many_genotypes_takes_neither_memory_nor_time():
    lines_before = "\n" * 200_000
    tracemalloc.start()
    found = find(lines_before + "\n".join(f"G{place} = Genotype('{place}')" for place in range(300)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 300
    assert most < 5_000_000  # sixty times as much where each holds all the blank lines before it
    assert found[7].text == lines_before + "\n" * 7 + "     Genotype('7')"
    began = perf_counter()
    find("Genotype() " * 90_000)
    find(" " * 900_000 + "Genotype('a') " * 1_000)
    assert perf_counter() - began < 15  # minutes where each begins a search of all that follows
