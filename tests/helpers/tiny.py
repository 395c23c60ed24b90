"""What makes a run small, and the smallest description that is closed."""

from __future__ import annotations

TINY = {
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "trainer.batch": 256,
    "ranking.channels": 2,
    "ranking.cells": 3,
    "ranking.epochs": 1,
    "ranking.batch": 256,
}
"""Settings with which a search takes a second or two."""

CLOSED = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, op: sep_conv_5x5}
    head: {from: -1, op: classifier, width: classes}
"""
