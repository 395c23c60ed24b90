"""Files of a run, cut off and changed: every answer is the right one or a refusal."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest
from tampered import Tampering, flips, one_registry, prefixes, unlisted, values_of


@pytest.fixture
def alone(tiny_run, tmp_path):
    """A copy of a run that is done, alone in its folder."""
    return Path(shutil.copytree(tiny_run, tmp_path / "alone" / "run"))


def damage(run):
    random = Random(0)  # noqa: S311 - mutations
    tampering = Tampering(run)
    for path in tampering.files():
        content, names = path.read_bytes(), tampering.reading(path)
        for changed, what in (*prefixes(content, 3, random), *flips(content, 3, random)):
            tampering.tried(path, changed, names, what)
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
        for path in [run / "gallery.json", run / "result.json"]:
            names = ["runs", "gallery", "compare"]
            for changed, what in list(values_of(path))[::3]:
                tampering.tried(path, changed, names, what)
    assert not [text for text in tampering.found if not text.startswith("wrong")]
    assert tampering.answers["refused"] > 100
