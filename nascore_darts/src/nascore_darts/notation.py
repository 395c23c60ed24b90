"""Reads the dialects of genotype text, and writes the common one.

A genotype is Python source that many tools ``eval``. Here it is parsed into a syntax tree and never executed.
Only literals, ``range(...)``, ``list(...)`` and values in the form that NumPy prints are accepted. All
mistakes are reported at once.

Dialects: the flat pairs of quark0/darts (node ``i`` takes entries ``2i`` and ``2i+1``); lists or tuples for
each node (pt.darts, AutoDL); triples with a weight, and dictionaries (AutoDL); aw_nas's
``CNNGenotype(normal_0=[(operation, from, to), ...], ...)``; FairDARTS's triples (operation, node, source), in
which a node may have any number of terms; an assignment ``NAME = Genotype(...)`` of any dialect. With
``reduce=None`` there is no reduction cell.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from nascore.api import DescriptionError, Problem, did_you_mean
from nascore_darts import source
from nascore_darts.source import FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nascore_darts.source import Source


LONGEST_RANGE = 1_000
"""Maximum number of values in a range."""

_NUMBERS = frozenset(
    f"{kind}{size}" for kind in ("int", "uint", "float") for size in ("", "_", "8", "16", "32", "64")
)
_ARRAYS = frozenset({"array", "tensor", "asarray"})
_SEQUENCES = frozenset({"list", "tuple"})
_TEXTS = frozenset({"str", "str_"})


def value_of(node: ast.expr) -> Any:  # noqa: ANN401, C901, PLR0911 - whatever literal stands there
    """Return the value of an expression, without executing it.

    Args:
        node: A node of the syntax tree: a constant, a range, a number or an array in the form that NumPy and
            torch print (``np.int64(1)``, ``array([2, 3], dtype=int32)``), or a list, tuple or dictionary of
            these.

    Raises:
        ValueError: The node is none of these; the text is the reason.
    """
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List(elts=entries):
            return [value_of(entry) for entry in entries]
        case ast.Tuple(elts=entries):
            return tuple(value_of(entry) for entry in entries)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {value_of(key): value_of(each) for key, each in zip(keys, values, strict=True) if key}
        case ast.Call(args=[]):
            pass
        case ast.Call(func=ast.Name(id="range"), args=bounds, keywords=[]):
            return _range([value_of(bound) for bound in bounds])
        case ast.Call(args=[value], keywords=keywords) if _is_printed_value(node, value, keywords):
            return value_of(value)
    raise ValueError(f"`{ast.unparse(node)[:60]}` is not a literal; genotypes are read, never executed.")


def _is_printed_value(call: ast.Call, value: ast.expr, keywords: list[ast.keyword]) -> bool:
    """Return whether a call has the form in which a number, a text, an array or a sequence is printed."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="np" | "numpy" | "torch"), attr=name):
            pass
        case _:
            return False
    if keywords and not (name in _ARRAYS and {word.arg for word in keywords} <= {"dtype", "device"}):
        return False
    if name in _NUMBERS or name in _TEXTS:
        wanted = (str,) if name in _TEXTS else (int, float)
        inner = value.operand if isinstance(value, ast.UnaryOp) else value
        return isinstance(inner, ast.Constant) and type(inner.value) in wanted
    if name in _ARRAYS:
        return isinstance(value, ast.List | ast.Tuple | ast.Constant)
    return name in _SEQUENCES


def _range(bounds: list[Any]) -> list[int]:
    if all(type(bound) is int for bound in bounds):
        try:
            numbers = range(*bounds)
        except (ValueError, TypeError):
            pass
        else:
            # Count a slice: len() raises OverflowError for a huge range.
            if len(numbers[: LONGEST_RANGE + 1]) <= LONGEST_RANGE:
                return list(numbers)
    raise ValueError(f"range{tuple(bounds)} is not a range of states.")


Term = tuple[str, int]
"""An operation and the index of the state that it reads (0 and 1 are the cell's inputs)."""

INPUTS = 2
NOTHING = "none"
MOST_NODES = 100
OPERATIONS_PER_NODE = 2
_FIELD = re.compile(r"(?P<cell>normal|reduce)(?P<number>_\d+)?(?P<concat>_concat)?")
_IGNORED_IF_NONE = {"connectN", "connects"}  # AutoDL's tuple has them for another kind of cell


