"""A network that nobody could build is refused while it is being placed, not after."""

from __future__ import annotations

import sys

import pytest
from command_line import cli

from nascore.description import expand, load
from nascore.errors import DescriptionError

TEXT = """\
nascore: 1
channels: 4
in_channels: 3
classes: 10
cells:
  c:
    inputs: [in0]
    nodes:
      n: {from: in0, ops: [conv_3x3, conv_1x1, conv_5x5, conv_7x7, conv_9x9, conv_2x2]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: c, repeat: REPEAT}
    head: {from: -1, op: classifier, width: classes}
"""

SMALL = ("search", "--updater", "uniform", "--dataset", "synthetic", "--scale", "mini")


def test_a_network_of_too_many_operations_is_refused(monkeypatch):
    monkeypatch.setattr(sys.modules["nascore.description.expand"], "MOST_OPERATIONS", 62)
    assert len(expand(load(TEXT.replace("REPEAT", "10"))).feature_maps) == 13
    with pytest.raises(DescriptionError, match="network: the network has more than 62 operations"):
        expand(load(TEXT.replace("REPEAT", "11")))


@pytest.mark.needs("nascore-spaces")
def test_so_is_a_space_that_is_as_large_as_its_settings_allow():
    done = cli(*SMALL, "--space", "darts-s3", "--set", "space.cells=100000", "--dry-run")
    assert done.exit_code == 3, done.output
    assert "unexpected" not in done.stderr
