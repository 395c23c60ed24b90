"""Checks the values that the methods of plugins return."""

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
"""Letters of a value that a message shows."""


@frozen
class ReturnCheck:
    """What a method of a plugin's part returned, under examination.

    Attributes:
        part: The plugin's object.
        method: Name of the method, or of the attribute.
        slot: The slot that the part fills.
    """

    part: object
    method: str
    slot: str

    def wrong(self, given: str, due: str) -> PluginError:
        """Return the error of a method that does not return what its slot asks for.

        Args:
            given: What it gives, in words.
            due: What the slot asks for, in words.
        """
        kind = type(self.part)
        root = kind.__module__.partition(".")[0].removeprefix(OF_FILES)
        called = f"{kind.__name__}.{self.method}"
        text = f"{called} of the plugin {root} gives {given}, and the slot asks for {due}."
        hint = "A mistake of the plugin: tell its authors."
        origin = _source(kind, self.method)
        return PluginError([Problem(path=self.slot, text=text, hint=hint, origin=origin, of_plugin=True)])

    def expect(self, given: object, kind: type[T], due: str) -> T:
        """Return what was given, if it is of the right type.

        Raises:
            PluginError: It is not; names class, plugin, method, and the line where the method stands.
        """
        if not isinstance(given, kind):
            raise self.wrong(describe_value(given), due)
        return given

    def several(self, given: object, kind: type[T], due: str) -> tuple[T, ...]:
        """Return what was given as a tuple, if it is a sequence of values of the right type.

        Args:
            given: What was given; of an iterable see :func:`items_of`.
            kind: The type of each.
            due: The type in words, in the plural.

        Raises:
            PluginError: It is not; see :meth:`expect`.
        """
        if not isinstance(given, list | tuple):
            raise self.wrong(describe_value(given), f"a sequence of {due}")
        return tuple(self.expect(one, kind, due) for one in given)

    def tensor(self, given: object, shape: Sequence[int], where: str = "") -> Tensor:
        """Return what was given, if it is a tensor of floating point numbers of this shape.

        Args:
            given: What was given.
            shape: The shape that is due.
            where: What it was given for, such as a group.

        Raises:
            PluginError: It is not.
        """
        if isinstance(given, Tensor) and given.is_floating_point() and tuple(given.shape) == tuple(shape):
            return given
        behind = f" for {where}" if where else ""
        raise self.wrong(f"{describe_value(given)}{behind}", f"a tensor of floats {_shape(shape)}")

    def relaxation(self, given: Any) -> Any:  # noqa: ANN401 - a plugin's
        """Return what was given, if it can be asked for a mixture.

        Raises:
            PluginError: It cannot.
        """
        if not callable(getattr(given, "mixture", None)) or not callable(getattr(given, "expected", None)):
            raise self.wrong(describe_value(given), "a relaxation")
        return given

    def picks(self, given: object, segments: Tensor, where: str) -> list[Pick]:
        """Return what was given, if it lists entries that compete, each once.

        Args:
            given: What was given.
            segments: Over what the entries compete, [E, O] int64; -1 outside.
            where: Name of the group.

        Raises:
            PluginError: It does not.
        """
        due = f"a list of pairs (row, column) of entries of {where} {_shape(segments.shape)} that compete"
        if not isinstance(given, list | tuple):
            raise self.wrong(f"{describe_value(given)} for {where}", due)
        rows, columns = segments.shape
        for pick in given:
            pair = isinstance(pick, tuple | list) and len(pick) == len(segments.shape)
            if not pair or not all(isinstance(at, int) and not isinstance(at, bool) for at in pick):
                raise self.wrong(f"a list that holds {_written(pick)} for {where}", due)
            if not (0 <= pick[0] < rows and 0 <= pick[1] < columns):
                raise self.wrong(f"the pick {tuple(pick)} for {where}, which has no such entry", due)
            if int(segments[pick[0], pick[1]]) < 0:
                raise self.wrong(f"the pick {tuple(pick)} for {where}, which is masked or dead", due)
        found = [(int(row), int(column)) for row, column in given]
        if len(set(found)) < len(found):
            raise self.wrong(f"an entry of {where} twice", due)
        return found

    def groups(self, given: object, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what was given, if it has for each group a tensor of the group's shape, of finite numbers.

        Args:
            given: What was given.
            like: By group [E, O].

        Raises:
            PluginError: It has not.
        """
        if not isinstance(given, Mapping) or set(given) != set(like):
            shapes = ", ".join(f"{name} {_shape(value.shape)}" for name, value in like.items())
            raise self.wrong(describe_value(given), f"a tensor for each group: {shapes}")
        found = {name: self.tensor(given[name], value.shape, name) for name, value in like.items()}
        for name, value in found.items():
            if not bool(torch.isfinite(value).all()):
                raise self.wrong(f"numbers for {name} that are not finite", "finite ones")
        return found


def items_of(given: object) -> object:
    """Return the items of an iterable as a tuple, so that its code runs here; any other value as it is."""
    if isinstance(given, Iterable) and not isinstance(given, str | Mapping | Tensor):
        return tuple(given)
    return given


def describe_value(given: object) -> str:
    """Return in a few words what a value is."""
    if given is None:
        return "None"
    if isinstance(given, Tensor):
        return f"a tensor {_shape(given.shape)} of {str(given.dtype).removeprefix('torch.')}"
    kind = type(given).__name__
    if isinstance(given, (bool, int, float, str)):
        return f"{kind} {given!r}"[:LONGEST]
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _written(given: object) -> str:
    return repr(given)[:LONGEST] if isinstance(given, tuple | list) else describe_value(given)


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]" if len(shape) else "of no dimension, a scalar"


def _source(kind: type, method: str) -> Origin | None:
    try:
        found = getattr(kind, method)
        return Origin(kind="python", file=str(getsourcefile(found)), line=getsourcelines(found)[1])
    except (AttributeError, OSError, TypeError):
        return None
