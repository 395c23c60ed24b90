"""What a component needs to be installed: asked before a run begins, not when its module is imported."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from nascore.api import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice

DIGITS = "scikit-learn"


def digits_package(_settings: object, _recipe: Choice) -> Iterable[Problem]:
    """Yield the problem of `digits` where scikit-learn, which holds its images, is not installed."""
    if find_spec("sklearn") is None:
        text = "digits needs scikit-learn, which is not installed."
        hint = f"pip install {DIGITS}, or choose --dataset synthetic."
        yield Problem(path="dataset", text=text, hint=hint, slots=("dataset",), missing=DIGITS)
