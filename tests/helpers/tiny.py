"""What makes a run small, and the smallest description that is closed."""

from __future__ import annotations

TINY = {
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "trainer.batch": 256,
    "training.channels": 2,
    "training.cells": 3,
    "training.epochs": 1,
    "training.batch": 256,
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
