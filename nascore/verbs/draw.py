"""Draws an architecture: cells, weights and costs."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.description import draw as draw_text
from nascore.description import to_dot
from nascore.verbs.architecture import Size, folder_of, image_of, read_architecture
from nascore.verbs.resolution import installed
from nascore.verbs.runs import naming_code

if TYPE_CHECKING:
    from nascore.description import Description
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.verbs.architecture import Target


DEFAULT_IMAGE = (32, 32)
"""Default height and width of the images for which costs are counted, those of CIFAR."""


@frozen(kw_only=True)
class Counted:
    """The costs of a network; in an open network, all candidates count.

    Attributes:
        params: Number of parameters.
        macs: Multiply-accumulate operations per image.
        size: Height and width of the images, in pixels.
    """

    params: int
    macs: int
    size: tuple[int, int]

    def __str__(self) -> str:
        height, width = self.size
        return f"{self.params:,} parameters, {self.macs:,} MACs on images of {height}x{width}"


@frozen(kw_only=True)
class Drawing:
    """A drawing of an architecture, with its costs.

    Attributes:
        description: The architecture.
        text: The drawing of the cells for a terminal.
        counted: The costs.
    """

    description: Description
    text: str
    counted: Counted

    @property
    def dot(self) -> str:
        """The drawing as DOT text, for Graphviz."""
        return to_dot(self.description)


def draw(
    target: Target,
    *,
    entry: int | None = None,
    size: Size | None = None,
    image: tuple[int, int] | None = None,
    plugins: Wanted = (),
) -> Drawing:
    """Draw an architecture.

    Args:
        target: A run, or its folder; a description, or a file with one; a text in a notation of a plugin, a
            file with one (`FILE:NAME` where it has several), or a value that is printed so.
        entry: Id of an architecture in the run's gallery. None: the run's best.
        size: The size to which it is scaled before drawing.
        image: Height and width of the images that the cost is for, in pixels. None: those of the run, or
            32 by 32 where the target is none.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RecipeError: There is no such architecture, or it cannot be read.
    """
    registry = installed(plugins)
    description = read_architecture(target, registry, size, entry=entry)
    folder = folder_of(target)
    with nullcontext() if folder is None else naming_code(folder, registry):
        counted = count(description, registry, image or image_of(target) or DEFAULT_IMAGE)
    return Drawing(description=description, text=draw_text(description), counted=counted)


def count(description: Description, registry: Registry, image: tuple[int, int]) -> Counted:
    """Count a network without building it.

    Args:
        description: Open or closed.
        registry: Brings the operations.
        image: Height and width of the images, in pixels.
    """
    from nascore.engine.device import ambient
    from nascore.nn import costs

    with ambient():
        found = costs(description, registry.operations(), image)
    groups = found.groups.values()
    params = found.params + sum(int(group.params.sum()) for group in groups)
    return Counted(
        params=params, macs=found.macs + sum(int(group.macs.sum()) for group in groups), size=image
    )
