"""The commands of the README, on a folder of 300 digits."""

from __future__ import annotations

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_digits

import nascore
from nascore.cli import main

README = Path(__file__).parents[1] / "README.md"
SMALL = {
    "search": ("trainer.epochs=1", "trainer.warm_up=0", "ranking.channels=2", "ranking.cells=3"),
    "evaluate": ("training.channels=4", "training.cells=3", "training.batch=16"),
    "data": (),
    "predict": (),
}
"""What shrinks the commands; a search needs more memory and minutes than a test may take."""


def words():
    (block,) = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    commands = [shlex.split(line)[1:] for line in block.splitlines()]
    return [[*line, *(word for text in SMALL[line[0]] for word in ("--set", text))] for line in commands]


@pytest.mark.skipif(find_spec("nascore_darts") is None, reason="nascore-darts is not installed")
def test_commands_from_a_folder_to_a_tested_network_and_its_predictions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = load_digits()
    for index in range(300):
        path = Path("photos", str(found.target[index]), f"{index}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((found.images[index] / 16 * 255).astype(np.uint8)).save(path)
    image = Path("new", "three.png")
    image.parent.mkdir()
    image.write_bytes(Path("photos/3/3.png").read_bytes())
    commands = words()
    assert [line[0] for line in commands] == ["data", "search", "evaluate", "predict"]
    for line in commands:
        done = CliRunner().invoke(main, line)
        assert done.exit_code == 0, done.output
    name, best = done.output.split()[:2]
    assert name == str(image)
    assert Path("photos.png").is_file()
    results = [json.loads(path.read_text(encoding="utf-8")) for path in Path("runs").glob("*/result.json")]
    assert sorted(one["kind"] for one in results) == ["evaluate", "search"]
    run = nascore.load_run("runs/trained")
    assert run.result["test_count"] == 60
    assert run.result["test_accuracy"] > 0.3  # 0.1 by chance
    assert run.predict([np.asarray(Image.open(image))]).names == [best]
