"""Finding plugins: installed ones by their entry point, and single files."""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.plugin.collect import collect
from nascore.plugin.plugin import Plugin
from nascore.plugin.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint
    from types import ModuleType

GROUP: Final = "nascore"
_CORE: Final = "builtin"


def discover(
    with_files: Iterable[str | Path] = (), *, entries: Iterable[EntryPoint] | None = None
) -> Registry:
    """Load all installed plugins and the given files.

    Args:
        with_files: Python files that hold hooks (``--with ./idea.py``); the file's stem is the plugin's name.
        entries: The entry points to load instead of all installed ones of the group ``nascore``.

    Returns:
        A registry, in which a plugin that failed to load is marked ``broken`` and brings nothing.
    """
    loaded: dict[Plugin, object] = {}
    broken: list[Plugin] = []
    work = [
        (_of_entry(entry), entry.load)
        for entry in _sorted(entry_points(group=GROUP) if entries is None else entries)
    ]
    work += [_of_file(Path(file)) for file in with_files]
    for plugin, load in work:
        try:
            module = load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: it harms only itself
            reason = f"{type(error).__name__}: {error}"
            broken.append(evolve(plugin, status="broken", reason=reason, trace=traceback.format_exc()))
        else:
            loaded[plugin] = module
    return Registry([*collect(loaded), *broken])


def _sorted(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    # One distribution may be seen twice on sys.path: drop what is equal. The core's own comes first.
    unique = {(entry.name, entry.value, _distribution(entry)): entry for entry in entries}
    return [unique[key] for key in sorted(unique, key=lambda key: (key[0] != _CORE, key))]


def _distribution(entry: EntryPoint) -> str:
    return "" if entry.dist is None else entry.dist.name


def _of_entry(entry: EntryPoint) -> Plugin:
    version = "" if entry.dist is None else entry.dist.version
    return Plugin(name=entry.name, value=entry.value, distribution=_distribution(entry), version=version)


def _of_file(path: Path) -> tuple[Plugin, Callable[[], ModuleType]]:
    return Plugin(name=path.stem, value=str(path)), lambda: _import_file(path)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    # Its own prefix: a file called torch.py must not become the module torch.
    name = f"nascore_file_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = module_from_spec(spec)
    # Classes of the file are looked up by the name of their module (settings' types, pickling).
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
