"""The conformance kit: test classes for the parts of a plugin.

One subclass that names the component is a whole first test file::

    from nascore.testing import UpdaterConformance

    class TestMine(UpdaterConformance):
        component = "mine"

``nascore check-plugin NAME`` runs the same checks and reports in sentences.

Beside others a part is tried by small searches with what goes with it: :func:`faults_of` those that
:func:`covering_mixes` chooses of :func:`accepted_mixes`.
"""

from nascore.plugin import discover
from nascore.testing.conformance import (
    Conformance,
    NotConformingError,
    NotExaminedError,
    Outcome,
    checks_of,
    examined,
)
from nascore.testing.dataset import DatasetConformance
from nascore.testing.growth import GrowthConformance
from nascore.testing.mixes import accepted_mixes, covering_mixes, faults_of
from nascore.testing.observer import ObserverConformance
from nascore.testing.operation import OperationConformance
from nascore.testing.plugin import PluginConformance
from nascore.testing.regularizer import RegularizerConformance
from nascore.testing.relaxation import RelaxationConformance
from nascore.testing.slots import BY_KIND, BY_SLOT
from nascore.testing.space import SpaceConformance
from nascore.testing.trainer import TrainerConformance
from nascore.testing.updater import UpdaterConformance

__all__ = [
    "BY_KIND",
    "BY_SLOT",
    "Conformance",
    "DatasetConformance",
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
    "TrainerConformance",
    "UpdaterConformance",
    "accepted_mixes",
    "checks_of",
    "covering_mixes",
    "discover",
    "examined",
    "faults_of",
]
