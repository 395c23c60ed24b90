"""The slots of a search, and the names that the core itself has among slots and plugins."""

from __future__ import annotations

from typing import Final

from attrs import frozen

BUILTIN: Final = "builtin"
"""The name of the core's own plugin, without which nothing works."""


@frozen(kw_only=True)
class Slot:
    """A place in a search that components fill.

    Attributes:
        name: What is typed: ``--updater``.
        summary: One sentence that says what fills it.
        many: Whether it holds a list of components instead of one.
        aside: Whether what fills it has no say in the result; a recipe that is written down then names it
            only where somebody did.
    """

    name: str
    summary: str
    many: bool = False
    aside: bool = False

    @property
    def hook(self) -> str:
        """The hook through which plugins bring components for it."""
        return f"nascore_{self.name}s"


SLOTS: Final[tuple[Slot, ...]] = (
    Slot(name="space", summary="the architectures to choose from, as an open description"),
    Slot(name="growth", summary="the outer loop: which architectures are made, and from which others"),
    Slot(name="updater", summary="the rule that moves the architecture parameters"),
    Slot(name="trainer", summary="one step of weights and architecture, and the estimate of the gradient"),
    Slot(name="relaxation", summary="the map from architecture parameters to the mixture of operations"),
    Slot(name="regularizer", summary="penalties on architecture parameters and mixture", many=True),
    Slot(name="dataset", summary="the examples, their facts and their split"),
    Slot(name="observer", summary="who watches the run, and changes nothing", many=True, aside=True),
)
"""All slots, in the order in which they are settled."""

RUN: Final = "run"
"""The pseudo-slot of the core itself: its settings are the top-level keys of a recipe."""
