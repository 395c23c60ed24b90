"""Which class of the kit examines the components of which slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.testing.dataset import DatasetConformance
from nascore.testing.growth import GrowthConformance
from nascore.testing.observer import ObserverConformance
from nascore.testing.operation import OperationConformance
from nascore.testing.plugin import PluginConformance
from nascore.testing.regularizer import RegularizerConformance
from nascore.testing.relaxation import RelaxationConformance
from nascore.testing.space import SpaceConformance
from nascore.testing.trainer import TrainerConformance
from nascore.testing.updater import UpdaterConformance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.testing.conformance import Conformance

BY_SLOT: Final[Mapping[str, type[Conformance]]] = {
    one.slot: one
    for one in (
        DatasetConformance,
        GrowthConformance,
        ObserverConformance,
        RegularizerConformance,
        RelaxationConformance,
        SpaceConformance,
        TrainerConformance,
        UpdaterConformance,
    )
}
"""The conformance class of each slot, by the slot's name."""

BY_KIND: Final[Mapping[str, type[Conformance]]] = {
    **BY_SLOT,
    "operation": OperationConformance,
    "plugin": PluginConformance,
}
"""The conformance class of whatever a plugin brings, and of the plugin as a whole."""
