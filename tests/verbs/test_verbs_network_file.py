"""A function of the user's own file gives the network of an evaluation."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import nascore
from nascore.cli import main
from nascore.errors import NascoreError, PluginError, RecipeError

MODULE = """
from torch import nn



def plain(num_classes, in_channels):
    conv = nn.Conv2d(in_channels, 4, 3, padding=1)
    head = nn.Linear(4, num_classes)
    return nn.Sequential(conv, nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def fixed():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 7))


def odd(depth):
    return nn.Identity()
"""
CALL = {"settings": {"training.epochs": 2, "training.batch": 512}}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(MODULE, encoding="utf-8")
    return path


def test_a_function_is_trained_stopped_resumed_and_predicts(file, tmp_path):
    whole = nascore.evaluate(f"{file}:plain", out=tmp_path / "whole", **CALL)
    assert whole.result["params"] == 4 * 9 + 4 + 8 + 5 * 10
    saved = whole.path / "files" / "net.py"
    assert saved.read_text(encoding="utf-8") == MODULE
    with pytest.raises(NascoreError, match=r"net\.py:plain"):
        nascore.evaluate(f"{file}:plain", out=tmp_path / "part", budget="3steps", **CALL)
    again = tmp_path / "part" / "files" / "net.py:plain"
    with pytest.raises(RecipeError, match="If you trust the file, add --with"):
        nascore.resume(tmp_path / "part")
    resumed = nascore.resume(tmp_path / "part", plugins=[again])
    files = [(run.path / "best/weights.safetensors").read_bytes() for run in (whole, resumed)]
    assert files[0] == files[1]
    assert nascore.replay(whole, plugins=[f"{file}:plain"]).verdict == "bit-equal"
    with pytest.raises(RecipeError, match="which is executed only if you name it"):
        whole.model()
    assert whole.model(plugins=[again]) is not None


def test_wrong_functions_are_refused(file, tmp_path):
    with pytest.raises(PluginError, match=r"has no function plan\. Did you mean plain\?"):
        nascore.evaluate(f"{file}:plan")
    with pytest.raises(PluginError, match=r"odd requires depth\. It gets arguments of these names: classes"):
        nascore.evaluate(f"{file}:odd")
    with pytest.raises(RecipeError, match="returns"):
        nascore.evaluate(f"{file}:fixed", out=tmp_path / "run")
    done = CliRunner().invoke(main, ["evaluate", f"{file}x:plain"])
    assert done.exit_code != 0
