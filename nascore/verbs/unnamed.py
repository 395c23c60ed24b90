"""A name that stands for nothing that is installed: the nearest thing, or who would bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.component import RUN
from nascore.errors import Problem, did_you_mean, refusal
from nascore.plugin.known import absence
from nascore.shell import command_line
from nascore.verbs.listing import KINDS, items

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.errors import NascoreError
    from nascore.plugin import Registry
    from nascore.verbs.listing import Listed


def unnamed(name: str, registry: Registry, own: Iterable[Listed] = ()) -> NascoreError:
    """Return the error of a name that nothing has.

    Args:
        name: What was typed.
        registry: What is installed.
        own: What the command line brings itself.
    """
    if name in KINDS:
        return _error(
            f"{name} is a slot or a kind of thing.", f"Write {command_line('nascore', 'list', name)}."
        )
    if name in {one.name for one in registry.plugins}:
        return _error(f"{name} is a plugin.", f"Write {command_line('nascore', 'plugins', 'show', name)}.")
    why = next(filter(None, (absence(kind, name, registry) for kind in KINDS)), None)
    if why is not None:
        text = f"nothing is called {name}; {why}"
        return refusal([Problem(path="", text=text, hint=why.cure, missing=why.missing, of_plugin=True)])
    known = [one for kind in KINDS for one in items(registry, kind)]
    names = {RUN, *(one.name for one in (*known, *own)), *(f"{one.plugin}:{one.name}" for one in known)}
    return _error(f"nothing is called {name}.", did_you_mean(name, names) or "See nascore list.")


def _error(text: str, hint: str) -> NascoreError:
    return refusal([Problem(path="", text=text, hint=hint)])
