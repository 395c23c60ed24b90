"""Where in a genotype's text a mistake is, and what the text may hold."""

from __future__ import annotations

import warnings

import pytest

from nascore.api import DescriptionError
from nascore_darts.genotype import GENOTYPE, from_genotype

PAIRS = "('skip_connect', 0), ('skip_connect', 1)"
SOUND = f"""
  Genotype(
    normal=[
      {PAIRS},
      {PAIRS},
    ],
    normal_concat=[2, 3],
    reduce=[{PAIRS}],
    reduce_concat=[2],
)"""

ROWS = {
    "unknown operation": ("'skip_connect', 0", "'skip_conect', 0", "4:7", "Did you mean skip_connect?"),
    "nothing near": ("'skip_connect', 0", "'gelu', 0", "4:7", "Known: none, max_pool_3x3, avg_pool_3x3"),
    "a triple of words": ("('skip_connect', 0)", "('a', 'b', 'c')", "4:7", "not an (operation, source) pair"),
    "a number": ("('skip_connect', 0)", "7", "4:7", "7 is not an (operation, source) pair"),
    "an index too far": ("'skip_connect', 1)", "'skip_connect', 2)", "4:28", "before this node are 0 to 1"),
    "a field": ("normal_concat", "normal_conat", "7:18", "Did you mean normal_concat?"),
    "a node of the concat": ("[2, 3]", "[2, 9]", "7:19", "9 is not a node of the cell; these are 2 to 3"),
    "a bracket": ("[2, 3]", "[2, 3", "10:1", "opening parenthesis '[' on line 7"),
    "too many brackets": ("[2, 3]", "[2, 3]]", "7:25", "closing parenthesis"),
    "code": ("[2, 3]", "[print(1)]", "7:19", "genotypes are read, never executed"),
    "an import": ("Genotype(", "__import__('os').system(", "2:3", "this is not a genotype"),
    "an odd number": (f"reduce=[{PAIRS}]", "reduce=[('skip_connect', 0)]", "8:12", "odd number of pairs, 1"),
}


def refusal(text):
    with pytest.raises(DescriptionError) as error:
        from_genotype(text)
    return error.value.problems


@pytest.mark.parametrize(("old", "new", "place", "said"), ROWS.values(), ids=ROWS)
def test_a_mistake_has_its_place(old, new, place, said):
    assert old in SOUND
    told = [each for each in refusal(SOUND.replace(old, new, 1)) if said in str(each)]
    assert [str(each.origin) for each in told] == [f"genotype:{place}"]


def test_positional_and_numbered_fields_have_places():
    (problem,) = refusal(f"Genotype([{PAIRS}], [2], [{PAIRS}], [5])")
    assert str(problem.origin) == "genotype:1:103"
    terms = "('skip_connect', 0, 2), ('skip', 1, 2)"
    (problem, *_) = refusal(
        f"CNNGenotype(normal_0=[{terms}], normal_0_concat=[2], reduce_1=[], reduce_1_concat=[])"
    )
    assert str(problem.origin).startswith("genotype:1:")


def test_nothing_of_a_text_is_executed(capsys):
    refusal("Genotype(normal=print('hello'), normal_concat=[2], reduce=[], reduce_concat=[2])")
    refusal("print('hello')")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "text", ["Genotype(normal='\\d')", "Genotype(normal='\\400')", "Genotype(normal=\\d)"]
)
def test_a_doubtful_escape_is_no_warning(text, monkeypatch):
    # Not even one that is ignored: filters are those of the whole process, so other threads would see it.
    monkeypatch.setattr(warnings, "catch_warnings", None)
    assert not any("escape" in str(problem) for problem in refusal(text))


def test_an_escape_is_not_read():
    problems = refusal(SOUND.replace("skip_connect", "\\x73kip_connect", 1))
    assert "x73kip_connect" in str(problems[0])


def test_the_published_names_are_known_to_who_asks():
    assert {"DARTS_V1", "DARTS_V2"} <= set(GENOTYPE.names)
    assert all(GENOTYPE.recognises(name) for name in GENOTYPE.names)
