"""Checks the return values of plugin methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import getsourcefile, getsourcelines
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch
from attrs import frozen
from torch import Tensor

from nascore.errors import Origin, PluginError, Problem
from nascore.plugin.guard import OF_FILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description import Pick

T = TypeVar("T")

LONGEST: Final = 60
"""Number of characters of a value that a message shows."""


@frozen
class ReturnCheck:
    """Checks the return value of one method of a component.

    Attributes:
        part: The component.
        method: Name of the method, or of the attribute.
        slot: The slot of the component.
    """

    part: object
    method: str
    slot: str

    def wrong(self, actual: str, expected: str) -> PluginError:
        """Return the error of a method whose return value does not conform to its slot.

        Args:
            actual: The returned value in words.
            expected: The value that the slot requires, in words.
        """
        kind = type(self.part)
        root = kind.__module__.partition(".")[0].removeprefix(OF_FILES)
        verb = "returns" if callable(getattr(self.part, self.method, None)) else "is"
        name = f"{kind.__name__}.{self.method}"
        text = f"{name} of the plugin {root} {verb} {actual}, but the slot requires {expected}."
        hint = "This is a fault of the plugin: tell its authors."
        origin = _source(kind, self.method)
        return PluginError([Problem(path=self.slot, text=text, hint=hint, origin=origin, of_plugin=True)])

    def expect(self, value: object, kind: type[T], expected: str) -> T:
        """Return the value if it has the right type.

        Raises:
            PluginError: It has another type; names class, plugin, method, and the line of the method.
        """
        if not isinstance(value, kind):
            raise self.wrong(describe_value(value), expected)
        return value

    def several(self, value: object, kind: type[T], expected: str) -> tuple[T, ...]:
        """Return the value as a tuple if it is a sequence of items of the right type.

        Args:
            value: The returned value; for an iterable see :func:`items_of`.
            kind: The type of each item.
            expected: The type in words, in the plural.

        Raises:
            PluginError: It is something else; see :meth:`expect`.
        """
        if not isinstance(value, list | tuple):
            raise self.wrong(describe_value(value), f"a sequence of {expected}")
        return tuple(self.expect(one, kind, expected) for one in value)

    def tensor(self, value: object, shape: Sequence[int], where: str = "") -> Tensor:
        """Return the value if it is a tensor of floating point numbers with this shape.

        Args:
            value: The returned value.
            shape: The required shape.
            where: The subject of the value, such as a group; empty: none.

        Raises:
            PluginError: It is something else.
        """
        if isinstance(value, Tensor) and value.is_floating_point() and tuple(value.shape) == tuple(shape):
            return value
        subject = f" for {where}" if where else ""
        raise self.wrong(f"{describe_value(value)}{subject}", f"a tensor of floats {_shape(shape)}")

    def relaxation(self, value: Any) -> Any:  # noqa: ANN401 - a plugin's
        """Return the value if it has the methods `mixture` and `expected` of a relaxation.

        Raises:
            PluginError: It lacks one of them.
        """
        if not callable(getattr(value, "mixture", None)) or not callable(getattr(value, "expected", None)):
            raise self.wrong(describe_value(value), "a relaxation")
        return value

    def picks(self, value: object, segments: Tensor, where: str) -> list[Pick]:
        """Return the value if it is a list of live entries without duplicates.

        Args:
            value: The returned value.
            segments: The segment of each entry, [E, O] int64; -1 if it is dead or not offered.
            where: Name of the group.

        Raises:
            PluginError: It is something else.
        """
        expected = f"a list of pairs (row, column) of live entries of {where} {_shape(segments.shape)}"
        if not isinstance(value, list | tuple):
            raise self.wrong(f"{describe_value(value)} for {where}", expected)
        rows, columns = segments.shape
        for pick in value:
            pair = isinstance(pick, tuple | list) and len(pick) == len(segments.shape)
            if not pair or not all(isinstance(at, int) and not isinstance(at, bool) for at in pick):
                raise self.wrong(f"a list with {_text(pick)} for {where}", expected)
            if not (0 <= pick[0] < rows and 0 <= pick[1] < columns):
                raise self.wrong(f"the pick {tuple(pick)} for {where}, which has no such entry", expected)
            if int(segments[pick[0], pick[1]]) < 0:
                raise self.wrong(f"the pick {tuple(pick)} for {where}, which is masked or dead", expected)
        found = [(int(row), int(column)) for row, column in value]
        if len(set(found)) < len(found):
            raise self.wrong(f"an entry of {where} twice", expected)
        return found

    def groups(self, value: object, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the value if it has, for each group, a tensor of finite numbers in the shape of the group.

        Args:
            value: The returned value.
            like: Tensors of the required shapes, by group [E, O].

        Raises:
            PluginError: It is something else.
        """
        if not isinstance(value, Mapping) or set(value) != set(like):
            shapes = ", ".join(f"{name} {_shape(tensor.shape)}" for name, tensor in like.items())
            raise self.wrong(describe_value(value), f"a tensor for each group: {shapes}")
        found = {name: self.tensor(value[name], tensor.shape, name) for name, tensor in like.items()}
        for name, tensor in found.items():
            if not bool(torch.isfinite(tensor).all()):
                raise self.wrong(f"numbers for {name} that are not finite", "finite numbers")
        return found


def items_of(value: object) -> object:
    """Return the items of an iterable as a tuple, so that a generator runs here; else the value itself."""
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping | Tensor):
        return tuple(value)
    return value


def describe_value(value: object) -> str:
    """Return a short description of a value: its type, and its shape or its text."""
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor {_shape(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    kind = type(value).__name__
    if isinstance(value, (bool, int, float, str)):
        return f"{kind} {value!r}"[:LONGEST]
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _text(value: object) -> str:
    return repr(value)[:LONGEST] if isinstance(value, tuple | list) else describe_value(value)


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]" if len(shape) else "without dimensions, a scalar"


def _source(kind: type, method: str) -> Origin | None:
    try:
        found = getattr(kind, method)
        return Origin(kind="python", file=str(getsourcefile(found)), line=getsourcelines(found)[1])
    except (AttributeError, OSError, TypeError):
        return None
