"""How the refusal of a misfit ends: with what works, for the command line and for Python alike."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nascore.recipe.suggest import UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nascore.recipe.suggest import Suggestion

INDENT: Final = "  "


@contextmanager
def suggesting(write: Callable[[Suggestion], str] | None = None) -> Iterator[None]:
    """Let the refusal of a misfit end with a request that works, or else with what fits.

    Args:
        write: Writes the request in full; None: only what has to be changed is named.
    """
    try:
        yield
    except UnfitError as error:
        found = error.suggestion()
        error.add_note(_nothing(error.fitting()) if found is None else _works(found, write))
        raise


def _works(found: Suggestion, write: Callable[[Suggestion], str] | None) -> str:
    warned = ", with a warning" if found.recipe.warned else ""
    changes = "; ".join(found.changes)
    if write is None:
        return f"This works{warned}: {changes}."
    return f"This works{warned} ({changes}):\n{INDENT}{write(found)}"


def _nothing(fitting: dict[str, tuple[str, ...]]) -> str:
    rows = [f"{INDENT}{slot}: {_listed(names)}" for slot, names in fitting.items()]
    return "\n".join(["No two changes make it fit. What no refused need rejects:", *rows])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing that is installed"
