"""Which plugins are wanted: more than the installed ones, or fewer."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import evolve, frozen

from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nascore.plugin.plugin import Plugin

Wanted: TypeAlias = "Selection | Iterable[str | Path]"
"""A selection, or only the files that it adds."""

VARIABLE: Final = "NASCORE_WITHOUT"
CORE: Final = "nascore"


@frozen(kw_only=True)
class Selection:
    """Which plugins are wanted.

    A name is that of a plugin or of the distribution that it came with.

    Attributes:
        files: Python files that hold hooks, used beside what is installed (``--with``).
        without: Plugins that are left out; those that NASCORE_WITHOUT names are left out too.
        only: The installed plugins that are used; empty: all. The core's own always is, and so are files.
    """

    files: tuple[str | Path, ...] = ()
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @classmethod
    def of(cls, wanted: Wanted) -> Selection:
        """Return a selection as it is, and files as the selection that adds them."""
        return wanted if isinstance(wanted, Selection) else cls(files=tuple(wanted))

    def judged(self, plugin: Plugin, environment: Mapping[str, str] = os.environ) -> Plugin:
        """Return a plugin as it is, or blocked where it is not wanted.

        Args:
            plugin: One whose module is not imported yet.
            environment: Where NASCORE_WITHOUT is looked up.
        """
        if named(plugin, self.without):
            return _blocked(plugin, "--without names it", "Leave that out.")
        if named(plugin, _listed(environment)):
            return _blocked(plugin, f"{VARIABLE} names it", f"Take it out of {VARIABLE}.")
        core = same_distribution(plugin.distribution, CORE)
        if self.only and not plugin.is_file and not core and not named(plugin, self.only):
            return _blocked(plugin, "--only does not name it", f"Add {command_line('--only', plugin.name)}.")
        return plugin


def named(plugin: Plugin, names: Iterable[str]) -> bool:
    """Say whether one of some names is that of a plugin, or of its distribution."""
    return any(name == plugin.name or same_distribution(name, plugin.distribution) for name in names)


def same_distribution(one: str, other: str) -> bool:
    """Compare names as package indexes do: ``My_Plugin`` is ``my-plugin``."""
    return bool(other) and _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    # As `packaging.utils` does it, which takes long to import.
    return re.sub(r"[-_.]+", "-", name).lower()


def _listed(environment: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in environment.get(VARIABLE, "").split(",") if name.strip()]


def _blocked(plugin: Plugin, reason: str, cure: str) -> Plugin:
    return evolve(plugin, status="blocked", reason=reason, cure=cure)
