"""What makes a run small."""

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
