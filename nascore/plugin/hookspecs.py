"""The hook specifications: the functions by which a plugin declares its contents.

A hook takes no arguments and returns an iterable of declarations. It is called once, when plugins are loaded,
so it should import nothing heavy::

    from nascore.api import Component, hookimpl

    @hookimpl
    def nascore_updaters():
        yield Component(name="mine", slot="updater", summary="...", build="my_package.updater:Mine")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.component import hookspec
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from nascore.component import Command, Component, Execution, ImageReader, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator
    from nascore.slots import Slot


def _of_slot(slot: Slot) -> Callable[[], Iterable[Component]]:
    """Return the specification of the hook for components of a slot."""

    def specification() -> Iterable[Component]:  # type: ignore[empty-body]
        ...

    specification.__name__ = specification.__qualname__ = slot.hook
    specification.__doc__ = f"{slot.summary[0].upper()}{slot.summary[1:]}."
    return hookspec(specification)


globals().update({slot.hook: _of_slot(slot) for slot in SLOTS})


@hookspec
def nascore_operations() -> Iterable[Operation]:  # type: ignore[empty-body]
    """Entries of the catalogue of operations, for use in descriptions."""


@hookspec
def nascore_presets() -> Iterable[Preset]:  # type: ignore[empty-body]
    """Presets: recipes with a name, which reproduce published results."""


@hookspec
def nascore_translators() -> Iterable[Translator]:  # type: ignore[empty-body]
    """Notations in which architectures are written and read, such as genotype text."""


@hookspec
def nascore_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Verbs of the command line."""


@hookspec
def nascore_image_readers() -> Iterable[ImageReader]:  # type: ignore[empty-body]
    """Readers of image files, for predictions."""


@hookspec
def nascore_executions() -> Iterable[Execution]:  # type: ignore[empty-body]
    """Ways in which networks compute, for the setting `execution.name`."""


@hookspec
def nascore_addhooks() -> Iterable[ModuleType]:  # type: ignore[empty-body]
    """Modules (or objects) with new hook specifications, which other plugins can implement."""
