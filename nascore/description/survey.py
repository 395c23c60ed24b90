"""Working out a draft as far as it goes, to find what else is wrong with it."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

from attrs import define, field

from nascore.description.checks import Checks
from nascore.description.expand import Walk
from nascore.description.layouts import lay_out
from nascore.description.names import UNREAD
from nascore.description.output import check_output
from nascore.description.plan import State
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from nascore.description.operation import Catalogue
    from nascore.description.plan import Use
    from nascore.description.problems import Found
    from nascore.description.scope import Placed
    from nascore.description.values import Description, Graph


def survey(
    description: Description, catalogue: Catalogue | None, found: Found, *, classifies: bool = False
) -> None:
    """Note what arithmetic and the catalogue show to be wrong.

    Args:
        description: A description, or a draft of one, whose other problems are noted.
        catalogue: With it every operation is checked.
        found: Where problems go.
        classifies: Whether the output must have a channel for each class.
    """
    checks = Checks(description=description, catalogue=catalogue, found=found)
    walk = _Survey(description=description, checks=checks)
    try:
        names = walk.network()
    except DescriptionError as error:
        found.problems += error.problems
        return
    auxiliary = names.get(description.auxiliary or "")
    if auxiliary is not None:
        checks.auxiliary(walk.states[auxiliary])
    output = names.get(description.network.output)
    if classifies and output is not None:
        check_output(description, walk.states[output], found, catalogue)
    if not walk.torn and not _is_torn(description):
        # How often a group is used is only known where all edges are.
        lay_out(description, walk.states, checks)


@define(kw_only=True)
class _Survey(Walk):
    """A walk that goes on where something is missing: a state of which nothing is known stands for it.

    Attributes:
        torn: Whether a use of a cell could not be followed.
        within: The cells that are being walked, to notice one that contains itself.
    """

    torn: bool = False
    within: list[str] = field(factory=list)

    def graph(self, graph: Graph, use: Use, found: dict[str, int]) -> dict[str, int]:
        """Place every node of a graph; what cannot be read in it is the unknown state."""
        unknown = self._unknown(use)
        return super().graph(graph, use, dict.fromkeys(graph.inputs, unknown) | found | {UNREAD: unknown})

    def cell(self, name: str, placed: Placed, use: Use, sources: tuple[int, ...]) -> int:
        """Place a use of a cell, or the unknown state where it cannot be followed."""
        cell = self.description.cells.get(name)
        if cell is None or name in self.within or not cell.inputs or cell.output not in cell.scope.names:
            self.torn = True
            return self._unknown(use)
        self.within.append(name)
        inputs = chain(sources, repeat(self._unknown(use)))
        result = super().cell(
            name, placed, use, tuple(each for each, _ in zip(inputs, cell.inputs, strict=False))
        )
        self.within.pop()
        return result

    def _unknown(self, use: Use) -> int:
        self.states.append(
            State(path=UNREAD, join="input", channels=0, reduction=0, template=(use.graph, UNREAD))
        )
        return len(self.states) - 1


def _is_torn(description: Description) -> bool:
    """Return whether some edge could not be read, or names a group that does not exist."""
    return any(
        edge.source is UNREAD
        or node.join is UNREAD
        or any(op.name is UNREAD for op in edge.ops)
        or (edge.group is not None and edge.group not in description.groups)
        for _, node, edge in description.edges()
    )
