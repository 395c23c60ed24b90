"""How the refusal of a misfit ends: with a command that works."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import Factory, evolve, frozen

from nascore.component import SLOTS
from nascore.plugin import Selection
from nascore.shell import command_line
from nascore.verbs.several import PartlyUnfitError
from nascore.verbs.suggesting import INDENT
from nascore.verbs.suggesting import suggesting as explaining

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.recipe import Request
    from nascore.recipe.suggest import Suggestion


@frozen(kw_only=True)
class Line:
    """What a command line says beside its request.

    Attributes:
        verb: The verb that takes the request.
        plugins: Which plugins are wanted.
        out: The folder of the run.
        dry_run: Whether it is only said what would be done.
        seeds: The seeds of several searches.
        sets: Settings of the evaluation, which are not those of the request.
        flags: Flags without a value, beside ``--dry-run``.
    """

    verb: str = "search"
    plugins: Selection = Factory(Selection)
    out: Path | None = None
    dry_run: bool = False
    seeds: str | None = None
    sets: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def command(self, request: Request) -> str:
        """Return the whole command line of a request, as one types it in a POSIX shell.

        Args:
            request: Made from options of the command line: it has no settings from Python.
        """
        fixed = [("recipe", request.recipe), ("preset", request.preset), ("scale", request.scale)]
        plugins = self.plugins
        for flag, typed in (("with", plugins.files), ("without", plugins.without), ("only", plugins.only)):
            fixed += [(flag, one) for one in typed]
        fixed += [*request.run.items(), ("seeds", self.seeds), ("out", self.out)]
        chosen = [(slot.name, name) for slot in SLOTS for name in request.names.get(slot.name, ())]
        options = [*fixed, *chosen, *(("set", text) for text in (*request.sets, *self.sets))]
        words = [word for flag, one in options if one is not None for word in (f"--{flag}", str(one))]
        flags = [*self.flags, *(["dry-run"] if self.dry_run else [])]
        return command_line("nascore", self.verb, *words, *(f"--{flag}" for flag in flags))


@contextmanager
def suggesting(line: Line) -> Iterator[None]:
    """Let the refusal of a misfit end with a command that works, or else with what fits.

    Args:
        line: What the command line says beside its request.
    """

    def written(found: Suggestion) -> str:
        # A recipe that `check` names without a flag is named by one in a search.
        return line.command(evolve(found.request, recipe_typed=""))

    try:
        with explaining(written):
            yield
    except PartlyUnfitError as error:
        if error.rest is not None:
            error.add_note(f"The others work:\n{INDENT}{line.command(error.rest)}")
        raise
