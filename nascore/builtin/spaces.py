"""Built-in spaces: a tiny cell, a planted test of the choice, and a description from a file."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.api import (
    Description,
    DescriptionError,
    Edge,
    Graph,
    Group,
    Node,
    Op,
    Problem,
    did_you_mean,
    load,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nascore.api import Catalogue, Choice, DataFacts
    from nascore.builtin.components import FileSettings, PlantedSpaceSettings, TinySettings


TINY = tuple(map(Op, ("none", "skip_connect", "max_pool_3x3", "conv_3x3")))
USEFUL = Op("conv_3x3")
NOISE = tuple(Op("noise", (("copy", copy),)) for copy in range(2))
IDLE = Op("none")
MORE_NOISE = Op("noise", (("copy", len(NOISE)),))
LAYERS = 3
USES = 2
PATH = ((1, 0), (2, 1), (3, 2))
"""Edges (node, source) of the form ``nb201`` that lead through all nodes."""
POOLED = Op("classifier")
FLAT = Op("classifier", (("size", 8),))
"""A classifier that sees every place: with a pooled one, noise would be averaged away."""


@frozen
class Tiny:
    """A cell of two nodes with four operations: as small as a search can be."""

    settings: TinySettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description."""
        nodes = (
            Node(name="n0", edges=(Edge(source="in0", ops=TINY, group="cell"),)),
            Node(name="n1", edges=tuple(Edge(source=name, ops=TINY, group="cell") for name in ("in0", "n0"))),
        )
        network = _network(Node(name="a", edges=(Edge(source=-1),), join="cell", repeat=self.settings.cells))
        return Description(
            network=network,
            cells={"cell": Graph(inputs=("in0",), nodes=nodes, output="n1")},
            groups={"cell": Group(ops=TINY, never=(Op("none"),))},
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=True,
        )


