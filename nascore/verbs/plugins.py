"""Lists installed plugins with their status and advice, and creates new ones."""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path
from subprocess import DEVNULL, TimeoutExpired, run
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.errors import PluginError, Problem, did_you_mean
from nascore.files import given_path
from nascore.plugin.discover import GROUP
from nascore.plugin.known import distributions
from nascore.plugin.plugin import Selection, named
from nascore.plugin.underway import suspects
from nascore.run import version_of
from nascore.scaffold import BLUEPRINTS, ScaffoldError, make, refused_name
from nascore.shell import command_line, quoted
from nascore.slots import BUILTIN
from nascore.verbs.listing import KINDS, items, of_plugin
from nascore.verbs.resolution import found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.plugin import Plugin, Registry
    from nascore.plugin.plugin import Wanted
    from nascore.plugin.underway import Suspect
    from nascore.scaffold import Made
    from nascore.verbs.listing import Listed


_TRIAL: Final = 30
"""Time limit for the import of a plugin in a separate process, in seconds."""
_DONE: Final = "all imported"


@frozen(kw_only=True)
class Clash:
    """A name that several plugins give to parts of one kind.

    Attributes:
        kind: A slot, or `preset`, `notation`, `verb`, `execution`, `operation`.
        name: The name.
        plugins: The plugins that provide it.
        cure: The remedy.
    """

    kind: str
    name: str
    plugins: tuple[str, ...]
    cure: str


@frozen(kw_only=True)
class Health:
    """The status of all plugins.

    Attributes:
        plugins: All plugins.
        clashes: Names that several plugins provide; the plugins can be ready nevertheless.
    """

    plugins: tuple[Plugin, ...]
    clashes: tuple[Clash, ...]

    @property
    def idle(self) -> tuple[Plugin, ...]:
        """The plugins that are not ready."""
        return tuple(one for one in self.plugins if one.status != "ready")

    @property
    def well(self) -> bool:
        """Whether every plugin is ready or was switched off by the user."""
        return all(one.status == "blocked" for one in self.idle)


def doctor(plugins: Wanted = (), own: Iterable[Listed] = ()) -> Health:
    """Return the status of the plugins, after a trial import of those that are suspected to crash.

    Args:
        plugins: A selection of plugins, or files with plugins that are not installed.
        own: The verbs of the core.
    """
    wanted = Selection.of(plugins)
    reasons = {one.plugin: _fault_of(one) for one in suspects() if _is_there(one, wanted)}
    ending = {name: reason for name, reason in reasons.items() if reason}
    registry = found(evolve(wanted, without=(*wanted.without, *ending)))
    return Health(
        plugins=tuple(_ended(one, ending) for one in registry.plugins),
        clashes=tuple(_clashes(registry, own)),
    )


def _is_there(suspect: Suspect, wanted: Selection) -> bool:
    """Return whether a suspected plugin would be imported; it may have been removed since."""
    if suspect.is_file:
        return suspect.source in {str(given_path(file).absolute()) for file in wanted.files}
    return suspect.plugin in entry_points(group=GROUP).names


def _fault_of(suspect: Suspect) -> str:
    """Import a plugin in a separate process; return the problem, or an empty text."""
    files = (suspect.source,) if suspect.is_file else ()
    only = () if files else (suspect.plugin,)
    chosen = f"Selection({files=}, {only=})"
    program = f"from nascore.plugin import Selection, discover\ndiscover({chosen})\nprint({_DONE!r})"
    command = [sys.executable, "-c", program]
    try:
        ended = run(  # noqa: S603 - this Python; the names are literals of the program
            command, capture_output=True, check=False, stdin=DEVNULL, timeout=_TRIAL, encoding="utf-8"
        )
    except TimeoutExpired:
        return f"its import does not end within {_TRIAL} s"
    if _DONE in ended.stdout:
        return ""
    by = f"signal {-ended.returncode}" if ended.returncode < 0 else f"exit code {ended.returncode}"
    return f"its import ends the process with {by}"


def _ended(plugin: Plugin, reasons: Mapping[str, str]) -> Plugin:
    reason = reasons.get(plugin.name)
    if reason is None:
        return plugin
    name = quoted(plugin.name)
    cure = f"Leave it out: --without {name}, or NASCORE_WITHOUT={name}; and tell its authors."
    return evolve(plugin, status="broken", reason=reason, cure=cure)


