"""Records the plugin whose code is running, so that the next command can name it after a crash.

A plugin that loops, crashes or ends the process during its import stops the command without a message. So its
name is written to a small locked file while its code runs: the next command, and ``nascore plugins doctor``,
find the file of a dead process. Systems without such locks (Windows) have no record.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from nascore.files import shown_path
from nascore.shell import command_line, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.plugin.plugin import Plugin

PATIENCE: Final = 20.0
"""Seconds after which a message says that a plugin is still running."""

WATCH: Final = "nascore watches an import"
"""Name of the thread of this message."""

_PREFIX: Final = "importing-"
_WARNED: Final = "warned-"
_MAX_READ: Final = 10_000
"""The largest number of characters that are read from a record."""


@frozen(kw_only=True)
class Suspect:
    """A plugin whose code was running when a process ended.

    Attributes:
        plugin: Its name.
        source: Its distribution, or the absolute path of its file.
        records: The files of its records.
    """

    plugin: str
    source: str
    records: tuple[Path, ...] = field(eq=False)

    def __str__(self) -> str:
        name, source = quoted(self.plugin), self.source
        cure, words = f"--without {name}, or NASCORE_WITHOUT={name}", ["nascore", "plugins", "doctor"]
        if self.is_file:
            source = str(shown_path(Path(source)))
            cure, words = f"remove {command_line('--with', source)}", [*words, "--with", source]
        return (
            f"the last nascore command ended while it imported the plugin {name} ({quoted(source)}). If this "
            f"happens again: {cure}. See {command_line(*words)}."
        )

    @property
    def is_file(self) -> bool:
        """Whether it is a single file, not an installed plugin."""
        return self.source.endswith(".py")

    @property
    def is_new(self) -> bool:
        """Whether no command has printed a warning about it yet."""
        return any(record.name.startswith(_PREFIX) for record in self.records)

    def mark_warned(self) -> None:
        """Mark the records, so that no further command prints a warning; the doctor still finds them."""
        for record in self.records:
            with suppress(OSError):
                record.replace(record.with_name(f"{_WARNED}{record.name}"))

    def forget(self) -> None:
        """Remove the records."""
        for record in self.records:
            with suppress(OSError):
                record.unlink(missing_ok=True)


@contextmanager
def on_record(plugin: Plugin) -> Iterator[None]:
    """Record that this plugin's code is running, and print a message after :data:`PATIENCE` seconds.

    There is no record if the file cannot be written.
    """
    text = (
        f"nascore: still importing the plugin {quoted(plugin.name)}. To exclude it: Ctrl-C, then --without."
    )
    timer = Timer(PATIENCE, lambda: print(text, file=sys.stderr, flush=True))  # noqa: T201 - the verb is stuck
    timer.name, timer.daemon = WATCH, True
    timer.start()
    try:
        with ExitStack() as stack:
            with suppress(OSError, ImportError):
                stack.enter_context(_record(plugin))
            yield
    except KeyboardInterrupt as error:
        error.add_note(f"It was importing the plugin {quoted(plugin.name)}; --without excludes it.")
        raise
    finally:
        timer.cancel()


def suspects() -> list[Suspect]:
    """Return the plugins whose code was running when a process ended, each once."""
    found: dict[tuple[str, str], list[Path]] = {}
    with suppress(OSError, ImportError):
        for path in sorted(_folder().glob(f"*{_PREFIX}*")):
            known = _abandoned(path)
            if known is not None:
                found.setdefault(known, []).append(path)
    return [
        Suspect(plugin=plugin, source=source, records=tuple(records))
        for (plugin, source), records in found.items()
    ]


def forget(plugins: list[Plugin]) -> None:
    """Remove the records of plugins whose code has finished."""
    names = {(one.name, _source(one)) for one in plugins}
    for suspect in suspects():
        if (suspect.plugin, suspect.source) in names:
            suspect.forget()


def _source(plugin: Plugin) -> str:
    return str(Path(plugin.value).absolute()) if plugin.is_file else plugin.distribution or plugin.value


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nascore"


@contextmanager
def _record(plugin: Plugin) -> Iterator[None]:
    import fcntl  # noqa: PLC0415 - not on every system

    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_PREFIX}{os.getpid()}-{id(plugin):x}.json"
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends, however that happens
        json.dump({"plugin": plugin.name, "source": _source(plugin)}, file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _abandoned(path: Path) -> tuple[str, str] | None:
    """Return plugin and source of a record whose process has ended; None while it runs."""
    import fcntl  # noqa: PLC0415 - not on every system

    if not path.is_file():
        return None
    with suppress(OSError, ValueError, LookupError, TypeError), path.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        facts: Any = json.loads(file.read(_MAX_READ))
        return str(facts["plugin"]), str(facts["source"])
    return None
