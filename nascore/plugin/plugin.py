"""A plugin with its status, and the reason if it could not be loaded."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nascore.component import Command, Component, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator


Status = Literal["ready", "blocked", "clash", "broken", "foreign"]


@frozen(kw_only=True, eq=False)
class Plugin:
    """One plugin and what it brings.

    Attributes:
        name: The name of its entry point, or of its file.
        value: Its module or file.
        distribution: The installed distribution that it came with; empty for a file.
        version: That distribution's version.
        status: ``ready``; or it brings nothing, being ``blocked`` (switched off), in a ``clash`` (another has
            its name), ``broken`` (it cannot be loaded) or ``foreign`` (made for another version of nascore).
        reason: Why it is not ready.
        cure: What to do about that.
        trace: The traceback, where an exception broke it.
        remarks: What its code did to the process when it was imported, put back since: a verb and its object.
        components: What fills slots.
        operations: Entries of the catalogue of operations.
        presets: Recipes.
        translators: Other notations for architectures.
        commands: Verbs.
        added: What it brings through hooks that other plugins added, by hook.
    """

    name: str
    value: str
    distribution: str = ""
    version: str = ""
    status: Status = "ready"
    reason: str = ""
    cure: str = ""
    trace: str = ""
    remarks: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    operations: tuple[Operation, ...] = ()
    presets: tuple[Preset, ...] = ()
    translators: tuple[Translator, ...] = ()
    commands: tuple[Command, ...] = ()
    added: Mapping[str, tuple[Any, ...]] = Factory(dict)

    @property
    def package(self) -> str:
        """The top-level package that its module is in; for a file, its path."""
        return self.value if self.is_file else self.value.partition(":")[0].partition(".")[0].strip()

    @property
    def is_file(self) -> bool:
        """Whether it is a single file that was named, not something installed."""
        return not self.distribution and self.value.endswith(".py")


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