@frozen(kw_only=True)
class CellGenotype:
    """One cell: the terms of each node, and the states whose concatenation is the output."""

    nodes: tuple[tuple[Term, ...], ...]
    concat: tuple[int, ...]


@frozen(kw_only=True)
class Genotype:
    """A normal and a reduction cell; its text is the flat form of quark0/darts.

    Attributes:
        normal: The cell that keeps the size.
        reduce: The cell that halves the size; None: there is none.
    """

    normal: CellGenotype
    reduce: CellGenotype | None

    def __str__(self) -> str:
        parts = []
        for name, cell in (("normal", self.normal), ("reduce", self.reduce)):
            if cell is None:
                parts.append(f"{name}=None, {name}_concat=None")
                continue
            parts.append(f"{name}={[term for node in cell.nodes for term in node]}")
            parts.append(f"{name}_concat={list(cell.concat)}")
        return f"Genotype({', '.join(parts)})"


def parse(text: str, operations: Collection[str]) -> Genotype:
    """Read a genotype in any of the dialects.

    Args:
        text: The genotype's text.
        operations: The operations that a genotype may name.

    Raises:
        DescriptionError: With every problem of the text.
    """
    reader = _Reader(operations=operations, source=source.parse(text))
    fields = reader.fields()
    normal = reader.cell("normal", fields)
    whole = any(fields.get(name, (fields, False))[0] is not None for name in ("reduce", "reduce_concat"))
    reduce = reader.cell("reduce", fields) if whole else None
    if reader.problems:
        raise DescriptionError(reader.problems)
    return Genotype(normal=normal, reduce=reduce)


