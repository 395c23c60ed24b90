"""The settings of the tasks; no torch."""

from __future__ import annotations

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class MultilabelSettings:
    """Several labels for each image."""

    threshold: float = setting(
        0.5, "Probability from which on an image is predicted to have a label.", gt=0, lt=1
    )
