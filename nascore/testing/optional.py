"""Methods that a part may have and need not: one that is misspelt is never called, and nothing says so."""

from __future__ import annotations

from difflib import get_close_matches
from typing import ClassVar, Final

from nascore.testing.part import PartConformance

NEAR: Final = 0.7
"""How alike two names are, of which one is taken for the other misspelt."""


class OptionalMethods(PartConformance):
    """The check of a slot whose protocol has optional methods.

    Attributes:
        optional: Their names.
    """

    optional: ClassVar[tuple[str, ...]] = ()

    def test_optional_methods_are_spelt_right(self) -> None:
        """Nothing that it has is called nearly as a method that is optional: that would never be called."""
        own = {name for name in dir(self.made()) if not name.startswith("_")}
        for name in self.optional:
            near = get_close_matches(name, sorted(own - {*self.optional}), cutoff=NEAR)
            text = f"has {', '.join(near)} and no {name}, which is what is called"
            self.hold(name in own or not near, text)
