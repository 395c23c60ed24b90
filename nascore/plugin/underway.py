"""Records which plugin's code is running, so that errors can name it.

A plugin that loops, crashes or ends the process at its import takes the command with it, and nothing is left
to say which plugin it was. So its name stands in a small locked file while its code is called: the next
command, and ``nascore plugins doctor``, find the file of a process that is gone. Where a system has no such
locks (Windows), there is no record.
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
"""Seconds after which a process says that it is still calling code of a plugin."""

WATCH: Final = "nascore watches an import"
"""Name of the thread that says it."""

_PREFIX: Final = "importing-"
_WARNED: Final = "warned-"
_MOST: Final = 10_000
"""Letters that are read of a record."""


@frozen(kw_only=True)
class Suspect:
    """A plugin whose code was being called when a process ended.

    Attributes:
        plugin: Its name.
        source: Its distribution, or the absolute path of its file.
        records: The files that say so.
    """

    plugin: str
    source: str
    records: tuple[Path, ...] = field(eq=False)

    def __str__(self) -> str:
        name, source = quoted(self.plugin), self.source
        cure, words = f"--without {name}, or NASCORE_WITHOUT={name}", ["nascore", "plugins", "doctor"]
        if self.is_file:
            source = str(shown_path(Path(source)))
            cure, words = f"leave out {command_line('--with', source)}", [*words, "--with", source]
        return (
            f"the last nascore ended while it imported the plugin {name} ({quoted(source)}). Where it "
            f"ends again: {cure}. See {command_line(*words)}."
        )

    @property
    def is_file(self) -> bool:
        """Whether it is a single file that was named, not something installed."""
        return self.source.endswith(".py")

    @property
    def is_new(self) -> bool:
        """Whether no command has warned of it yet."""
        return any(record.name.startswith(_PREFIX) for record in self.records)

    def warned(self) -> None:
        """Mark the records: one warning is enough, and the doctor still finds them."""
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
    """Keep a record that this plugin's code is called, and say so after :data:`PATIENCE` seconds.

    Where no file can be written there is no record.
    """
    text = (
        f"nascore: still importing the plugin {quoted(plugin.name)}. To do without: Ctrl-C, then --without."
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
        error.add_note(f"It was importing the plugin {quoted(plugin.name)}; --without leaves it out.")
        raise
    finally:
        timer.cancel()


def suspects() -> list[Suspect]:
    """Return the plugins whose code was being called when a process ended, each once."""
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
    """Remove the records of plugins whose code was called to its end."""
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
    """Return plugin and source of a record whose process is gone; None while that lives."""
    import fcntl  # noqa: PLC0415 - not on every system

    if not path.is_file():
        return None
    with suppress(OSError, ValueError, LookupError, TypeError), path.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        facts: Any = json.loads(file.read(_MOST))
        return str(facts["plugin"]), str(facts["source"])
    return None
