"""Networks of timm and torchvision: operations that are whole networks, and notations that name them.

A network becomes a description of one node, so that it is trained, saved, resumed, drawn and compared like
any other architecture. This module imports neither torch nor the libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.api import (
    Description,
    DescriptionError,
    Edge,
    Graph,
    Node,
    Op,
    Operation,
    Pretrained,
    Problem,
    Translator,
    did_you_mean,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


NODE: Final = "network"
"""The name of the only node."""

NEAR: Final = 3
"""Number of letters that an unknown name shares with the names that are listed for it."""

SHOWN: Final = 5
"""Number of names that a message lists."""

AS_PUBLISHED: Final = -1
"""The value of a number that leaves it to the library."""


UNTAGGED: Final = "default"
"""The value of `tag` for the weights that timm prefers."""


@frozen(kw_only=True)
class Library:
    """A library of networks.

    Attributes:
        name: Its name, which begins the text of a network: ``timm:resnet18``.
        settings: The settings of the operation with their defaults; `name` is the network.
        names: ``module:function`` that returns the names of all its networks.
        build: ``module:function`` that builds a network.
        pretrained: ``module:function`` that looks for the published weights of a network.
        weights: ``module:function`` that renames the tensors of published weights; None: the names are equal.
    """

    name: str
    settings: Mapping[str, int | float | str]
    names: str
    build: str
    pretrained: str
    weights: str | None = None

    @property
    def prefix(self) -> str:
        """The beginning of the text of a network."""
        return f"{self.name}:"

    def recognises(self, text: str) -> bool:
        """Return whether a text names a network of this library."""
        return text.strip().startswith(self.prefix)

    def read(  # noqa: PLR0913 - the values that a name does not contain
        self,
        text: str,
        *,
        channels: int | None = None,
        cells: int | None = None,
        classes: int = 10,
        in_channels: int = 3,
        auxiliary: bool = False,
    ) -> Description:
        """Return the network of a text: ``timm:resnet18``, ``timm:vit_tiny_patch16_224(img_size=32)``.

        Args:
            text: The name, and perhaps settings of the operation.
            channels: Has to be None, as `cells`: the size is part of the name.
            cells: Has to be None.
            classes: Number of outputs.
            in_channels: Channels of the images.
            auxiliary: Has to be false.

        Raises:
            DescriptionError: No network has this name, or a setting does not exist.
        """
        op = self._operation(text.strip().removeprefix(self.prefix))
        sizes = {"channels": channels, "cells": cells, "auxiliary": auxiliary or None}
        problems = [
            Problem(path=size, text=f"{text.strip()} cannot be scaled by it.", hint=f"Leave --{size} out.")
            for size, value in sizes.items()
            if value is not None
        ]
        if problems:
            raise DescriptionError(problems)
        node = Node(name=NODE, edges=(Edge(source="images", ops=(op,)),), width="classes")
        network = Graph(inputs=("images",), nodes=(node,), output=NODE)
        return Description(network=network, in_channels=in_channels, classes=classes)

    def _operation(self, text: str) -> Op:
        whole, bracket, settings = text.partition("(")
        name, dot, tag = whole.partition(".")
        known: list[str] = _function(self.names)()
        if name not in known:
            short = [one for one in known if name and one.startswith(name[:NEAR].lower())]
            listed = f"Names that begin alike: {', '.join(short[:SHOWN])}." if short else ""
            message = f"{self.name} has no network called {name or 'nothing'}."
            hint = did_you_mean(name, known) or listed
            raise DescriptionError([Problem(path="", text=message, hint=hint)])
        tagged = f";tag={tag}" if dot else ""
        more = f";{settings}" if bracket else ")"
        return Op.parse(f"{self.name}(name={name}{tagged}{more}")

    def find_pretrained(self, text: str) -> Pretrained | None:
        """Return the published weights of a network by its text; None if it has none.

        Raises:
            DescriptionError: No network, or no weights, have this name.
        """
        op = self._operation(text.strip().removeprefix(self.prefix))
        found: Pretrained | None = _function(self.pretrained)({**self.settings, **dict(op.settings)})
        return found

    def write(self, description: Description) -> str:
        """Return the text of a network of this library.

        Raises:
            DescriptionError: The description has other operations.
        """
        nodes = description.network.nodes
        ops = [op for node in nodes for edge in node.edges for op in edge.ops]
        if len(nodes) != 1 or len(ops) != 1 or ops[0].name != self.name:
            raise DescriptionError(f"this is not a network of {self.name}.")
        settings = dict(ops[0].settings)
        tag = f".{settings['tag']}" if "tag" in settings else ""
        rest = str(ops[0].without("name", "tag")).removeprefix(self.name)
        return f"{self.prefix}{settings['name']}{tag}{rest}"

    def operation(self) -> Operation:
        """Return the operation that is a whole network of this library."""
        return Operation(
            name=self.name,
            build=self.build,
            strides=(1,),
            structural=True,
            weights=self.weights,
            settings=dict(self.settings),
        )

    def notation(self) -> Translator:
        """Return the notation of this library's names."""
        return Translator(
            name=self.name,
            summary=f"A network of {self.name} by its name, such as {self.prefix}{self.settings['name']}.",
            to_text=self.write,
            from_text=self.read,
            recognises=self.recognises,
            pretrained=self.find_pretrained,
        )


def _function(place: str) -> Any:  # noqa: ANN401 - any function of the library's module
    module, _, function = place.partition(":")
    return getattr(import_module(module), function)


LIBRARIES: Final = (
    Library(
        name="timm",
        settings={
            "name": "resnet18",
            "tag": UNTAGGED,
            "drop_rate": float(AS_PUBLISHED),
            "drop_path_rate": float(AS_PUBLISHED),
            "img_size": AS_PUBLISHED,
        },
        names="nascore_vision.networks.of_timm:names",
        build="nascore_vision.networks.of_timm:network",
        pretrained="nascore_vision.networks.of_timm:pretrained",
    ),
    Library(
        name="torchvision",
        settings={
            "name": "mobilenet_v2",
            "dropout": float(AS_PUBLISHED),
            "stochastic_depth_prob": float(AS_PUBLISHED),
            "image_size": AS_PUBLISHED,
        },
        names="nascore_vision.networks.of_torchvision:names",
        build="nascore_vision.networks.of_torchvision:network",
        pretrained="nascore_vision.networks.of_torchvision:pretrained",
        weights="nascore_vision.networks.of_torchvision:renamed",
    ),
)


@hookimpl
def nascore_operations() -> Iterable[Operation]:
    """Yield the operations that are networks."""
    return [library.operation() for library in LIBRARIES]


@hookimpl
def nascore_translators() -> Iterable[Translator]:
    """Yield the notations of the names of networks."""
    return [library.notation() for library in LIBRARIES]
