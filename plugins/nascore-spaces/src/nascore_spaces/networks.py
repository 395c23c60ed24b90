"""Named networks that were designed by hand, each a closed description in a file."""

from __future__ import annotations

from attrs import evolve

from nascore.api import (
    Description,
    DescriptionError,
    Problem,
    Translator,
    final,
    fingerprint,
    reducing,
    resize,
    with_auxiliary,
)
from nascore_spaces.space import NETWORKS, read, spelled_out


def recognises(text: str) -> bool:
    """Return whether the text is the name of a network."""
    return text.strip() in NETWORKS


def from_name(  # noqa: PLR0913 - the values that a name does not contain
    text: str,
    *,
    channels: int | None = None,
    cells: int | None = None,
    classes: int | None = None,
    in_channels: int = 3,
    auxiliary: bool = False,
) -> Description:
    """Return the network of a name, with the published depth, width and classes unless others are given.

    Args:
        text: One of :data:`nascore_spaces.space.NETWORKS`.
        channels: Its unit of width; None: as published.
        cells: Has to be None: the depth is part of the name.
        classes: Number of classes; None: as published.
        in_channels: Channels of the images.
        auxiliary: Add an auxiliary head after the last reduction.

    Raises:
        DescriptionError: No network has this name, or `cells` is not None.
    """
    name = text.strip()
    if name not in NETWORKS:
        raise DescriptionError(f"no network is called {name}. Known: {', '.join(NETWORKS)}.")
    if cells is not None:
        message = f"the depth of {name} is part of its name."
        raise DescriptionError([Problem(path="cells", text=message, hint="Leave --cells out.")])
    found = resize(spelled_out(read("networks", name)), channels=channels)
    found = evolve(found, classes=found.classes if classes is None else classes, in_channels=in_channels)
    source = reducing(found) if auxiliary else None
    return found if source is None else with_auxiliary(found, source)


def to_name(description: Description) -> str:
    """Return the name of a network, which does not contain width, classes and channels of the images.

    Raises:
        DescriptionError: The network has no name.
    """
    wanted = fingerprint(final(description))
    for name in NETWORKS:
        same = from_name(
            name,
            channels=description.channels,
            classes=description.classes,
            in_channels=description.in_channels,
            auxiliary=description.auxiliary is not None,
        )
        if fingerprint(same) == wanted:
            return name
    raise DescriptionError(f"this network has no name. Named networks: {', '.join(NETWORKS)}.")


NETWORK = Translator(
    name="network",
    summary="The name of a network designed by hand, such as resnet20.",
    to_text=to_name,
    from_text=from_name,
    recognises=recognises,
    names=NETWORKS,
)
