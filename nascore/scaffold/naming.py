"""Which names a new plugin may have: the same word names its distribution, its plugin and its part."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from nascore.component import RUN
from nascore.errors import Problem

if TYPE_CHECKING:
    from nascore.plugin import Registry

LONGEST: Final = 40
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED: Final = frozenset({"none", RUN})


def package_of(name: str) -> str:
    """Return the name of the package that a plugin's code is in."""
    return name.replace("-", "_")


def refused_name(name: str, slot: str, registry: Registry) -> Problem | None:
    """Return why a new plugin cannot have a name; None where it can.

    Args:
        name: The name.
        slot: The slot that its part is to fill.
        registry: What is installed.
    """
    if _NAME.fullmatch(name) is None or len(name) > LONGEST:
        text = f"{name!r} is not a name of lower-case letters, digits and dashes, at most {LONGEST} long."
        return Problem(path="NAME", text=text, hint=_near(name))
    taken = _taken(name, slot, registry)
    return Problem(path="NAME", text=taken, hint="Choose another name.") if taken else None


def _near(name: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-").lstrip("0123456789-")[:LONGEST].rstrip("-")
    return f"Did you mean {near}?" if near else ""


def _taken(name: str, slot: str, registry: Registry) -> str:
    package = package_of(name)
    if name in _RESERVED or keyword.iskeyword(package):
        return f"{name} has another meaning."
    if name in registry.names(slot):
        bringers = " and ".join(one.plugin for one in registry.components(slot) if one.name == name)
        return f"{bringers} brings the {slot} {name}."
    if name in registry.words():
        return f"a plugin is called {name}."
    spec = find_spec(package)
    # A folder without an __init__.py, such as one that is worked in, hides nothing.
    if spec is not None and spec.origin is not None:
        return f"a Python package is called {package}, which the plugin's own would hide."
    return ""
