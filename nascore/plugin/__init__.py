"""Finds plugins and their parts; no torch."""

from nascore.plugin.discover import discover
from nascore.plugin.plugin import Plugin, Selection
from nascore.plugin.registry import Registry

__all__ = ["Plugin", "Registry", "Selection", "discover"]
