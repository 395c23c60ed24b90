"""The spaces that are installed, at small sizes, and architectures drawn from them."""

from __future__ import annotations

from random import Random

from nascore.api import choose, derive, expand
from nascore.component import load
from nascore.plugin import discover
from nascore.testing.dataset import facts

REGISTRY = discover()
CATALOGUE = REGISTRY.operations()
OWN = ("mbconv", "resnet", "darts-s1", "darts-s2", "darts-s3", "darts-s4", "nb101", "macro")
OTHERS = ("darts", "nb201", "tiny", "planted")
EVERY = (*OWN, *(name for name in OTHERS if REGISTRY.get("space", name) is not None))


def described(name, kind, **settings):
    """The open description of a space at its size of the scale mini."""
    component = REGISTRY.get("space", name)
    return load(component.build)(component.config(**{**component.mini, **settings})).describe(kind)


def drawn(description, seed):
    """An architecture at random, by the rule of the groups; and its picks."""
    draw = Random(f"{seed}")  # noqa: S311 - nothing secret
    strength = {
        name: [[draw.random() for _ in layout.ops] for _ in layout.rows]
        for name, layout in expand(description).layouts.items()
    }
    picks = choose(description, strength)
    return derive(description, picks), picks


def kind(size, channels=3, classes=10):
    """Facts of data with square images."""
    return facts(channels=channels, size=size, classes=classes)