@define(kw_only=True)
class _Reader:
    """Walks the syntax tree once and collects the problems."""

    operations: Collection[str]
    source: Source
    problems: list[Problem] = field(factory=list)

    def wrong(self, path: str, text: str, hint: str = "") -> None:
        self.problems.append(Problem(path=path, text=text, hint=hint, origin=self.source.origin(path)))

    @staticmethod
    def nearest(word: str, choices: Iterable[str]) -> str:
        known = list(choices)
        return did_you_mean(word, known) or f"Known: {', '.join(known)}."

    # ---- fields -------------------------------------------------------------------------------------------

    def fields(self) -> dict[str, tuple[Any, bool]]:
        """Return ``{field: (value, numbered)}``; a numbered field holds (operation, from, to)."""
        found: dict[str, tuple[Any, bool]] = {}
        given = list(self.source.named())
        if not given:
            self.wrong("", "this is not a genotype: write Genotype(normal=[...], ...) or a dictionary.")
        for name, node in given:
            match = _FIELD.fullmatch(name)
            value = self.value(name, node)
            if match is None:
                if name not in _IGNORED_IF_NONE or value is not None:
                    self.wrong(name, "a genotype has no such field.", self.nearest(name, FIELDS))
                continue
            plain = match["cell"] + (match["concat"] or "")
            if plain in found:
                self.wrong(
                    name, f"`{plain}` is given twice; a genotype has one normal and one reduction cell."
                )
            found[plain] = (value, match["number"] is not None)
        for name in FIELDS:
            if name not in found:
                self.wrong(name, "is missing.")
        return found

    def value(self, name: str, node: ast.expr) -> Any:  # noqa: ANN401 - whatever literal stands there
        try:
            return value_of(node)
        except (ValueError, TypeError, RecursionError) as error:
            self.wrong(name, str(error))
            return None

    # ---- cells --------------------------------------------------------------------------------------------

    def cell(self, name: str, fields: dict[str, tuple[Any, bool]]) -> CellGenotype:
        value, numbered = fields.get(name, ((), False))
        if not numbered and _names_nodes(value):
            numbered, value = True, [(entry[0], entry[2], entry[1]) for entry in value]
            last = max([INPUTS - 1, *(number for number in _numbers(fields, name) if number < MOST_NODES)])
        else:
            last = INPUTS - 1
        nodes = self.by_target(name, value, last) if numbered else self.by_node(name, value)
        read = tuple(
            tuple(
                term for entry, path in node if (term := self.term(path, entry, INPUTS + index)) is not None
            )
            for index, node in enumerate(nodes)
        )
        path = f"{name}_concat"
        concat = self.concat(path, fields[path][0], len(nodes)) if path in fields else ()
        return CellGenotype(nodes=read, concat=concat)

    def by_node(self, name: str, value: Any) -> list[list[tuple[Any, str]]]:  # noqa: ANN401 - a literal
        """Split flat or nested entries into nodes; each entry keeps its path for messages."""
        if not isinstance(value, list | tuple) or not value:
            if value != ():
                self.wrong(name, "a cell is a list of (operation, source) pairs.")
            return []
        if all(isinstance(node, list | tuple) and node and not isinstance(node[0], str) for node in value):
            return [
                [(entry, f"{name}[{index}][{place}]") for place, entry in enumerate(node)]
                for index, node in enumerate(value)
            ]
        entries = [(entry, f"{name}[{index}]") for index, entry in enumerate(value)]
        if len(entries) % OPERATIONS_PER_NODE:
            self.wrong(
                name, f"has an odd number of pairs, {len(entries)}; in the flat form each node takes two."
            )
        return [entries[at : at + OPERATIONS_PER_NODE] for at in range(0, len(entries), OPERATIONS_PER_NODE)]

    def by_target(self, name: str, value: Any, last: int) -> list[list[tuple[Any, str]]]:  # noqa: ANN401 - a literal
        """Group aw_nas's (operation, from, to) by the node that they go to.

        A node up to `last` without entries keeps no operation: it is zero.
        """
        nodes: defaultdict[int, list[tuple[Any, str]]] = defaultdict(list)
        for target in range(INPUTS, last + 1):
            nodes[target] = []
        for index, entry in enumerate(value if isinstance(value, list | tuple) else ()):
            path = f"{name}[{index}]"
            if isinstance(entry, list | tuple) and len(entry) == 3 and type(entry[2]) is int:  # noqa: PLR2004
                nodes[entry[2]].append((entry[:2], path))
            else:
                self.wrong(path, f"{entry!r} is not of the form (operation, from, to).")
        if sorted(nodes) != list(range(INPUTS, INPUTS + len(nodes))):
            self.wrong(name, f"nodes are numbered from {INPUTS} without gaps, not {sorted(nodes)}.")
        return [nodes[target] or [((NOTHING, 0), name)] for target in sorted(nodes)]

    def term(self, path: str, entry: Any, states: int) -> Term | None:  # noqa: ANN401 - a literal
        """Read (operation, source) or (operation, source, weight); the weight is ignored."""
        match entry:
            case (str(name), int(source)) | (str(name), int(source), float()) if type(source) is int:
                pass
            case _:
                self.wrong(path, f"{entry!r} is not an (operation, source) pair.")
                return None
        if name not in self.operations:
            self.wrong(path, f"there is no operation {name!r}.", self.nearest(name, self.operations))
        if not 0 <= source < states:
            self.wrong(path, f"reads state {source}; the states before this node are 0 to {states - 1}.")
        return name, source

    def concat(self, path: str, value: Any, nodes: int) -> tuple[int, ...]:  # noqa: ANN401 - a literal
        numbers = value if isinstance(value, list | tuple) else ()
        allowed = range(INPUTS, INPUTS + nodes)
        for number in numbers:
            if type(number) is not int or (nodes and number not in allowed):
                self.wrong(
                    path, f"{number!r} is not a node of the cell; these are {INPUTS} to {INPUTS + nodes - 1}."
                )
        if nodes and not numbers:
            self.wrong(path, "lists no node.")
        if len({*map(repr, numbers)}) != len(numbers):
            self.wrong(path, "lists a node twice.")
        return tuple(numbers)


def _names_nodes(value: Any) -> bool:  # noqa: ANN401 - a literal
    """Return whether entries are FairDARTS's (operation, node, source): a source is before its node."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(
        isinstance(entry, list | tuple)
        and len(entry) == 3  # noqa: PLR2004
        and isinstance(entry[0], str)
        and type(entry[1]) is type(entry[2]) is int
        and INPUTS <= entry[1] > entry[2]
        for entry in value
    )


def _numbers(fields: Mapping[str, tuple[Any, bool]], name: str) -> list[int]:
    value = fields.get(f"{name}_concat", ((), False))[0]
    return [number for number in value if type(number) is int] if isinstance(value, list | tuple) else []
