"""The text of a genotype as a syntax tree, and where in it things stand. Nothing of it is ever executed."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import DescriptionError, Origin, Problem
from nascore_darts.finding import LONGEST_GENOTYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
"""The fields of a genotype, in the order in which they may be given without names."""

_FORM = "Write Genotype(normal=[(OPERATION, STATE), ...], normal_concat=[...], ...)."
_ESCAPE = re.compile(r"\\(?![\r\n])")
_INDEX = re.compile(r"\[(\d+)\]")
_NUMBER = re.compile(r"_\d+")


@frozen(kw_only=True)
class Source:
    """A parsed text.

    Attributes:
        tree: Its only expression.
        indent: By how much the text's first line that is not empty is indented.
    """

    tree: ast.expr
    indent: int

    def named(self) -> Iterator[tuple[str, ast.expr]]:
        """Yield the fields that are given; none where the text is neither a call nor a dictionary."""
        tree = self.tree
        if isinstance(tree, ast.Call) and ast.unparse(tree.func).endswith("Genotype"):
            yield from zip(FIELDS, tree.args, strict=False)
            yield from ((word.arg or "**", word.value) for word in tree.keywords)
        elif isinstance(tree, ast.Dict):
            for key, value in zip(tree.keys, tree.values, strict=True):
                yield (str(key.value) if isinstance(key, ast.Constant) else "**"), value

    def origin(self, path: str) -> Origin:
        """Return the place of a path such as ``normal[3]``, or of as much of it as there is."""
        name, *_ = path.split("[", 1)
        node: ast.expr = self.tree
        for field, value in self.named():
            if name in {field, _NUMBER.sub("", field)}:
                node = value
                break
        for index in map(int, _INDEX.findall(path)):
            if isinstance(node, ast.List | ast.Tuple) and index < len(node.elts):
                node = node.elts[index]
        indent = self.indent if node.lineno == self.tree.lineno else 0
        return _origin(node.lineno, node.col_offset + 1 + indent)


def parse(text: str) -> Source:
    """Return the syntax tree of a text.

    Raises:
        DescriptionError: If it is no single expression of Python, or too long.
    """
    stripped = text.lstrip()
    if len(stripped) > LONGEST_GENOTYPE:
        said = f"a genotype has at most {LONGEST_GENOTYPE:,} characters, this text has {len(stripped):,}."
        raise DescriptionError(said)
    before = text[: len(text) - len(stripped)]
    lines = before.count("\n")
    indent = len(before) - before.rfind("\n") - 1
    try:
        # Python warns of doubtful escapes, and a filter against that would be one of the whole process. No
        # genotype needs escapes: they become what no name and no expression holds, at the same column.
        body = ast.parse("\n" * lines + _ESCAPE.sub("?", stripped.rstrip())).body
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        raise _no_genotype(error.msg, line, column + (indent if line == lines + 1 else 0)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        said = "nested too deeply" if isinstance(error, (RecursionError, MemoryError)) else str(error)
        raise _no_genotype(said, lines + 1, indent + 1) from None
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.Expr):
        raise _no_genotype("it is not one expression", lines + 1, indent + 1)
    return Source(tree=body[0].value, indent=indent)


def _origin(line: int, column: int) -> Origin:
    return Origin(layer="recipe", where=f"genotype:{line}:{column}")


def _no_genotype(why: str, line: int, column: int) -> DescriptionError:
    text = f"this is no genotype: {why.rstrip('.')}; genotypes are read, never executed."
    return DescriptionError([Problem(path="", text=text, hint=_FORM, origin=_origin(line, column))])
