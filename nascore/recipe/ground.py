"""What stays the same while changes of a request are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.recipe.request import table_of
from nascore.recipe.settle import resolve

if TYPE_CHECKING:
    from nascore.component import Component, Slot
    from nascore.plugin import Registry
    from nascore.recipe.layer import Layer
    from nascore.recipe.recipe import Recipe
    from nascore.recipe.request import Request


@frozen(kw_only=True, eq=False)
class Ground:
    """What a request is settled on.

    Attributes:
        registry: What is installed.
        run: The component of the run itself.
        slots: The slots to settle.
        files: What preset, recipe and scale say; read once.
    """

    registry: Registry
    run: Component
    slots: tuple[Slot, ...]
    files: tuple[Layer, ...]

    @classmethod
    def of(cls, request: Request, registry: Registry, *, run: Component, slots: tuple[Slot, ...]) -> Ground:
        """Read the files of a request."""
        files = tuple(request.files(registry, slots=table_of(slots)))
        return cls(registry=registry, run=run, slots=slots, files=files)

    def recipe(self, request: Request) -> Recipe:
        """Settle a request with the same files; misfits have no text."""
        return self._resolved(self._layers(request))

    def opened(self, request: Request, slot: str) -> Recipe:
        """Settle a request as if nobody had named anything for a slot."""
        return self._resolved([_open(layer, slot) for layer in self._layers(request)])

    def label(self, component: Component) -> str:
        """What is typed for a component: the name, with the plugin's where the name alone is ambiguous."""
        full = self.registry.ambiguous(component.slot, component.name)
        return f"{component.plugin}:{component.name}" if full else component.name

    def _layers(self, request: Request) -> list[Layer]:
        return [*self.files, *request.typed(self.registry, slots=table_of(self.slots))]

    def _resolved(self, layers: list[Layer]) -> Recipe:
        return resolve(layers, self.registry, run=self.run, slots=self.slots, told=False)


def _open(layer: Layer, slot: str) -> Layer:
    return evolve(
        layer,
        chosen={name: choices for name, choices in layer.chosen.items() if name != slot},
        values=tuple(value for value in layer.values if value.slot != slot),
    )
