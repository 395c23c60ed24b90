"""Finding plugins and what they bring (torch-free)."""

from nascore.plugin.discover import discover
from nascore.plugin.plugin import Plugin
from nascore.plugin.registry import Registry
from nascore.plugin.selection import Selection

__all__ = ["Plugin", "Registry", "Selection", "discover"]
