"""These tests are there only where the plugin is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

collect_ignore_glob: list[str] = []

try:
    distribution("nascore-vision")
except PackageNotFoundError:
    collect_ignore_glob = ["test_*.py"]
