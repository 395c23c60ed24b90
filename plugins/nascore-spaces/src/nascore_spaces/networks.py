"""Networks designed by hand, by name: each is a closed description in a file."""

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


def from_name(  # noqa: PLR0913 - what a name leaves open, each by name
    text: str,
    *,
    channels: int | None = None,
    cells: int | None = None,
    classes: int | None = None,
    in_channels: int = 3,
    auxiliary: bool = False,
) -> Description:
    """Return the network of a name. Its depth is part of it; width and classes are its own unless given.

    Args:
        text: One of :data:`nascore_spaces.space.NETWORKS`.
        channels: Its unit of width; None: as published.
        cells: Not to be given: the depth is part of the name.
        classes: Number of classes; None: as published.
        in_channels: Channels of the images.
        auxiliary: Add an auxiliary head where the reduction last rises.

    Raises:
        DescriptionError: There is no network of this name, or a depth is asked for.
    """
    name = text.strip()
    if name not in NETWORKS:
        raise DescriptionError(f"{name} is no network that has a name: {', '.join(NETWORKS)}.")
    if cells is not None:
        said = f"the depth of {name} is part of its name."
        raise DescriptionError([Problem(path="cells", text=said, hint="Leave --cells out.")])
    found = resize(spelled_out(read("networks", name)), channels=channels)
    found = evolve(found, classes=found.classes if classes is None else classes, in_channels=in_channels)
    source = reducing(found) if auxiliary else None
    return found if source is None else with_auxiliary(found, source)


def to_name(description: Description) -> str:
    """Return the name of a network; width, classes and channels of the images are no part of it.

    Raises:
        DescriptionError: It is none of those that have a name.
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
    raise DescriptionError(f"this is none of the networks that have a name: {', '.join(NETWORKS)}.")


NETWORK = Translator(
    name="network",
    summary="The name of a network designed by hand, such as resnet20.",
    to_text=to_name,
    from_text=from_name,
    recognises=recognises,
    names=NETWORKS,
)
