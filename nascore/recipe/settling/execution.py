"""The execution of a recipe: the way in which the networks of its run compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.component import AUTO, fault_hint, load
from nascore.errors import Problem, did_you_mean, error_line
from nascore.plugin.guard import attempt
from nascore.plugin.known import absence
from nascore.recipe.sources.plugin_versions import EXECUTION_NAME, explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.component import Execution
    from nascore.errors import Origin
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Part
    from nascore.recipe.sources.plugin_versions import Lost

_KIND: Final = "execution"


def execution_problems(run: Part, registry: Registry, lost: Mapping[str, Lost]) -> list[Problem]:
    """Return the problems of the named execution: it is not installed, or cannot be used on this machine.

    Args:
        run: The settings of the run.
        registry: The installed executions.
        lost: The plugins in the records of recipes that are not loaded now.
    """
    found = [(value, origin) for path, value, origin in run.values() if path == EXECUTION_NAME]
    return [
        problem
        for name, origin in found
        if name != AUTO
        for problem in _problems(name, origin, registry, lost)
    ]


def _problems(name: str, origin: Origin, registry: Registry, lost: Mapping[str, Lost]) -> Iterable[Problem]:
    execution = registry.executions().get(name)
    if execution is None:
        return [explained(evolve(_unknown(name, registry), origin=origin), lost)]
    return [evolve(one, path=EXECUTION_NAME, origin=origin) for one in _obstacles(execution)]


def _unknown(name: str, registry: Registry) -> Problem:
    """Return the problem of a name that is ambiguous or not installed."""
    executions = registry.executions()
    if full := executions.ambiguous(name):
        text = f"{len(full)} plugins bring an execution {name}."
        return Problem(path=EXECUTION_NAME, text=text, hint=f"Write {' or '.join(full)}.", of_plugin=True)
    text = f"no execution is called {name}"
    if (why := absence(_KIND, name, registry.plugins)) is not None:
        return Problem(
            path=EXECUTION_NAME, text=f"{text}; {why}", hint=why.cure, missing=why.missing, of_plugin=True
        )
    known = (AUTO, *executions)
    hint = did_you_mean(name, known) or f"Installed: {', '.join(known)}."
    return Problem(path=EXECUTION_NAME, text=f"{text}.", hint=hint)


def _obstacles(execution: Execution) -> Iterable[Problem]:
    """Return the problems that prevent the use of an execution on this machine."""
    check = execution.check
    if check is None:
        return ()

    def failed(error: BaseException) -> list[object]:
        return [_fault(execution, f"raised {error_line(error)}")]

    found: list[object] = attempt(lambda: [*load(check)()], failed)
    return [
        one if isinstance(one, Problem) else _fault(execution, f"gave {one!r}, which is not a Problem")
        for one in found
    ]


def _fault(execution: Execution, text: str) -> Problem:
    text = f"the check of execution {execution.name} {text}."
    return Problem(path=EXECUTION_NAME, text=text, hint=fault_hint(execution.plugin), of_plugin=True)
