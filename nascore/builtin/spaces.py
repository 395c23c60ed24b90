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
    """A space with a known answer: of the four candidates of each position only the convolution is useful.

    The other candidates are noise or zeros. A search that works finds the convolution in every position, a
    random choice in a quarter of them; accuracy is not needed to judge it.

    In the form ``nb201`` the positions are the path through all nodes of a cell with the edges of
    NAS-Bench-201. The other three edges offer no convolution, so no information bypasses a position; they can
    only add noise, so `none` is right there.

    In the forms ``chain``, ``cell`` and ``nb201`` a wrong operation hides the images from all later ones. A
    relaxation that runs one sampled operation per position runs three right ones in 1 of 64 draws, and learns
    nothing from the others. In the form ``residual`` each position has a skip around it, so images and
    gradient pass a wrong operation. There noise replaces `none`, which would be right if another position
    has the convolution.
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
        # Each position has its own seed, independent of the number of positions.
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
        # Used once: after a second cell the noise would leave no signal, and no search finds anything.
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
    """A space from a YAML file; channels and classes of the data replace those of the file."""

    settings: FileSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the description of the file for these data."""
        return evolve(_read(self.settings.path), in_channels=facts.channels, classes=facts.classes)

    @property
    def file(self) -> Path | None:
        """The YAML file of the description."""
        return self.settings.path


def check_file(settings: FileSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield every problem of the file, each with its line, before anything is built."""
    try:
        _read(settings.path, recipe.operations())
    except DescriptionError as error:
        yield from (evolve(problem, slots=("space",)) for problem in error.problems)


def excludes(settings: FileSettings) -> bool:
    """Return whether a group of the file has operations in `never`; False if the file cannot be read."""
    path = settings.path
    if path is None:
        return False
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return False
    return _excludes(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=8)  # called for every request that a suggestion tries
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
    why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"{error}"
    why = error.strerror or why if isinstance(error, OSError) else why
    return Problem(path=_PATH, text=f"{path} cannot be read: {why}.", hint="Write --space file:PATH.")


def _beside(path: Path) -> str:
    """Return the hint for a missing file: the most similar name in its folder, in the form that was typed."""
    try:
        names = {one.name for one in path.parent.iterdir() if one.suffix in (".yaml", ".yml")}
    except OSError:
        names = set()
    return did_you_mean(str(path), (str(path.parent / name) for name in names)) or "Write --space file:PATH."
