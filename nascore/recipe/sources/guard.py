"""Calls functions of plugins while a recipe is settled; their exceptions become problems.

A rule that raises is the plugin's mistake, not that of the recipe: the problem names the plugin, and ends
with the exit code of plugins.
"""

from __future__ import annotations

import traceback
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from nascore.component import Give
from nascore.errors import NascoreError, Origin, PluginError, Problem, error_line, out_of_memory_text
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from nascore.component import Component, Settings


T = TypeVar("T")


def guarded(
    component: Component, what: str, call: Callable[[], T], instead: Callable[[], T]
) -> tuple[T, tuple[Problem, ...]]:
    """Call a function of a component.

    Args:
        component: Whose function it is.
        what: The function, for the error text: ``check``.
        call: Calls it.
        instead: Makes what counts as its result where it raises.

    Returns:
        The result, and what is wrong if it raised: the problems of an error of nascore, which was raised on
        purpose, or else that it raised.
    """
    return caught(call, instead, partial(_told, component, what))


def caught(
    call: Callable[[], T], instead: Callable[[], T], told: Callable[[BaseException], tuple[Problem, ...]]
) -> tuple[T, tuple[Problem, ...]]:
    """Call foreign code.

    Args:
        call: Calls it.
        instead: Makes what counts as its result where it raises.
        told: Says what is wrong where it raises.

    Returns:
        The result, and what is wrong.
    """
    try:
        return call(), ()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - foreign code: whatever it raises is its mistake
        return instead(), told(error)


def _told(component: Component, what: str, error: BaseException) -> tuple[Problem, ...]:
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
    frames = traceback.extract_tb(error.__traceback__)
    # The last frame is where it was raised: what its author wants to see first.
    origin = None
    if frames:
        origin = Origin(kind="python", file=frames[-1].filename, line=frames[-1].lineno or 0)
    return _fault(component, f"the {what} of {component.name} raised {error_line(error)}.", origin)


def _fault(component: Component, text: str, origin: Origin | None) -> Problem:
    plugin = component.plugin or "nascore"
    without = command_line("--without", plugin)
    hint = f"A mistake of the plugin {plugin}: tell its authors, or leave it out with {without}."
    return Problem(
        path=component.slot, text=text, origin=origin, hint=hint, slots=(component.slot,), of_plugin=True
    )
