"""The conformance kit: test classes for the parts of a plugin.

A subclass that names the component is a complete test file::

    from nascore.testing import UpdaterConformance

    class TestMine(UpdaterConformance):
        component = "mine"

``nascore check-plugin NAME`` runs the same checks and reports in sentences.

Small searches test a part together with others: :func:`faults_of` runs one, :func:`accepted_mixes` lists the
combinations, and :func:`covering_mixes` selects a few that cover all triples of parts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from nascore.plugin import discover
from nascore.slots import SLOTS
from nascore.testing.conformance import (
    Conformance,
    NotConformingError,
    NotExaminedError,
    Outcome,
    checks_of,
    examined,
)
from nascore.testing.dataset import DatasetConformance
from nascore.testing.executor import ExecutorConformance
from nascore.testing.growth import GrowthConformance
from nascore.testing.mixes import accepted_mixes, covering_mixes, faults_of
from nascore.testing.observer import ObserverConformance
from nascore.testing.operation import OperationConformance
from nascore.testing.plugin import PluginConformance
from nascore.testing.regularizer import RegularizerConformance
from nascore.testing.relaxation import RelaxationConformance
from nascore.testing.space import SpaceConformance
from nascore.testing.task import TaskConformance
from nascore.testing.trainer import TrainerConformance
from nascore.testing.trick import TrickConformance
from nascore.testing.updater import UpdaterConformance

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BY_KIND",
    "BY_SLOT",
    "Conformance",
    "DatasetConformance",
    "ExecutorConformance",
    "GrowthConformance",
    "NotConformingError",
    "NotExaminedError",
    "ObserverConformance",
    "OperationConformance",
    "Outcome",
    "PluginConformance",
    "RegularizerConformance",
    "RelaxationConformance",
    "SpaceConformance",
    "TaskConformance",
    "TrainerConformance",
    "TrickConformance",
    "UpdaterConformance",
    "accepted_mixes",
    "checks_of",
    "covering_mixes",
    "discover",
    "examined",
    "faults_of",
]


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
"""The conformance class of each kind of part, and of a plugin as a whole."""
