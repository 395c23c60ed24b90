"""``nascore data``: what it says of a data set, and its contact sheet."""

from __future__ import annotations

import json
import zlib

import pytest
import torch
from command_line import cli

import nascore
from nascore.engine.contact_sheet import contact_sheet, png
from nascore.engine.data_report import find_duplicates
from nascore.engine.sources import source_of
from nascore.errors import RecipeError
from nascore.nn import Examples


def test_it_says_how_many_images_there_are_of_each_class():
    done = cli("data", "digits")
    assert done.exit_code == 0, done.output
    head, *rest = done.stdout.splitlines()
    assert head == "digits: 1,437 training and 360 test grey images of 8x8, 10 classes"
    assert "mean 0.3054, standard deviation 0.3761 (0 to 1)" in rest
    assert "balance: 138 to 147 training images in a class" in rest
    assert "duplicates: 0 in train, 0 in test, 0 of test in train" in rest
    assert [line.split() for line in rest if line.strip().startswith("8 ")] == [["8", "138", "36"]]


def test_json_has_the_facts_and_the_fingerprint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    size = ("--set", "dataset.count=64", "--set", "dataset.size=8")
    report = json.loads(cli("data", "synthetic", *size, "--json").stdout)
    assert report["facts"]["train"] == sum(report["train"]) == 64
    assert report["bytes"] == (64 + 16) * 3 * 8 * 8 * 4
    assert report["files"] is None
    words = ("search", "--space", "tiny", "--updater", "uniform", "--dataset", "synthetic", *size)
    short = ("--set", "trainer.epochs=2", "--set", "ranking.epochs=1", "--set", "ranking.batch=8")
    run = cli(*words, *short, "--scale", "mini", "--out", "run")
    assert run.exit_code == 0, run.output
    environment = json.loads((tmp_path / "run" / "environment.json").read_text(encoding="utf-8"))
    assert report["fingerprint"] == environment["data"]


def test_python_gives_the_same_report(tmp_path):
    report = nascore.describe_data("digits", sheet=tmp_path / "digits.png")
    assert (sum(report.train), sum(report.test), report.class_name(3)) == (1437, 360, "3")
    assert (tmp_path / "digits.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(RecipeError, match="no dataset is called digit"):
        nascore.describe_data("digit")


def test_unknown_settings_are_refused():
    done = cli("data", "digits", "--download")
    assert done.exit_code == 3
    assert "dataset.download" in done.stderr


def images(*values):
    return torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def test_duplicates_are_counted():
    train = Examples(images=images(1, 2, 2, 3, 3, 3), labels=torch.tensor([0, 0, 0, 1, 1, 0]))
    test = Examples(images=images(3, 4, 4, 2), labels=torch.tensor([1, 1, 1, 0]))
    found = find_duplicates(source_of(train), source_of(test))
    assert (found.across, found.train, found.test, found.conflicting) == (2, 3, 1, 4)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_contact_sheet_is_a_png_with_a_row_for_each_class(channels):
    pixels = torch.randint(256, (6, channels, 16, 16), dtype=torch.uint8)
    examples = Examples(images=pixels, labels=torch.tensor([1, 0, 0, 1, 1, 0]))
    sheet = contact_sheet(examples, range(3))
    assert sheet.shape == (2 + 2 * 34 + 34, 2 + 10 * 34, channels)
    assert torch.equal(sheet[2:34:2, 2:34:2], pixels[1].permute(1, 2, 0))
    assert torch.equal(sheet[36:68:2, 36:68:2], pixels[3].permute(1, 2, 0))
    assert bool((sheet[70:] == 255).all())
    content = png(sheet)
    size = int.from_bytes(content[33:37], "big")
    lines = zlib.decompress(content[41 : 41 + size])
    height, width, _ = sheet.shape
    assert int.from_bytes(content[16:20], "big") == width
    assert len(lines) == height * (1 + width * channels)
    assert lines[1 : 1 + width * channels] == sheet[0].numpy().tobytes()
    floats = contact_sheet(Examples(images=pixels / 255, labels=examples.labels), range(3))
    assert torch.equal(floats, sheet)
