"""The operations that the plugin adds to the catalogue; no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.api import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

AFFINE: Final = {"affine": True}
_MODULE = "nascore_spaces.operations"


def entries() -> Iterable[Operation]:
    """Yield what can stand on an edge, then what makes up the frame of a network."""
    yield Operation(
        name="conv_norm_relu", build=f"{_MODULE}:conv_norm_relu", settings={"kernel": 3, **AFFINE}
    )
    yield Operation(name="two_conv_3x3", build=f"{_MODULE}:two_conv_3x3", settings=AFFINE)
    yield Operation(name="bottleneck", build=f"{_MODULE}:bottleneck", settings={"narrow": 4, **AFFINE})
    yield Operation(name="dense_layer", build=f"{_MODULE}:dense_layer", strides=(1,))
    yield Operation(
        name="frame_conv",
        build=f"{_MODULE}:frame_conv",
        structural=True,
        settings={"kernel": 3, "activation": "relu", "norm": True},
    )
    yield Operation(
        name="frame_pool", build=f"{_MODULE}:frame_pool", strides=(2,), same_channels=True, structural=True
    )
    yield Operation(
        name="wide_classifier",
        build=f"{_MODULE}:wide_classifier",
        strides=(1,),
        structural=True,
        settings={"times": 4},
    )
    yield Operation(
        name="dense_transition", build=f"{_MODULE}:dense_transition", strides=(1, 2), structural=True
    )
