"""The entry of an operation in the catalogue; no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import field, frozen

from nascore.config import write_scalar
from nascore.description.names import UNREAD, Scalar, is_operation_name
from nascore.description.problems import ProblemCollector, nearest
from nascore.shell import command_line
from nascore.slots import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.description.graph import Description
    from nascore.description.values import Op

_SWITCHES = ("affine", "pool_norm")
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


def _copied(settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return dict(settings)


@frozen(kw_only=True, hash=False)
class Operation:
    """The facts about an operation that checks, growth and the compiler need.

    Attributes:
        name: Name that descriptions use.
        build: ``module:attribute``, imported only when a network is built, or the callable itself; called as
            ``build(c_in, c_out, stride, **settings)`` it returns the module.
        strides: Strides that it can do; None for any.
        same_channels: Whether it must bring as many channels as it gets.
        structural: Whether it is part of the frame (stem, classifier, ...), which drop path never touches.
        identity: Whether it may be the identity, which drop path never touches either.
        random: Whether it draws random numbers, in evaluation too.
        weights: ``module:attribute``, or the callable itself, for published files whose tensors have other
            names than those of the module: ``weights(tensors, **settings)`` returns the tensors by its names.
            None: the files have the names of the module.
        settings: Its settings and their defaults. ``affine`` and ``pool_norm``, where listed, default to what
            the description says instead.

    Raises:
        DescriptionError: On a bad name.
    """

    name: str
    build: str | Callable[..., Any]
    strides: tuple[int, ...] | None = (1, 2)
    same_channels: bool = False
    structural: bool = False
    identity: bool = False
    random: bool = False
    weights: str | Callable[..., Any] | None = None
    settings: dict[str, Scalar] = field(factory=dict, converter=_copied)

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        for name in (self.name, *self.settings):
            if not is_operation_name(name):
                found.add(f"operations.{self.name}", f"{name!r} cannot name an operation or a setting.")
        found.stop()

    def misfits(self, c_in: int, c_out: int, stride: int) -> Iterator[str]:
        """Yield each reason why the operation cannot take these channels and stride; nothing if it can."""
        if self.strides is not None and stride not in self.strides:
            can = " or ".join(str(each) for each in self.strides)
            yield f"{self.name} cannot do stride {stride}, only {can}."
        if self.same_channels and c_in != c_out:
            yield f"{self.name} keeps the number of channels, here {c_in} would become {c_out}."


Catalogue = Mapping[str, Operation]


@runtime_checkable
class Shared(Protocol):
    """A catalogue that several plugins fill: names that two of them bring are left out."""

    def ambiguous(self, name: str) -> tuple[str, ...]:
        """Return ``plugin:name`` of each that a name may mean, where they are several."""


def resolved(op: Op, entry: Operation, description: Description) -> dict[str, Scalar]:
    """Return every setting with which an operation of this description is built.

    The operation's own settings win over the description's switches, those over the defaults of the entry.
    """
    switches = {name: getattr(description, name) for name in _SWITCHES if name in entry.settings}
    return {**entry.settings, **switches, **dict(op.settings)}


def unknown(op: Op, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the faults of an operation by the catalogue, as pairs of a text and a hint."""
    entry = catalogue.get(op.name)
    if entry is None:
        full = catalogue.ambiguous(op.name) if isinstance(catalogue, Shared) else ()
        if full:
            yield _several(op.name, full)
        elif op.name is not UNREAD:
            yield f"there is no operation {op.name!r}.", nearest(op.name, catalogue)
        return
    for key, value in op.settings:
        if key not in entry.settings:
            yield f"{op.name} has no setting {key!r}.", _settings_hint(key, entry)
        elif not _same_type(value, entry.settings[key]):
            wanted = _WORDS[type(entry.settings[key])]
            text = f"{op.name}'s setting {key} must be {wanted}, not {write_scalar(value)}."
            yield text, f"Its default is {write_scalar(entry.settings[key])}."


def _several(name: str, full: Sequence[str]) -> tuple[str, str]:
    # A description is written for whoever has the operation: it cannot name a plugin.
    plugins = [one.rpartition(":")[0] for one in full]
    text = f"{len(full)} plugins bring an operation {name}: {' and '.join(plugins)}."
    return (
        text,
        f"Leave one out: {' or '.join(command_line('--without', one) for one in plugins if one != BUILTIN)}.",
    )


def _settings_hint(key: str, entry: Operation) -> str:
    return nearest(key, entry.settings) or "It has none."


def _same_type(value: Scalar, default: Scalar) -> bool:
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is type(default)
