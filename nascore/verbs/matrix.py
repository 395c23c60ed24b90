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
    """All combinations, judged.

    Attributes:
        axes: What was combined.
        mixes: The combinations; that of the last axis changes first.
        not_combined: What was not combined, a sentence each.
    """

    axes: tuple[Axis, ...]
    mixes: tuple[Mix, ...]
    not_combined: tuple[str, ...]

    @property
    def counts(self) -> dict[Judgement, int]:
        """How many have each verdict, the best first."""
        return counted(self.mixes)

    def across(self, slot: str) -> dict[tuple[str, str, str], dict[Judgement, int]]:
        """Return counts by another slot, what fills that, and what fills this one, all three in words.

        Args:
            slot: A slot that was combined.
        """
        sorted_out: dict[tuple[str, str, str], list[Mix]] = {}
        for mix in self.mixes:
            texts = mix.texts
            for other, text in texts.items():
                sorted_out.setdefault((other, text, texts[slot]), []).append(mix)
        return {key: counted(found) for key, found in sorted_out.items()}


def counted(found: Iterable[Mix]) -> dict[Judgement, int]:
    """Return how many have each verdict, the best first."""
    count = Counter(mix.verdict for mix in found)
    return {verdict: count[verdict] for verdict in VERDICTS}


def matrix(
    *,
    names: Mapping[str, str | Sequence[str]] | None = None,
    sets: Sequence[str] = (),
    plugins: Wanted = (),
    watch: Callable[[Mixes], Iterable[Mix]] = iter,
) -> Matrix:
    """Return every combination of what is installed, each with its verdict and its reasons.

    It takes a few milliseconds a combination, and torch is not imported. Nothing is built or run, so what is
    called sound is what no need of any part rejects.

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
