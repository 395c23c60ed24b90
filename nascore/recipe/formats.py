"""The format of recipe files: which one is read, and how older ones become it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.config import Node
from nascore.config.node import show
from nascore.errors import Problem
from nascore.recipe.made_with import KEY as MADE_WITH
from nascore.recipe.run_settings import EVALUATION

if TYPE_CHECKING:
    from nascore.errors import Origin

FORMAT: Final = 1
"""The format that is written."""

KEY: Final = "nascore"
"""Where a recipe says its format."""

OF_FILES: Final = ("include", "scale", EVALUATION, MADE_WITH)
"""What may stand in a file beside its format, the settings of the run and the slots."""

Step: TypeAlias = Callable[[Node], Node]
"""From the root of a recipe to that of the same recipe in the next format.

It sees a map, and returns one; what it keeps or moves keeps its origin, so that errors still name the place
in the file.
"""


@frozen(kw_only=True)
class Formats:
    """The formats that are read.

    Attributes:
        newest: The format of this version of nascore.
        steps: For each older format that is still read, the step to the next one.
    """

    newest: int = FORMAT
    steps: Mapping[int, Step] = Factory(dict)

    def read(self, root: Node) -> tuple[Node, Problem | None]:
        """Bring a recipe to the newest format, step by step.

        Args:
            root: The root of a recipe, a map.

        Returns:
            The root in the newest format, and what is wrong with what it says of its own.
        """
        assert isinstance(root.value, dict)
        said = root.value.get(KEY)
        if said is None:
            return root, _problem(
                "the recipe does not say its format.", root.origin, f"Begin it with {KEY}: {self.newest}."
            )
        if type(said.value) is not int or not self._known(said.value):
            return root, self._unknown(said)
        for number in range(said.value, self.newest):
            root = self.steps[number](root)
            assert isinstance(root.value, dict)
            root = evolve(root, value={**root.value, KEY: evolve(said, value=number + 1)})
        return root, None

    def _known(self, number: int) -> bool:
        return number <= self.newest and all(step in self.steps for step in range(number, self.newest))

    def _unknown(self, said: Node) -> Problem:
        if type(said.value) is int and said.value > self.newest:
            text = f"made by a newer nascore: the format is {said.value}, and this one reads {self.newest}."
            return _problem(text, said.origin, "pip install --upgrade nascore")
        text = f"{show(said)} is not a format of recipes that this version reads."
        return _problem(text, said.origin, f"Write {KEY}: {self.newest}.")


FORMATS: Final = Formats()
"""What this version reads; format 1 is the first one."""


def _problem(text: str, origin: Origin, hint: str) -> Problem:
    return Problem(path=KEY, text=text, origin=origin, hint=hint)
