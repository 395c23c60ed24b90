"""The conformance class of each slot."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from nascore.slots import SLOTS
from nascore.testing.operation import OperationConformance
from nascore.testing.plugin import PluginConformance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.testing.conformance import Conformance


def _load(name: str) -> type[Conformance]:
    module, _, attribute = name.partition(":")
    found: type[Conformance] = getattr(import_module(module), attribute)
    return found


BY_SLOT: Final[Mapping[str, type[Conformance]]] = {slot.name: _load(slot.conformance) for slot in SLOTS}
"""The conformance class of each slot, by the slot's name."""

BY_KIND: Final[Mapping[str, type[Conformance]]] = {
    **BY_SLOT,
    "operation": OperationConformance,
    "plugin": PluginConformance,
}
"""The conformance class of whatever a plugin brings, and of the plugin as a whole."""
