"""The plugin's part passes the kit."""

from __future__ import annotations

from nascore.testing import SpaceConformance


class TestSpace(SpaceConformance):
    component = "nb201"
