"""The built-in operations of the catalogue, declared without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.api import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AFFINE: Final = {"affine": True}
POOL_NORM: Final = {"pool_norm": False}


def entries() -> Iterable[Operation]:
    """Yield every operation: candidates first, then what makes up the frame of a network."""
    yield from _plain()
    yield from _convolutions()
    yield from _frame()
    yield from _blocks()


def _plain() -> Iterable[Operation]:
    yield Operation(name="none", build="nascore.nn:Zero", strides=None)
    yield Operation(name="noise", build="nascore.nn:Noise", strides=None, random=True, settings={"copy": 0})
    yield Operation(
        name="skip_connect",
        build="nascore.nn:skip_connect",
        same_channels=True,
        identity=True,
        settings=AFFINE,
    )
    for name in ("max_pool_3x3", "avg_pool_3x3"):
        yield Operation(name=name, build=f"nascore.nn:{name}", same_channels=True, settings=POOL_NORM)


def _convolutions() -> Iterable[Operation]:
    for name in (
        "sep_conv_3x3",
        "sep_conv_5x5",
        "sep_conv_7x7",
        "dil_conv_3x3",
        "dil_conv_5x5",
        "conv_7x1_1x7",
        "conv_3x3",
        "nor_conv_1x1",
        "nor_conv_3x3",
    ):
        yield Operation(name=name, build=f"nascore.nn:{name}", settings=AFFINE)
    settings = {"expand": 6, "kernel": 3, **AFFINE}
    yield Operation(name="mbconv", build="nascore.nn:MobileBlock", settings=settings)


def _frame() -> Iterable[Operation]:
    yield _structural("stem", "stem", settings={"relu": False})
    yield _structural("imagenet_stem0", "imagenet_stem0", strides=(4,))
    yield _structural("imagenet_stem1", "imagenet_stem1")
    yield _structural("fit", "fit", settings=AFFINE)
    yield _structural("project", "project", strides=(1,), settings=AFFINE)
    yield _structural("classifier", "classifier", strides=(1,), settings={"size": 1})
    yield _structural("norm_classifier", "norm_classifier", strides=(1,))
    yield _structural("auxiliary", "Auxiliary", strides=(1,), settings={"imagenet": False})


def _blocks() -> Iterable[Operation]:
    # Their input is part of what they give, so dropping their path would drop the state as a whole.
    yield _structural("basic_block", "BasicBlock")
    yield _structural("residual_block", "ResidualBlock")


def _structural(
    name: str,
    attribute: str,
    *,
    strides: tuple[int, ...] = (1, 2),
    settings: Mapping[str, bool | int | float | str] | None = None,
) -> Operation:
    return Operation(
        name=name,
        build=f"nascore.nn:{attribute}",
        strides=strides,
        structural=True,
        settings=dict(settings or {}),
    )


OPERATIONS: Final = tuple(entries())
