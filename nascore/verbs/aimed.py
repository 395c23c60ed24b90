"""Settings of a slot for which several names were given: each counts for those that have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.config import settings_of
from nascore.errors import Origin
from nascore.recipe.naming import name_component

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.plugin import Registry
    from nascore.recipe import Request


@frozen(kw_only=True)
class Aim:
    """Which settings count for which of the names of a slot.

    Attributes:
        slots: What was given for each slot of which several names were given.
        registry: What is installed.
    """

    slots: Mapping[str, tuple[str, ...]]
    registry: Registry

    def owners(self, path: str) -> tuple[str, ...]:
        """Return the names that a setting counts for; none where it belongs to no compared slot, or to none.

        A setting that none of them has stays, so that it is refused with what there is instead.

        Args:
            path: Its ``--set`` path, such as ``updater.eta``; a value may follow.
        """
        slot, _, word = re.split(r"[=\s]", path, maxsplit=1)[0].partition(".")
        return tuple(name for name in self.slots.get(slot, ()) if self._has(slot, name, word.split(".")[0]))

    def request_of(self, request: Request, choice: Mapping[str, str]) -> Request:
        """Return a request without the settings that are for other names than those of a combination."""
        return evolve(
            request,
            sets=[text for text in request.sets if self._counts(text, choice)],
            settings={path: value for path, value in request.settings.items() if self._counts(path, choice)},
        )

    def said(self, request: Request) -> list[str]:
        """Return, of each setting that does not count for all names of its slot, for which it does."""
        found = []
        for path in (*request.sets, *request.settings):
            slot, owners = path.partition(".")[0], self.owners(path)
            if owners and owners != self.slots[slot]:
                others = [name for name in self.slots[slot] if name not in owners]
                found.append(f"{path}: for {', '.join(owners)}; {', '.join(others)} has no such setting")
        return found

    def _counts(self, path: str, choice: Mapping[str, str]) -> bool:
        owners = self.owners(path)
        return not owners or choice[path.partition(".")[0]] in owners

    def _has(self, slot: str, name: str, word: str) -> bool:
        named = name_component(slot, name, Origin(layer="flag", where=f"--{slot} {name}"), self.registry)
        component = named.choice.component
        return component is not None and word in settings_of(component.config)
