"""``nascore matrix``, and what ``nascore show`` says of partners."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from nascore.cli import main

BUILTIN = ("--only", "builtin")
SMALL = (*BUILTIN, "--space", "tiny", "--growth", "none", "--regularizer", "none")


def said(*words, code=0):
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.output


def test_the_table_counts_by_two_slots():
    lines = said("matrix", *SMALL).splitlines()

    assert lines[0].split() == ["SLOT", "FILLED", "BY", "SGD", "UNIFORM"]
    rows = {line.split("  ")[0] + "/" + line.split("  ")[-1] for line in lines}
    assert rows
    single = next(line for line in lines if "single-level" in line)
    assert single.split()[-2:] == ["warned", "sound"]
    softmax = next(line for line in lines if "softmax" in line)
    assert softmax.split()[-3:] == ["sound", "2/1/0", "sound"]
    assert "18 combinations: 15 sound, 3 warned, 0 refused." in lines


def test_another_slot_can_be_across():
    head = said("matrix", *SMALL, "--by", "relaxation").splitlines()[0]

    assert head.split() == ["SLOT", "FILLED", "BY", "LINEAR", "ONE-HOT", "SOFTMAX"]
    assert "--by dataset" in said("matrix", *SMALL, "--by", "dataset", code=2)


def test_the_list_has_every_combination_with_its_reason():
    lines = said("matrix", *SMALL, "--list").splitlines()
    warned = said("matrix", *SMALL, "--list", "--verdict", "warned").splitlines()

    assert lines[0].split() == ["UPDATER", "TRAINER", "RELAXATION", "VERDICT", "WHY"]
    assert len(lines) == 1 + 18 + 2
    assert warned[0].split() == lines[0].split()
    assert len(warned) == 1 + 3 + 2
    assert all("sgd needs an estimate on images" in line for line in warned[1:4])


def test_json_has_every_combination_and_what_one_types_for_it():
    found = json.loads(said("matrix", *SMALL, "--json"))
    refused = json.loads(said("matrix", *BUILTIN, "--json", "--verdict", "refused"))

    assert found["counts"] == {"sound": 15, "warned": 3, "refused": 0}
    assert len(found["combinations"]) == 18
    assert found["axes"]["updater"] == ["sgd", "uniform"]
    assert "dataset: only the default of a search" in found["not_combined"]
    one = found["combinations"][0]
    assert set(one) == {*found["axes"], "verdict", "reasons", "typed"}
    assert len(refused["combinations"]) == refused["counts"]["refused"] > 0
    assert {one["verdict"] for one in refused["combinations"]} == {"refused"}
    assert all(one["reasons"] for one in refused["combinations"])


@pytest.mark.parametrize("number", [0, 8, 17])
def test_what_is_typed_for_a_combination_is_a_search(number):
    one = json.loads(said("matrix", *SMALL, "--json"))["combinations"][number]

    shown = said("search", *BUILTIN, *one["typed"].split(), "--dry-run")
    assert all(one[slot].split()[0] in shown for slot in ("space", "updater", "relaxation"))


def test_markdown_has_the_same_cells():
    text = [line.split() for line in said("matrix", *SMALL).splitlines()]
    marked = said("matrix", *SMALL, "--markdown").splitlines()
    cells = [line.replace("|", " ").split() for line in marked]

    assert cells[0] == [word.lower() for word in text[0]]
    assert cells[2:] == text[1:]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--json", "--markdown"], "only one of them at a time"),
        (["--verdict", "sound"], "--verdict is for --list and --json"),
        (["--by", "observer"], "is not one of"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(words, reason):
    assert reason in said("matrix", *SMALL, *words, code=2)


def test_a_name_that_is_mistyped_is_told():
    assert "Did you mean uniform?" in said("matrix", *BUILTIN, "--updater", "unifrom", code=3)


def test_show_says_what_a_component_mixes_with():
    lines = said("show", "linear", *BUILTIN).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("  mixes with"))

    assert "    space: file, planted, tiny" not in lines  # a file is named by its path, and not combined
    assert lines[start + 1] == "    space: planted, tiny"
    assert "    regularizer: none, l1" in lines
    assert any(
        line.startswith("      refused cost, entropy: ") or "refused entropy: " in line for line in lines
    )


def test_show_in_json_and_markdown_says_the_same():
    (found,) = json.loads(said("show", "linear", *BUILTIN, "--json"))
    text = said("show", "linear", *BUILTIN, "--markdown")

    assert text.startswith("### linear\n")
    for one in found["mixes"]:
        assert ", ".join(one["names"]) in text
        assert one["why"] in text


def test_show_all_is_every_component():
    everything = json.loads(said("list", *BUILTIN, "--json"))
    listed = {(one["kind"], one["name"]) for one in everything if one["kind"] != "execution"}
    found = json.loads(said("show", "--all", *BUILTIN, "--json"))
    page = said("show", "--all", *BUILTIN, "--markdown")

    assert {(one["slot"], one["name"]) for one in found} == listed
    assert [line for line in page.splitlines() if line.startswith("### ")] == [
        f"### {one['name']}" for one in found
    ]


@pytest.mark.parametrize("words", [[], ["linear", "--all"], ["--all", "--yaml"], ["--all", "--schema"]])
def test_show_takes_a_name_or_all(words):
    assert "Usage: " in said("show", *words, code=2)
