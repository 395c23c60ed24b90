"""The plugin's parts pass the kit."""

from __future__ import annotations

from nascore.testing import SpaceConformance, UpdaterConformance


class TestSpace(SpaceConformance):
    component = "darts"


class TestUpdater(UpdaterConformance):
    component = "darts"
