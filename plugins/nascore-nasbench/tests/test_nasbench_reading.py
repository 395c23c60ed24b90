"""Reading architecture strings: what is wrong with one is told with its place, and nothing is executed."""

from __future__ import annotations

import pytest

from nascore.api import DescriptionError
from nascore.verbs.architecture import read_architecture
from nascore.verbs.resolution import installed
from nascore_nasbench.strings import STRINGS, from_string, to_string

SOUND = "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
WRONG = {
    "no first bar": ("|none~0|+", "none~0|+", "1:1", "must begin and end with a bar, not with 'none~0'"),
    "no last bar": ("3x3~2|", "3x3~2", "1:65", "must begin and end with a bar, not with 'avg_pool_3x3~2'"),
    "no bar inside": ("~0|nor", "~0nor", "1:10", "has 1 edge, not 2: one for each state before it"),
    "two bars inside": ("|none~1|", "|none~1||", "1:42", "has 4 edges, not 3"),
    "another source": ("1x1~1", "1x1~0", "1:39", "reads state 0 a second time. Name each of states 0 to 1"),
    "a source in another's place": ("3x3~0", "3x3~1", "1:39", "reads state 1 a second time. Name each of"),
    "a later source": ("3x3~2", "3x3~3", "1:78", "reads state 3; node 3 reads states 0 to 2. Name each of"),
    "a source that is no number": ("3x3~2", "3x3~-1", "1:65", "'avg_pool_3x3~-1' is not OPERATION~STATE"),
    "no source": ("3x3~2", "3x3", "1:65", "'avg_pool_3x3' is not OPERATION~STATE. Write avg_pool_3x3~2."),
    "two sources": ("3x3~2", "3x3~2~2", "1:65", "not OPERATION~STATE"),
    "no operation": ("skip_connect~0", "~0", "1:43", "3<-0: there is no operation ''. Known: none,"),
    "a mistyped operation": ("skip_connect", "skip_conect", "1:43", "Did you mean skip_connect?"),
    "other capitals": ("skip_connect", "Skip_Connect", "1:43", "Did you mean skip_connect?"),
    "another operation": ("skip_connect", "gelu", "1:43", "there is no operation 'gelu'. Known: none,"),
    "too many nodes": ("pool_3x3~2|", "pool_3x3~2|+|none~0|", "1:81", "has 3 nodes, separated by `+`, not 4"),
    "too few nodes": ("|none~0|+", "", "1:33", "has 3 nodes, separated by `+`, not 2"),
    "an edge too many": ("|none~0|+", "|none~0|none~0|+", "1:1", "node 1: has 2 edges, not 1"),
    "an edge missing": ("none~1|", "", "1:42", "node 3: has 2 edges, not 3"),
    "nothing between": ("|nor_conv_3x3~0|nor_conv_1x1~1|", "", "1:10", "not with ''"),
    "an edge that is empty": ("none~1", "", "1:58", "3<-1: '' is not OPERATION~STATE. Write OP~1."),
    "code": ("none~1", "__import__('os')~1", "1:58", "there is no operation \"__import__('os')\""),
    "superscript digits": ("3x3~2", "3x3~²", "1:65", "is not OPERATION~STATE"),
    "a huge number": ("3x3~2", "3x3~" + "9" * 99, "1:65", "is not OPERATION~STATE"),
    "on another line": ("+|skip", "+\n|skp_connect~0", "2:2", "Did you mean skip_connect?"),
}  # fmt: skip


def refusal(text):
    with pytest.raises(DescriptionError) as error:
        from_string(text)
    return error.value.problems


@pytest.mark.parametrize(("old", "new", "place", "said"), WRONG.values(), ids=WRONG)
def test_a_mistake_has_its_place_and_what_is_right(old, new, place, said):
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    assert STRINGS.recognises(text)
    told = [problem for problem in refusal(text) if said in str(problem)]
    assert [str(problem.origin) for problem in told] == [f"nb201:{place}"]


def test_all_mistakes_come_at_once():
    text = SOUND.replace("none~0", "non~0").replace("1x1~1", "1x1~7").replace("3x3~2|", "3x3~2")
    assert [problem.path for problem in refusal(text)] == ["1<-0", "2<-1", "node 3"]