@frozen
class Planted:
    """Each place has four candidates, of which one is useful: the others draw noise or give zeros.

    So the right answer is known and accuracy is no part of the judgement: a search that chooses finds the
    convolution in every place, chance finds it in a quarter of them.

    In the form ``nb201`` the places are the path through all nodes of a cell with the edges of NAS-Bench-201.
    The other three edges offer no convolution, so that nothing of the image gets around a place; what they
    can add is noise, so `none` is right there.

    In the forms above a wrong operation hides the images from all that comes after it. A relaxation that runs
    one drawn operation of each place runs three right ones in 1 of 64 draws, and learns nothing from the
    others. In the form ``residual`` each place has a skip around it, and so the images and the gradient pass
    a wrong operation. There noise stands in for `none`, which would be right wherever one convolution does.
    """

    settings: PlantedSpaceSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description."""
        forms = {
            "chain": self._chain,
            "cell": self._cell,
            "nb201": self._nb201,
            "residual": self._residual,
        }
        network, cells, groups = forms[self.settings.form]()
        return Description(
            network=network,
            cells=cells,
            groups=groups,
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=True,
        )

    def _candidates(self, place: str, idle: Op = IDLE) -> tuple[Op, ...]:
        ops = [*NOISE, idle, USEFUL]
        # Seeded by text: a generator of its own for each place, independent of how many there are.
        Random(f"{self.settings.seed}/{place}").shuffle(ops)  # noqa: S311 - nothing secret
        return tuple(ops)

    def _chain(self) -> tuple[Graph, dict[str, Graph], dict[str, Group]]:
        # A group per layer: the columns of one group are the same for all its rows.
        groups = {f"layer{index}": Group(ops=self._candidates(f"layer{index}")) for index in range(LAYERS)}
        layers = (
            Node(name=f"l{index}", edges=(Edge(source=-1, ops=group.ops, group=name),))
            for index, (name, group) in enumerate(groups.items())
        )
        return _network(*layers, head=FLAT), {}, groups

    def _residual(self) -> tuple[Graph, dict[str, Graph], dict[str, Group]]:
        places = [f"layer{index}" for index in range(LAYERS)]
        groups = {place: Group(ops=self._candidates(place, idle=MORE_NOISE)) for place in places}
        layers: list[Node] = []
        source = "stem"
        for index, (name, group) in enumerate(groups.items()):
            place, both = f"p{index}", f"l{index}"
            layers += (
                Node(name=place, edges=(Edge(source=source, ops=group.ops, group=name),)),
                Node(name=both, edges=(Edge(source=place), Edge(source=source))),
            )
            source = both
        return _network(*layers, head=FLAT), {}, groups

    def _cell(self) -> tuple[Graph, dict[str, Graph], dict[str, Group]]:
        group = Group(ops=self._candidates("cell"))
        sources = ("in0", *(f"n{index}" for index in range(LAYERS - 1)))
        nodes = tuple(
            Node(name=f"n{index}", edges=(Edge(source=source, ops=group.ops, group="cell"),))
            for index, source in enumerate(sources)
        )
        cell = Graph(inputs=("in0",), nodes=nodes, output=nodes[-1].name)
        uses = Node(name="a", edges=(Edge(source=-1),), join="cell", repeat=USES)
        return _network(uses, head=FLAT), {"cell": cell}, {"cell": group}

    def _nb201(self) -> tuple[Graph, dict[str, Graph], dict[str, Group]]:
        # Used once: through a second cell no signal is left of so much noise, and no learner finds anything.
        group = Group(ops=self._candidates("nb201"))
        detour = tuple(op for op in group.ops if op != USEFUL)
        nodes = tuple(
            Node(
                name=f"n{node}",
                edges=tuple(
                    Edge(source=f"n{at}", ops=group.ops if (node, at) in PATH else detour, group="cell")
                    for at in range(node)
                ),
            )
            for node in range(1, LAYERS + 1)
        )
        cell = Graph(inputs=("n0",), nodes=nodes, output=nodes[-1].name)
        use = Node(name="a", edges=(Edge(source=-1),), join="cell")
        return _network(use, head=FLAT), {"cell": cell}, {"cell": group}


def _network(*layers: Node, head: Op = POOLED) -> Graph:
    stem = Node(name="stem", edges=(Edge(source="images", ops=(Op("stem"),)),))
    last = Node(name="head", edges=(Edge(source=-1, ops=(head,)),), width="classes")
    return Graph(inputs=("images",), nodes=(stem, *layers, last), output="head")


_PATH = "space.path"


@frozen
class File:
    """A description in YAML; channels and classes of the data replace those of the file."""

    settings: FileSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the file's description for this data."""
        return evolve(_read(self.settings.path), in_channels=facts.channels, classes=facts.classes)

    @property
    def file(self) -> Path | None:
        """The file that the description is written in."""
        return self.settings.path


def check_file(settings: FileSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield everything that is wrong with the file, each with its line, before anything is built."""
    try:
        _read(settings.path, recipe.operations())
    except DescriptionError as error:
        yield from (evolve(problem, slots=("space",)) for problem in error.problems)


def excludes(settings: FileSettings) -> bool:
    """Say whether a group of the file never keeps some operation; of no file that can be read: no."""
    path = settings.path
    if path is None:
        return False
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return False
    return _excludes(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=8)  # asked for at every request that a suggestion tries
def _excludes(path: Path, _changed: int, _size: int) -> bool:
    try:
        description = _read(path)
    except DescriptionError:
        return False
    return any(group.never for group in description.groups.values())


def _read(path: Path | None, catalogue: Catalogue | None = None) -> Description:
    if path is None:
        text = "no file is named."
        raise DescriptionError([Problem(path=_PATH, text=text, hint="Write --space file:PATH.")])
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise DescriptionError([_unreadable(path, error)]) from None
    return load(text, where=str(path), catalogue=catalogue, classifies=catalogue is not None)


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(path=_PATH, text=f"there is no file {path}.", hint=_beside(path))
    why = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else f"{error}"
    why = error.strerror or why if isinstance(error, OSError) else why
    return Problem(path=_PATH, text=f"{path} cannot be read: {why}.", hint="Write --space file:PATH.")


def _beside(path: Path) -> str:
    """Return the hint for a file that is not there: the nearest name in its folder, as it is typed."""
    try:
        names = {one.name for one in path.parent.iterdir() if one.suffix in (".yaml", ".yml")}
    except OSError:
        names = set()
    return did_you_mean(str(path), (str(path.parent / name) for name in names)) or "Write --space file:PATH."
