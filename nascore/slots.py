"""The slots of a search, declared once in a table."""

from __future__ import annotations

from typing import Final

from attrs import frozen

BUILTIN: Final = "builtin"
"""The name of the core's own plugin, without which nothing works."""


@frozen(kw_only=True)
class Slot:
    """A place in a search that components fill.

    From it follow the hook through which plugins bring components, the option of the command line, the key of
    a recipe and its JSON Schema, the rows of ``nascore list`` and ``nascore matrix``, and the checks of the
    conformance kit.

    Attributes:
        name: The slot's name, as it is typed: ``--updater``.
        summary: A phrase that describes its components.
        protocol: The protocol that the class of a component implements, as ``module:name``.
        conformance: The class of the kit that examines its components, as ``module:name``.
        many: Whether it holds a list of components instead of one.
        aside: Whether what fills it has no say in the result; a recipe that is written down then names it
            only where somebody did.
        implied: Whether a recipe that is written down leaves out its default, which never changes.
    """

    name: str
    summary: str
    protocol: str
    conformance: str
    many: bool = False
    aside: bool = False
    implied: bool = False

    @property
    def hook(self) -> str:
        """The hook through which plugins bring components for it."""
        return f"nascore_{self.name}s"

    def prefix(self, component: str) -> str:
        """Return the start of the ``--set`` paths of a component: ``updater.`` or ``regularizer.NAME.``."""
        return f"{self.name}.{component}." if self.many else f"{self.name}."


SLOTS: Final[tuple[Slot, ...]] = (
    Slot(
        name="space",
        summary="the architectures to choose from, as an open description",
        protocol="nascore.contract:Space",
        conformance="nascore.testing.space:SpaceConformance",
    ),
    Slot(
        name="growth",
        summary="the outer loop: which architectures are trained, and from which parents",
        protocol="nascore.contract:GrowthPolicy",
        conformance="nascore.testing.growth:GrowthConformance",
    ),
    Slot(
        name="updater",
        summary="the rule that changes the architecture parameters",
        protocol="nascore.contract:Updater",
        conformance="nascore.testing.updater:UpdaterConformance",
    ),
    Slot(
        name="trainer",
        summary="one training step of weights and architecture, with its gradient estimate",
        protocol="nascore.contract:Trainer",
        conformance="nascore.testing.trainer:TrainerConformance",
    ),
    Slot(
        name="relaxation",
        summary="the map from architecture parameters to weights of the operations",
        protocol="nascore.contract:Relaxation",
        conformance="nascore.testing.relaxation:RelaxationConformance",
    ),
    Slot(
        name="regularizer",
        summary="penalties on architecture parameters and operation weights",
        protocol="nascore.contract:Regularizer",
        conformance="nascore.testing.regularizer:RegularizerConformance",
        many=True,
    ),
    Slot(
        name="task",
        summary="what a network learns from images: its loss, its metrics, and how its outputs are read",
        protocol="nascore.contract:Task",
        conformance="nascore.testing.task:TaskConformance",
        implied=True,
    ),
    Slot(
        name="dataset",
        summary="the labelled images, their size and their split",
        protocol="nascore.contract:Dataset",
        conformance="nascore.testing.dataset:DatasetConformance",
    ),
    Slot(
        name="trick",
        summary="changes to weight training: images, loss, optimizer, schedule",
        protocol="nascore.contract:Trick",
        conformance="nascore.testing.trick:TrickConformance",
        many=True,
    ),
    Slot(
        name="executor",
        summary="runs the jobs of a growth run or of several searches, one by one or several at once",
        protocol="nascore.contract:Executor",
        conformance="nascore.testing.executor:ExecutorConformance",
        aside=True,
    ),
    Slot(
        name="observer",
        summary="watches the run without changing it",
        protocol="nascore.contract:Observer",
        conformance="nascore.testing.observer:ObserverConformance",
        many=True,
        aside=True,
    ),
)
"""All slots, in the order in which they are filled.

A new slot is a row here, a protocol, a class of the kit, its use in the engine, and a line in
`nascore/verbs/arguments.py`, which shows the argument to editors, type checkers and `help`. A folder of
its name in `nascore/scaffold/templates` is the part with which `nascore new-plugin` begins.
"""

DATASET: Final = "dataset"
TASK: Final = "task"
TRICK: Final = "trick"
EXECUTOR: Final = "executor"

SLOTS_OF_EVALUATE: Final = tuple(slot for slot in SLOTS if slot.name in {TASK, DATASET, TRICK, "observer"})
"""The slots of an evaluation: the architecture is fixed; task, data, tricks and observers are chosen."""

SLOTS_OF_ABLATION: Final = tuple(slot for slot in SLOTS if slot in SLOTS_OF_EVALUATE or slot.name == EXECUTOR)
"""The slots of an ablation, whose jobs are evaluations."""

RUN: Final = "run"
"""The pseudo-slot of the core itself: its settings are the top-level keys of a recipe."""