@pytest.mark.parametrize("text", ["", "|", "|" * 1999, "+" * 1999, "|none~0|" * 200, "|" + "x" * 100_000])
def test_what_is_far_off_is_refused(text):
    assert refusal(text)


def test_space_and_lines_around_the_pieces_are_allowed():
    text = " " + SOUND.replace("+", "\n + ").replace("~", " ~ ") + "\n"
    assert STRINGS.recognises(text)
    assert to_string(from_string(text)) == SOUND


@pytest.mark.parametrize(
    "text", ["", "nascore: 1\nchannels: 4\n", "DARTS_V2", "none", "runs/a~1", "Genotype(normal=[])"]
)
def test_other_texts_are_not_recognised(text):
    assert not STRINGS.recognises(text)


# ---- pasted

MIXED = "|nor_conv_3x3~0|+|avg_pool_3x3~1|nor_conv_3x3~0|+|skip_connect~2|none~0|nor_conv_3x3~1|"
SORTED = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2|"
PASTED = {
    "quotes": f"'{SOUND}'",
    "back quotes": f"`{SOUND}`",
    "AutoDL's Structure": f"Structure(4 nodes with {SOUND})",
    "a comma": f"{SOUND},",
    "a byte order mark": f"\ufeff{SOUND}",
    "an assignment": f"BEST = '{SOUND}'\n",
    "a log line": f"[2020-01-01] the best is {SOUND} with 94.37 %",
    "a log line of Structure": f"[2020-01-01] genotype: Structure(4 nodes with {SOUND})",
    "twice the same": f"A = '{SOUND}'\nB = '{SOUND}'",
    "json": f'{{"arch": "{SOUND}", "accuracy": 94.3}}',
}


@pytest.mark.parametrize("form", PASTED)
def test_a_pasted_string_is_read(form):
    assert STRINGS.recognises(PASTED[form])
    assert to_string(from_string(PASTED[form])) == SOUND


def test_edges_in_another_order_are_sorted_since_each_names_its_state():
    assert to_string(from_string(MIXED)) == SORTED


def test_edges_that_are_left_out_are_refused_with_the_same_network_written_out():
    problems = refusal("|nor_conv_3x3~0|+|nor_conv_3x3~0|+|skip_connect~0|nor_conv_3x3~2|")
    hints = [problem.hint for problem in problems]
    assert hints[0].endswith("none: |nor_conv_3x3~0|none~1|.")
    assert hints[1].endswith("none: |skip_connect~0|none~1|nor_conv_3x3~2|.")


def test_of_several_strings_one_is_asked_for(tmp_path):
    text = f"A = '{SOUND}'\nB = '{SORTED}'\n"
    with pytest.raises(DescriptionError, match="2 architecture strings, in lines 1, 2"):
        from_string(text)
    file = tmp_path / "two strings.txt"
    file.write_text(text)
    registry = installed()
    with pytest.raises(DescriptionError, match=r"holds 2 of nb201: A \(line 1\), B \(line 2\)"):
        read_architecture(file, registry)
    assert to_string(read_architecture(f"{file}:B", registry)) == SORTED
    assert to_string(read_architecture(f"{file}:1", registry)) == SOUND


def test_lines_of_strings_are_several():
    with pytest.raises(DescriptionError, match="2 architecture strings"):
        from_string(f"{SOUND}\n{SORTED}\n")


def test_numbers_are_refused_with_the_networks_that_they_may_be():
    (problem,) = refusal("(4, 0, 3, 1, 4, 3)")
    readings = str(problem)
    # By the table of the benchmark; by NASLib, which counts skip_connect first and edges by their source.
    assert (
        "|avg_pool_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|" in readings
    )
    assert (
        "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|" in readings
    )


def test_numbers_that_say_the_same_everywhere_are_read():
    cell = "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|"
    assert to_string(from_string("(4, 4, 4, 4, 4, 4)")) == cell


@pytest.mark.parametrize("text", ["|" * 100_000, "|a~0" * 50_000, "a|" * 100_000, "|a~0|+" * 40_000])
def test_a_search_for_strings_is_linear(text):
    assert refusal(text)