def plugins_named(name: str, plugins: Wanted = ()) -> list[Plugin]:
    """Return the plugins with a name or a distribution of that name; several if they clash.

    Raises:
        PluginError: No plugin has that name.
    """
    registry = found(plugins)
    those = [one for one in registry.plugins if named(one, [name])]
    if those:
        return those
    if name in distributions():
        text, hint = f"{name} is not installed.", command_line("pip", "install", name)
        raise PluginError([Problem(path="", text=text, hint=hint, missing=name)])
    known = registry.words()
    hint = did_you_mean(name, known) or f"Installed: {', '.join(known)}."
    raise PluginError([Problem(path="", text=f"no plugin is called {name}.", hint=hint)])


def brought(plugin: Plugin) -> dict[str, tuple[str, ...]]:
    """Return the names of a plugin's parts, by kind."""
    by_kind = {kind: [one.name for one in of_plugin(plugin, kind)] for kind in KINDS}
    by_kind |= {
        hook: [str(getattr(one, "name", one)) for one in added] for hook, added in plugin.added.items()
    }
    return {kind: tuple(names) for kind, names in by_kind.items() if names}


def _clashes(registry: Registry, own: Iterable[Listed]) -> Iterable[Clash]:
    own = tuple(own)
    for kind in KINDS:
        those = [*(one for one in own if one.kind == kind), *items(registry, kind)]
        times = Counter(one.name for one in those)
        for name in sorted(name for name, number in times.items() if number > 1):
            bringers = tuple(one.plugin for one in those if one.name == name)
            yield Clash(kind=kind, name=name, plugins=bringers, cure=_cure(kind, name, bringers, own))


def _cure(kind: str, name: str, bringers: tuple[str, ...], own: Iterable[Listed]) -> str:
    full = [f"{plugin}:{name}" for plugin in bringers]
    if kind == "operation":
        others = [command_line("--without", plugin) for plugin in bringers if plugin != BUILTIN]
        return f"Leave one out: {' or '.join(others)}."
    if any(one.kind == kind and one.name == name for one in own):
        return f"{name} is a verb of nascore; write {' or '.join(full[1:])} for the other one."
    return f"Write {' or '.join(full)}."


_PREFIX: Final = "NASCORE_"


def facts(health: Health) -> dict[str, Any]:
    """Return the installed versions and plugins, the machine, and the environment variables of nascore.

    Nothing is imported. The home folder, which often contains a person's name, is written as ``~``.

    Args:
        health: The status of the plugins.
    """
    return {
        "nascore": version_of("nascore"),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "torch": version_of("torch"),
        "platform": platform.platform(),
        "plugins": [
            {
                "name": one.name,
                "distribution": one.distribution or _anonymous(one.value),
                "version": one.version,
                "status": one.status,
                "cause": _anonymous(one.reason),
            }
            for one in health.plugins
        ],
        "clashes": [f"{one.kind} {one.name}: {', '.join(one.plugins)}" for one in health.clashes],
        "environment": {
            name: _anonymous(value) for name, value in sorted(os.environ.items()) if name.startswith(_PREFIX)
        },
    }


def _anonymous(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def new_plugin(name: str, slot: str, *, out: Path | None = None, plugins: Wanted = ()) -> Made:
    """Make a distribution with one working part.

    Args:
        name: Name of the distribution, of the plugin and of its part.
        slot: The slot of the part.
        out: Folder of the distribution, new or empty; None: a new folder of that name in the working folder.
        plugins: A selection of plugins, whose names are taken.

    Raises:
        ScaffoldError: The slot has no template, the name is taken or not valid, or the folder cannot be used.
    """
    if slot not in BLUEPRINTS:
        hint = did_you_mean(slot, BLUEPRINTS) or f"There are templates for {', '.join(BLUEPRINTS)}."
        raise ScaffoldError([Problem(path="--slot", text=f"slot {slot} has no template.", hint=hint)])
    refused = refused_name(name, slot, found(plugins))
    if refused is not None:
        raise ScaffoldError([refused])
    return make(name, BLUEPRINTS[slot], Path(name) if out is None else given_path(out))
