"""How the origin of a value is printed."""

from __future__ import annotations

import pytest

from nascore.errors import Origin


@pytest.mark.parametrize(
    ("origin", "printed"),
    [
        (Origin(kind="recipe", file="C:\\a.yaml", line=3, column=7), "C:\\a.yaml:3:7"),
        (Origin(kind="python", file="mine.py", line=3), "mine.py:3"),
        (Origin(kind="recipe", file="a.yaml"), "a.yaml"),
        (Origin(kind="flag", flag="--updater", value="sgd"), "--updater sgd"),
        (Origin(kind="flag", value="a.yaml"), "a.yaml"),
        (Origin(kind="set", flag="--set", value="seed=3"), "--set seed=3"),
        (Origin(kind="python", flag="updater", value="'sgd'"), "updater='sgd'"),
        (Origin(kind="python", flag="settings['seed']"), "settings['seed']"),
        (Origin(kind="wish", who="random"), "wished by random"),
        (Origin(kind="wish", who="space darts", what="published size"), "published size of space darts"),
        (Origin(kind="scale", who="mini"), "scale mini"),
        (Origin(kind="default", who="darts", what="default"), "default of darts"),
        (Origin(kind="default", what="the core"), "the core"),
        (Origin(kind="python"), ""),
    ],
)
def test_an_origin_is_the_place_to_look_at(origin, printed):
    assert str(origin) == printed
