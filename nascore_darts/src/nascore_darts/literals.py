"""Values of a genotype's syntax tree: literals, ``range`` and ``list``, and what numpy prints."""

from __future__ import annotations

import ast
from typing import Any

LONGEST_RANGE = 1_000
"""Numbers of a range, at most."""

_NUMBERS = frozenset(
    f"{kind}{size}" for kind in ("int", "uint", "float") for size in ("", "_", "8", "16", "32", "64")
)
_ARRAYS = frozenset({"array", "tensor", "asarray"})
_SEQUENCES = frozenset({"list", "tuple"})
_TEXTS = frozenset({"str", "str_"})


def value_of(node: ast.expr) -> Any:  # noqa: ANN401, C901, PLR0911 - whatever literal stands there
    """Return the value of an expression; nothing of it is executed.

    Args:
        node: Of the syntax tree: a constant, a list, a tuple or a dictionary of such, a range, or a number
            or an array as numpy and torch print them: ``np.int64(1)``, ``array([2, 3], dtype=int32)``.

    Raises:
        ValueError: It is none of these, with the reason.
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
        case ast.Call(args=[held], keywords=keywords) if _is_shown(node, held, keywords):
            return value_of(held)
    raise ValueError(f"`{ast.unparse(node)[:60]}` is no literal; genotypes are read, never executed.")


def _is_shown(call: ast.Call, held: ast.expr, keywords: list[ast.keyword]) -> bool:
    """Return whether a call is how a number, a text, an array or a sequence is printed."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="np" | "numpy" | "torch"), attr=name):
            pass
        case _:
            return False
    if keywords and not (name in _ARRAYS and {word.arg for word in keywords} <= {"dtype", "device"}):
        return False
    if name in _NUMBERS or name in _TEXTS:
        wanted = (str,) if name in _TEXTS else (int, float)
        inner = held.operand if isinstance(held, ast.UnaryOp) else held
        return isinstance(inner, ast.Constant) and type(inner.value) in wanted
    if name in _ARRAYS:
        return isinstance(held, ast.List | ast.Tuple | ast.Constant)
    return name in _SEQUENCES


def _range(bounds: list[Any]) -> list[int]:
    if all(type(bound) is int for bound in bounds):
        try:
            numbers = range(*bounds)
        except (ValueError, TypeError):
            pass
        else:
            # Counted on a slice: the length of a huge range does not fit len().
            if len(numbers[: LONGEST_RANGE + 1]) <= LONGEST_RANGE:
                return list(numbers)
    raise ValueError(f"range{tuple(bounds)} is no range of states.")
