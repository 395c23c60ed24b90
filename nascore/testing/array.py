"""The array of mixes: few combinations that together hold every three parts that go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.recipe.mixes import mixes
from nascore.testing.covering import TRIPLES, covering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.plugin import Registry
    from nascore.recipe.mixes import Mix


def accepted_mixes(registry: Registry, names: Mapping[str, Sequence[str]] | None = None) -> list[Mix]:
    """Return all combinations that the fit check does not refuse.

    Args:
        registry: What is installed.
        names: By slot what fills it, where that is not everything.
    """
    return [mix for mix in mixes(registry, names=names) if mix.verdict != "refused"]


def covering_mixes(found: Iterable[Mix], *, strength: int = TRIPLES) -> list[Mix]:
    """Return combinations that together hold what any three fillings (or so many) of one combination hold.

    Args:
        found: Combinations that are not refused.
        strength: How many fillings.
    """
    by_texts = {tuple(mix.texts.values()): mix for mix in found}
    return [by_texts[texts] for texts in covering(list(by_texts), strength=strength)]
