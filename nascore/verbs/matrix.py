"""Computes the verdict of every combination of the installed parts, with reasons."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.recipe.advice.all_mixes import VERDICTS, mixes
from nascore.verbs.resolution import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nascore.plugin.plugin import Wanted
    from nascore.recipe.advice.all_mixes import Axis, Judgement, Mix, Mixes


@frozen(kw_only=True)
class Matrix:
    """All combinations with their verdicts.

    Attributes:
        axes: The combined slots.
        mixes: The combinations; the last axis varies fastest.
        not_combined: Parts that were not combined, one sentence each.
    """

    axes: tuple[Axis, ...]
    mixes: tuple[Mix, ...]
    not_combined: tuple[str, ...]

    @property
    def counts(self) -> dict[Judgement, int]:
        """Number of combinations by verdict, the best first."""
        return counted(self.mixes)

    def across(self, slot: str) -> dict[tuple[str, str, str], dict[Judgement, int]]:
        """Return the counts by another slot, the part in it, and the part in this slot.

        Args:
            slot: One of the combined slots.
        """
        sorted_out: dict[tuple[str, str, str], list[Mix]] = {}
        for mix in self.mixes:
            texts = mix.texts
            for other, text in texts.items():
                sorted_out.setdefault((other, text, texts[slot]), []).append(mix)
        return {key: counted(found) for key, found in sorted_out.items()}


def counted(found: Iterable[Mix]) -> dict[Judgement, int]:
    """Return the number of combinations by verdict, the best first."""
    count = Counter(mix.verdict for mix in found)
    return {verdict: count[verdict] for verdict in VERDICTS}


def matrix(
    *,
    names: Mapping[str, str | Sequence[str]] | None = None,
    sets: Sequence[str] = (),
    plugins: Wanted = (),
    watch: Callable[[Mixes], Iterable[Mix]] = iter,
) -> Matrix:
    """Return every combination of the installed parts, with its verdict and its reasons.

    It takes a few milliseconds per combination and imports no torch. Nothing is built or run: a combination
    is sound if it meets the needs of all its parts.

    Args:
        names: By slot the one thing, or the things, that fill it; every other slot is filled with each thing
            there is, one after the other.
        sets: ``PATH=VALUE`` texts that hold for all.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        watch: Goes through the combinations, and shows how far it is.

    Raises:
        RecipeError: A name stands for no component, or there are too many combinations to go through.
        PluginError: A file of `plugins` cannot be used.
    """
    wanted = {slot: (one,) if isinstance(one, str) else tuple(one) for slot, one in (names or {}).items()}
    found = mixes(installed(plugins), names=wanted, sets=sets)
    return Matrix(axes=found.axes, mixes=tuple(watch(found)), not_combined=found.not_combined)
