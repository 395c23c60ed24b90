"""Importing a plugin's module, guarded: what it raises is its own affair."""

from __future__ import annotations

import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.errors import said
from nascore.plugin.importing import contained
from nascore.plugin.underway import on_record
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from nascore.plugin.plugin import Plugin

OF_FILES: Final = "nascore_file_"
"""How the modules of single files begin: a file called torch.py must not become the module torch."""


class BrokenError(Exception):
    """A plugin breaks a rule of loading.

    Args:
        text: Which one.
        cure: What to do about it.
    """

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


def called(plugin: Plugin, work: Callable[[], Plugin]) -> Plugin:
    """Return what a step makes of a plugin whose code it calls, as :func:`guarded` does.

    What the code prints is kept from answers, what it changes in the process is put back, and both are among
    the plugin's remarks. While it is called, its name is on record.

    Args:
        plugin: The plugin.
        work: Calls code of it.
    """
    with on_record(plugin), contained() as remarks:
        result = guarded(plugin, work)
    new = [text for text in remarks.texts if text not in result.remarks]
    return evolve(result, remarks=(*result.remarks, *new)) if new else result


def guarded(plugin: Plugin, work: Callable[[], Plugin]) -> Plugin:
    """Return what a step makes of a plugin, or the plugin as broken where the step raises.

    Args:
        plugin: The plugin.
        work: Calls code of it.
    """
    try:
        return work()
    except KeyboardInterrupt:
        raise
    except BrokenError as error:
        return evolve(plugin, status="broken", reason=str(error), cure=error.cure)
    except BaseException as error:  # noqa: BLE001 - foreign code: SystemExit too must not stop the others
        return evolve(
            plugin,
            status="broken",
            reason=_said(error),
            cure=_cure(plugin, error),
            trace="".join(traceback.format_exception(error)),
        )


def file_module(path: Path) -> ModuleType:
    """Import a single file that holds hooks."""
    if not path.is_file():
        raise BrokenError(f"there is no file {path}", "Correct the path after --with.")
    name = f"{OF_FILES}{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BrokenError(f"{path} is no Python file", "Give one whose name ends in .py.")
    module = module_from_spec(spec)
    # Classes of the file are looked up by the name of their module (settings' types, pickling).
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def checked_module(plugin: Plugin, module: object) -> object:
    """Return a plugin's module; one without a file is an empty folder that Python takes for a package."""
    if isinstance(module, ModuleType) and getattr(module, "__file__", None) is None:
        raise BrokenError(
            f"the package {module.__name__} is empty: it has no __init__.py", _reinstalled(plugin)
        )
    return module


def _said(error: BaseException) -> str:
    """What was raised and where, as one line."""
    raised = said(error)
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [one for one in frames if one.filename != __file__ and not one.filename.startswith("<frozen ")]
    if isinstance(error, SyntaxError) or not theirs or Path(theirs[-1].filename).parent.name == "importlib":
        return raised
    return f"{raised} ({theirs[-1].filename}:{theirs[-1].lineno})"


def _cure(plugin: Plugin, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name.partition(".")[0] == plugin.package:
            return _reinstalled(plugin)
        return f"Install what brings the module {error.name.partition('.')[0]}, which it needs."
    if plugin.is_file:
        return f"Correct {plugin.value}."
    return "Tell its authors; nascore plugins show has the traceback with --json."


def _reinstalled(plugin: Plugin) -> str:
    if not plugin.distribution:
        return "Correct its entry point."
    command = command_line("pip", "install", "--force-reinstall", plugin.distribution)
    return f"{command}; if that is no help, tell its authors."
