"""Kinds of data that a space is asked to fit."""

from __future__ import annotations

from typing import Final

from nascore.contract import DataFacts


def facts(*, channels: int, size: int, classes: int) -> DataFacts:
    """Return what is known of data with square images."""
    return DataFacts(
        channels=channels,
        height=size,
        width=size,
        classes=classes,
        train=100,
        test=20,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )


FACTS: Final = facts(channels=3, size=32, classes=10)
"""Those of CIFAR-10."""

KINDS: Final = (
    FACTS,
    facts(channels=1, size=8, classes=10),
    facts(channels=3, size=33, classes=100),
    facts(channels=1, size=16, classes=2),
    facts(channels=3, size=7, classes=2),
)
"""Those of CIFAR-10 and of digits; an odd size, many classes, two classes, and an image that is tiny."""
