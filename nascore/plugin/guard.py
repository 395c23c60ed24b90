"""Calls code of plugins; turns its exceptions into problems that name the plugin.

An exception in a plugin's function is the plugin's fault, not the recipe's, so the problem leads to the exit
code of plugins.
"""

from __future__ import annotations

import traceback
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from nascore.component import Give, fault_hint
from nascore.errors import (
    NascoreError,
    Origin,
    PluginError,
    Problem,
    error_line,
    out_of_memory_text,
    refusal,
)
from nascore.plugin.plugin import CORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nascore.component import Component, Contribution, Settings
    from nascore.plugin.plugin import Plugin


T = TypeVar("T")

OF_FILES: Final = "nascore_file_"
"""The prefix of the modules of single files: a file torch.py must not become the module torch."""


GUARD: Final = __file__
"""This file: exceptions that pass through it were raised by a plugin."""


def attempt(call: Callable[[], T], failed: Callable[[BaseException], T]) -> T:
    """Return the result of a plugin's code, or a fallback if it raises anything, SystemExit included.

    Only KeyboardInterrupt passes: Ctrl-C is meant for the whole program.

    Args:
        call: Calls the code.
        failed: Returns the fallback for an exception.
    """
    try:
        return call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - any exception of a plugin's code is its own fault
        return failed(error)


def guarded(
    component: Component, what: str, call: Callable[[], T], instead: Callable[[], T]
) -> tuple[T, tuple[Problem, ...]]:
    """Return the result of a component's function, and its problems if it raised.

    The problems of a NascoreError are returned; any other exception becomes one problem that names the
    plugin.

    Args:
        component: The component.
        what: The function, for the error text: ``check``.
        call: Calls the function.
        instead: Makes the result if the function raises.
    """
    return attempt(lambda: (call(), ()), lambda error: (instead(), _problems(component, what, error)))


def call_component(component: Component, what: str, call: Callable[[], T]) -> T:
    """Return the result of a component's function.

    Args:
        component: The component.
        what: The function, for the error text.
        call: Calls the function.

    Raises:
        PluginError: The function raised.
    """
    nothing: list[T] = []
    results, raised = guarded(component, what, lambda: [call()], lambda: nothing)
    if raised:
        raise refusal(raised)
    return results[0]


def _problems(component: Component, what: str, error: BaseException) -> tuple[Problem, ...]:
    if exhausted := out_of_memory_text(error):
        text = f"the {what} of {component.name}: {exhausted}"
        return (Problem(path=component.slot, text=text, slots=(component.slot,)),)
    raised = _raised(component, what, error)
    if not isinstance(error, NascoreError):
        return (raised,)
    problems = [
        one if isinstance(one, Problem) else not_a_problem(component, one, what) for one in error.problems
    ]
    if not any(problem.verdict == "refused" for problem in problems):
        # It was raised to stop the work, which none of its problems does.
        return (*problems, raised)
    # A PluginError whose problems are not marked as a plugin's does not name the plugin yet.
    named = not isinstance(error, PluginError) or all(problem.of_plugin for problem in problems)
    return tuple(problems) if named else (raised,)


def provided(component: Component, settings: Settings) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """Return a component's capabilities with these settings, and the problems of conditions that raised."""
    found: set[str] = set()
    problems: list[Problem] = []
    for item in component.provides:
        if not isinstance(item, Give):
            found.add(item)
            continue
        what = f"condition of {item.capability}"
        applies, wrong = guarded(component, what, partial(_applies, item, settings), bool)
        problems += wrong
        if applies:
            found.add(item.capability)
    return frozenset(found), tuple(problems)


def _applies(give: Give, settings: Settings) -> bool:
    return bool(give.when(settings))


def not_a_problem(component: Component, item: object, what: str = "check") -> Problem:
    """Return the problem to report when a check yields something that is not a Problem."""
    return _fault(component, f"the {what} of {component.name} gave {item!r}, which is not a Problem.", None)


def _raised(component: Component, what: str, error: BaseException) -> Problem:
    text = f"the {what} of {component.name} raised {error_line(error)}."
    return _fault(component, text, raised_at(error), _contribution_at_fault(component, error))


def _contribution_at_fault(component: Component, error: BaseException) -> Contribution | None:
    """Return a contribution from the plugin whose code raised the exception; None if none did."""
    contributions = [one for ones in component.contributions.values() for one in ones]
    own = component.plugin
    owners = {one.package: one for one in contributions if one.plugin != own}
    owners |= {f"{OF_FILES}{one.plugin}": one for one in contributions if one.plugin != own}
    roots = (
        str(frame.f_globals.get("__name__", "")).partition(".")[0]
        for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__)))
    )
    return next((owners[root] for root in roots if root in owners), None)


def raised_at(error: BaseException, *, but: Iterable[str] = ()) -> Origin | None:
    """Return the place where an exception was raised; None if its traceback has none.

    Args:
        error: The exception, with its traceback.
        but: Prefixes of the names of files to ignore.
    """
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(tuple(but))
    ]
    if not frames:
        return None
    return Origin(kind="python", file=frames[-1].filename, line=frames[-1].lineno or 0)


def _fault(
    component: Component, text: str, origin: Origin | None, contribution: Contribution | None = None
) -> Problem:
    if contribution is None:
        hint = fault_hint(component.plugin or CORE, component.package)
    else:
        hint = fault_hint(contribution.plugin, contribution.package)
    return Problem(
        path=component.slot, text=text, origin=origin, hint=hint, slots=(component.slot,), of_plugin=True
    )


def plugin_at_fault(error: BaseException, plugins: Iterable[Plugin]) -> str:
    """Return the plugin in which an exception was raised, with its version; empty if it is not from a plugin.

    The innermost frame of the core or a plugin decides, since it called all code below.

    Args:
        error: The exception, with its traceback.
        plugins: The installed plugins.
    """
    owners = {one.package: f"{one.name} {one.version}".rstrip() for one in plugins}
    owners.pop(CORE, None)
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        root = module.partition(".")[0]
        if root.startswith(OF_FILES):
            return f"{root.removeprefix(OF_FILES)} ({frame.f_code.co_filename})"
        if root in owners:
            return owners[root]
        if root == CORE:
            return ""
    return ""
