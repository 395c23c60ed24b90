"""Paths on the command line."""

from __future__ import annotations

from os import fsdecode
from typing import TYPE_CHECKING, Any

import click

from nascore.files import given_path

if TYPE_CHECKING:
    from pathlib import Path


class GivenPath(click.Path):
    """A path in which ``~`` is the home folder, also where the shell did not expand it."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path."""
        return given_path(fsdecode(super().convert(value, param, ctx)))


GIVEN = GivenPath()
