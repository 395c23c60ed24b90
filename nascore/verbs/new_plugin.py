"""Making a plugin to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nascore.errors import Problem, did_you_mean
from nascore.files import given_path
from nascore.scaffold import BLUEPRINTS, ScaffoldError, make, refused_name
from nascore.verbs.asking import found

if TYPE_CHECKING:
    from nascore.plugin.selection import Wanted
    from nascore.scaffold import Made


def new_plugin(name: str, slot: str, *, out: Path | None = None, plugins: Wanted = ()) -> Made:
    """Make a distribution with one part that works as made.

    Args:
        name: Name of the distribution, of the plugin and of its part.
        slot: The slot that the part fills.
        out: Folder of the distribution, new or empty; None: a new one called like it, here.
        plugins: A selection of plugins, whose names are taken.

    Raises:
        ScaffoldError: The slot has no template, the name is taken or is none, or the folder cannot be used.
    """
    if slot not in BLUEPRINTS:
        hint = did_you_mean(slot, BLUEPRINTS) or f"There is one for {', '.join(BLUEPRINTS)}."
        raise ScaffoldError([Problem(path="--slot", text=f"no template is for {slot}.", hint=hint)])
    refused = refused_name(name, slot, found(plugins))
    if refused is not None:
        raise ScaffoldError([refused])
    return make(name, BLUEPRINTS[slot], Path(name) if out is None else given_path(out))
