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

    from nascore.component import Command, Component, Execution, ImageReader, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator


NETWORK: Final = "from_python"
"""The beginning of the source of a network from Python: ``from_python.python_Net_0f1e2d3c``."""

Status = Literal["ready", "blocked", "clash", "broken", "foreign"]


@frozen(kw_only=True, eq=False)
class Plugin:
    """One plugin and its contents.

    Attributes:
        name: The name of its entry point, or of its file.
        value: Its module or file.
        distribution: Its installed distribution; empty for a file.
        version: The distribution's version.
        status: ``ready``, or one of the statuses of an empty plugin: ``blocked`` (switched off), ``clash``
            (another plugin has its name), ``broken`` (it cannot be loaded) or ``foreign`` (it
            requires a different version of nascore).
        reason: Why it is not ready.
        cure: How to make it ready.
        trace: The traceback of the exception that broke it.
        remarks: Changes of the process by its import, undone since: a verb and its object.
        components: Its components.
        operations: Its entries of the catalogue of operations.
        presets: Its presets.
        translators: Its notations for architectures.
        commands: Its verbs.
        readers: Its readers of image files.
        executions: Its executions.
        added: Its items for hooks of other plugins, by hook.
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
    readers: tuple[ImageReader, ...] = ()
    executions: tuple[Execution, ...] = ()
    added: Mapping[str, tuple[Any, ...]] = Factory(dict)

    @property
    def package(self) -> str:
        """The top-level package of its module; for a file, its path."""
        return self.value if self.is_file else self.value.partition(":")[0].partition(".")[0].strip()

    @property
    def is_file(self) -> bool:
        """Whether it is a single file, not an installed plugin."""
        return not self.distribution and self.file.endswith(".py")

    @property
    def is_network(self) -> bool:
        """Whether it is a network that a program passed."""
        return not self.distribution and self.value.startswith(f"{NETWORK}.")

    @property
    def file(self) -> str:
        """The path of a single file, without the function of a network that follows it: ``net.py:make``."""
        path, colon, function = self.value.rpartition(":")
        return path if colon and path.endswith(".py") and function.isidentifier() else self.value


Wanted: TypeAlias = "Selection | Iterable[str | Path]"
"""A selection, or only the files to add."""

VARIABLE: Final = "NASCORE_WITHOUT"
CORE: Final = "nascore"


@frozen(kw_only=True)
class Selection:
    """A choice of plugins, by the names of plugins or of their distributions.

    Attributes:
        files: Python files with hooks, added to the installed plugins (``--with``).
        without: Plugins to exclude, in addition to those in NASCORE_WITHOUT.
        only: The installed plugins to use; empty for all. The core's own plugin and files are always used.
        networks: Torch modules, or functions that return one, which a program passes; each is a plugin.
    """

    files: tuple[str | Path, ...] = ()
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    networks: tuple[Any, ...] = ()

    @classmethod
    def of(cls, wanted: Wanted) -> Selection:
        """Return a selection unchanged, or files as a selection that adds them."""
        return wanted if isinstance(wanted, Selection) else cls(files=tuple(wanted))

    def with_network(self, network: Any) -> Selection:  # noqa: ANN401 - a user's
        """Return the selection with a network from Python; None adds nothing."""
        if network is None or any(one is network for one in self.networks):
            return self
        return evolve(self, networks=(*self.networks, network))

    def plain(self) -> dict[str, list[str]]:
        """Return the attributes as values for JSON, without networks."""
        return {"files": [*map(str, self.files)], "without": [*self.without], "only": [*self.only]}

    def blocked_unless_wanted(self, plugin: Plugin, environment: Mapping[str, str] = os.environ) -> Plugin:
        """Return a plugin, blocked if it is not wanted.

        Args:
            plugin: A plugin whose module is not imported yet.
            environment: The environment with NASCORE_WITHOUT.
        """
        if named(plugin, self.without):
            return _blocked(plugin, "--without names it", "Remove that option.")
        if named(plugin, _names_of_variable(environment)):
            return _blocked(plugin, f"{VARIABLE} names it", f"Remove it from {VARIABLE}.")
        core = same_distribution(plugin.distribution, CORE)
        if self.only and not plugin.is_file and not core and not named(plugin, self.only):
            return _blocked(plugin, "--only does not name it", f"Add {command_line('--only', plugin.name)}.")
        return plugin


def named(plugin: Plugin, names: Iterable[str]) -> bool:
    """Return whether one of some names is that of a plugin or its distribution."""
    return any(name == plugin.name or same_distribution(name, plugin.distribution) for name in names)


def same_distribution(one: str, other: str) -> bool:
    """Return whether two names are equal by the rules of package indexes: ``My_Plugin`` is ``my-plugin``."""
    return bool(other) and _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    # The rule of `packaging.utils`, whose import takes long.
    return re.sub(r"[-_.]+", "-", name).lower()


def _names_of_variable(environment: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in environment.get(VARIABLE, "").split(",") if name.strip()]


def _blocked(plugin: Plugin, reason: str, cure: str) -> Plugin:
    return evolve(plugin, status="blocked", reason=reason, cure=cure)
