"""Finding plugins and what they bring (torch-free)."""

from nascore.plugin.discover import discover
from nascore.plugin.plugin import Plugin, Selection
from nascore.plugin.registry import Registry

__all__ = ["Plugin", "Registry", "Selection", "discover"]
