"""Calls code of plugins; its exceptions become problems that name the plugin, or refusals.

A function of a plugin that raises is the plugin's mistake, not that of the recipe: the problem ends with the
exit code of plugins.
"""

from __future__ import annotations

import traceback
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from nascore.component import Give
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
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nascore.component import Component, Settings
    from nascore.plugin.plugin import Plugin


T = TypeVar("T")

OF_FILES: Final = "nascore_file_"
"""How the modules of single files begin: a file called torch.py must not become the module torch."""


GUARD: Final = __file__
"""This file, in which nothing is raised that a plugin did not raise."""


def attempt(call: Callable[[], T], failed: Callable[[BaseException], T]) -> T:
    """Return what a call of a plugin's code gives, or the fallback for what it raises.

    Only Ctrl-C passes: it means the program, whatever code runs at that moment. SystemExit does not.

    Args:
        call: Calls the code.
        failed: Returns the fallback for an exception.
    """
    try:
        return call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin's code: whatever it raises is its mistake
        return failed(error)


def guarded(
    component: Component, what: str, call: Callable[[], T], instead: Callable[[], T]
) -> tuple[T, tuple[Problem, ...]]:
    """Return what a function of a component gives, and what is wrong if it raised.

    Problems that it raised on purpose are returned as they are; anything else is one problem that names the
    plugin.

    Args:
        component: Whose function it is.
        what: The function, for the error text: ``check``.
        call: Calls it.
        instead: Makes the result where it raises.
    """
    return attempt(lambda: (call(), ()), lambda error: (instead(), _problems(component, what, error)))


def call_component(component: Component, what: str, call: Callable[[], T]) -> T:
    """Return what a function of a component gives.

    Args:
        component: Whose function it is.
        what: What it does, for the error text.
        call: Calls it.

    Raises:
        PluginError: It raised.
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
        one if isinstance(one, Problem) else no_problem(component, one, what) for one in error.problems
    ]
    if not any(problem.verdict == "refused" for problem in problems):
        # Nothing that it holds would stop the work, and it was raised to stop it.
        return (*problems, raised)
    # What names its cure can stand as it is; else it is not said yet whose mistake it is.
    named = not isinstance(error, PluginError) or all(problem.of_plugin for problem in problems)
    return tuple(problems) if named else (raised,)


def provided(component: Component, settings: Settings) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """Return the capabilities that a component has with these settings, and what raised in telling them."""
    found: set[str] = set()
    problems: list[Problem] = []
    for item in component.provides:
        if not isinstance(item, Give):
            found.add(item)
            continue
        what = f"condition of {item.capability}"
        holds, wrong = guarded(component, what, partial(_holds, item, settings), bool)
        problems += wrong
        if holds:
            found.add(item.capability)
    return frozenset(found), tuple(problems)


def _holds(give: Give, settings: Settings) -> bool:
    return bool(give.when(settings))


def no_problem(component: Component, item: object, what: str = "check") -> Problem:
    """Return the problem of a check that yields something else than problems."""
    return _fault(component, f"the {what} of {component.name} gives {item!r}, which is no Problem.", None)


def _raised(component: Component, what: str, error: BaseException) -> Problem:
    text = f"the {what} of {component.name} raised {error_line(error)}."
    return _fault(component, text, raised_at(error), plugin=_contributor_at_fault(component, error))


def _contributor_at_fault(component: Component, error: BaseException) -> str:
    """Return the plugin whose contribution to a component raised; empty where none of them did."""
    contributions = [one for ones in component.contributions.values() for one in ones]
    own = component.plugin
    owners = {one.package: one.plugin for one in contributions if one.plugin != own}
    owners |= {f"{OF_FILES}{one.plugin}": one.plugin for one in contributions if one.plugin != own}
    roots = (
        str(frame.f_globals.get("__name__", "")).partition(".")[0]
        for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__)))
    )
    return next((owners[root] for root in roots if root in owners), "")


def raised_at(error: BaseException, *, but: Iterable[str] = ()) -> Origin | None:
    """Return the place where an exception was raised, which its author wants to see first; None: no place.

    Args:
        error: The exception, with its traceback.
        but: Beginnings of the names of files that do not count.
    """
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(tuple(but))
    ]
    if not frames:
        return None
    return Origin(kind="python", file=frames[-1].filename, line=frames[-1].lineno or 0)


def _fault(component: Component, text: str, origin: Origin | None, plugin: str = "") -> Problem:
    plugin = plugin or component.plugin or CORE
    without = command_line("--without", plugin)
    hint = f"A mistake of the plugin {plugin}: tell its authors, or leave it out with {without}."
    return Problem(
        path=component.slot, text=text, origin=origin, hint=hint, slots=(component.slot,), of_plugin=True
    )


def plugin_at_fault(error: BaseException, plugins: Iterable[Plugin]) -> str:
    """Return the plugin in which an exception was raised, as one names it; empty where it was none.

    The innermost frame of the core or of a plugin decides: what lies below it was called by it.

    Args:
        error: The exception, with its traceback.
        plugins: What is installed.
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
