"""The formats of recipes: older ones are converted when they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.config import Node, merge
from nascore.config.document import show
from nascore.errors import Problem
from nascore.recipe.sources.run_settings import EVALUATION, RANKING, TRAINING

if TYPE_CHECKING:
    from nascore.errors import Origin

FORMAT: Final = 2
"""The format of recipes that this version writes."""

FORMAT_KEY: Final = "nascore"
"""The key of the format in a recipe."""

FormatStep: TypeAlias = Callable[[Node, bool], Node]
"""A function from the root of a recipe, a map, to its root in the next format.

Nodes must keep their origins, so that errors still name the place in the file. The second argument tells
whether a run wrote the recipe, so that it holds every value.
"""


@frozen(kw_only=True)
class Formats:
    """The formats of recipes that can be read.

    Attributes:
        newest: The format of this version of nascore.
        steps: The step from each older format to the next one.
        since: The format in which a key was new, for keys that are younger than format 1.
    """

    newest: int = FORMAT
    steps: Mapping[int, FormatStep] = Factory(dict)
    since: Mapping[str, int] = Factory(dict)

    def read(self, root: Node, *, by_run: bool = False) -> tuple[Node, Problem | None]:
        """Convert a recipe to the newest format, step by step.

        Args:
            root: The root of a recipe, a map.
            by_run: Whether a run wrote the recipe.

        Returns:
            The root in the newest format, and the problem of a missing or wrong format.
        """
        assert isinstance(root.value, dict)
        node = root.value.get(FORMAT_KEY)
        if node is None:
            return root, _problem(
                "the recipe has no format.",
                root.origin,
                f"Begin it with {FORMAT_KEY}: {self.newest}.",
            )
        if type(node.value) is not int or not self._known(node.value):
            return root, self._unknown(node)
        for key, first in self.since.items():
            if key in root.value and first > node.value:
                text = f"{key} is a key of format {first}; the recipe is of format {node.value}."
                hint = f"Begin it with {FORMAT_KEY}: {self.newest}."
                return root, _problem(text, root.value[key].key or root.value[key].origin, hint)
        for number in range(node.value, self.newest):
            root = self.steps[number](root, by_run)
            assert isinstance(root.value, dict)
            root = evolve(root, value={**root.value, FORMAT_KEY: evolve(node, value=number + 1)})
        return root, None

    def _known(self, number: int) -> bool:
        return number <= self.newest and all(step in self.steps for step in range(number, self.newest))

    def _unknown(self, node: Node) -> Problem:
        if type(node.value) is int and node.value > self.newest:
            text = (
                f"the recipe is from a newer nascore: its format is {node.value}, "
                f"this version reads {self.newest}."
            )
            return _problem(text, node.origin, "pip install --upgrade nascore")
        text = f"{show(node)} is not a recipe format of this version."
        return _problem(text, node.origin, f"Write {FORMAT_KEY}: {self.newest}.")


def _problem(text: str, origin: Origin, hint: str) -> Problem:
    return Problem(path=FORMAT_KEY, text=text, origin=origin, hint=hint)


def with_two_groups(root: Node, by_run: bool) -> Node:  # noqa: FBT001 - a step of the formats
    """Return a recipe of format 1 in format 2, which has the groups of settings `ranking` and `training`.

    In format 1 a search and an evaluation both read `training`, and `evaluate.training` overrode it in the
    evaluation. The recipe of a run has all values of `training` for this run alone.

    Args:
        root: The root of the recipe.
        by_run: Whether a run wrote the recipe.
    """
    assert isinstance(root.value, dict)
    keys = dict(root.value)
    both = keys.pop(TRAINING, None)
    special = keys.get(EVALUATION)
    evaluated = None
    if special is not None and isinstance(special.value, dict):
        rest = dict(special.value)
        evaluated = rest.pop(TRAINING, None)
        keys[EVALUATION] = evolve(special, value=rest)
        if not rest:
            del keys[EVALUATION]
    of_search = not by_run or "space" in keys
    if both is not None and of_search:
        keys[RANKING] = both
    shared = None if by_run and of_search else both
    trained = [node for node in (shared, evaluated) if node is not None]
    if trained:
        keys[TRAINING] = trained[0] if len(trained) == 1 else merge(*trained)
    return evolve(root, value=keys)


FORMATS: Final = Formats(steps={1: with_two_groups}, since={RANKING: 2})
"""The formats that this version reads."""
