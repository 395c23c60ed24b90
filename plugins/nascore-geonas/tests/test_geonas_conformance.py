"""The plugin's part passes the kit."""

from __future__ import annotations

from nascore.testing import UpdaterConformance


class TestUpdater(UpdaterConformance):
    component = "geonas"
