"""Declarations of settings: type, default, bounds and description.

::

    @frozen(kw_only=True)
    class EgSettings:
        eta: float = setting(0.1, "Step size of the exponentiated gradient.", gt=0, le=10)
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

import attrs
from attrs import frozen

from nascore.config.document import Node, show, wrap
from nascore.config.kinds import InvalidValueError, convert, describe, item_of
from nascore.errors import Origin, Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
_METADATA: Final = "nascore"
LARGEST: Final = 1e18
"""The largest number: its square still fits into the 32-bit floats of torch."""

_WORDS: Final = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


@frozen(kw_only=True)
class Setting:
    """The declaration of one setting, besides its type and default.

    Attributes:
        help: One sentence for ``nascore show``.
        bounds: Pairs such as ``("gt", 0)``; for a list they apply to each item.
        choices: The allowed values; empty if all values of the type are allowed.
        copied: Whether a run keeps a copy of the small text file at this path.
    """

    help: str
    bounds: tuple[tuple[str, float], ...] = ()
    choices: tuple[Any, ...] = ()
    copied: bool = True

    def expected(self, declared: object) -> str:
        """Return the allowed values in words: ``a whole number at least 1``."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        bounds = " and ".join(f"{_WORDS[name]} {limit:g}" for name, limit in self.bounds)
        return describe(declared, bounds)

    def allows(self, value: object) -> bool:
        """Return whether a value of the right type is within the bounds and choices."""
        if self.choices and value not in self.choices:
            return False
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return True
        if isinstance(value, float) and abs(value) > LARGEST:
            return False
        return all(_within(value, name, limit) for name, limit in self.bounds)


@frozen(kw_only=True)
class Declared:
    """One setting of a settings class, with its name, type and default."""

    name: str
    type: Any
    default: Any
    setting: Setting

    @property
    def nested(self) -> bool:
        """Whether it is a nested group of settings."""
        return isinstance(self.type, type) and attrs.has(self.type)

    @property
    def expected(self) -> str:
        """The allowed values, in words."""
        return "a group of settings" if self.nested else self.setting.expected(self.type)

    def read(self, node: Node) -> Any:  # noqa: ANN401 - as declared
        """Return the value of this setting in a node (not for nested groups).

        Raises:
            InvalidValueError: The node does not hold an allowed value.
        """
        value = convert(self.type, node)
        if isinstance(value, (list, tuple)) and isinstance(node.value, list):
            for item, inner in zip(value, node.value, strict=True):
                if not self.setting.allows(item):
                    raise InvalidValueError(inner, item_of(self.type))
        elif not self.setting.allows(value):
            raise InvalidValueError(node, self.type)
        return value


def setting(  # noqa: PLR0913 - one argument for each kind of bound
    default: T,
    help: str,  # noqa: A002 - the usual name in declarations
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    choices: Sequence[T] = (),
    copied: bool = True,
) -> T:
    """Declare a setting of a frozen attrs class.

    Args:
        default: The paper's value, if it has one.
        help: One sentence on its meaning, with its unit.
        gt: The value must be above this.
        ge: The value must be at least this.
        lt: The value must be below this.
        le: The value must be at most this.
        choices: The allowed values, if not all.
        copied: For a path, whether a run keeps a copy of the file if it is a small text. A file that names
            other files beside it must not be copied.
    """
    limits = {"gt": gt, "ge": ge, "lt": lt, "le": le}
    declared = Setting(
        help=help,
        bounds=tuple((name, limit) for name, limit in limits.items() if limit is not None),
        choices=tuple(choices),
        copied=copied,
    )
    # Each instance gets its own list or map: editing one must not change the default.
    initial: Any = default
    if isinstance(default, (list, dict)):
        initial = attrs.Factory(default.copy)
    field: Any = attrs.field(default=initial, validator=_validate, metadata={_METADATA: declared})
    return field  # type: ignore[no-any-return]  # attrs replaces the field by the default


def restated(config: type, name: str, default: object = attrs.NOTHING) -> Any:  # noqa: ANN401 - as `setting`
    """Declare a setting of another class again, with the same bounds and help.

    Args:
        config: The class that declares it.
        name: Its name.
        default: The new default, if it differs.
    """
    field = attrs.fields_dict(config)[name]
    return attrs.field(
        default=field.default if default is attrs.NOTHING else default,
        validator=_validate,
        metadata=dict(field.metadata),
    )


@frozen(kw_only=True)
class NoSettings:
    """The settings of a component without any."""


def settings_of(config: type) -> dict[str, Declared]:
    """Return the settings that a class declares, by name, in the order of declaration.

    Raises:
        TypeError: The class is not an attrs class, or an attribute is not declared with :func:`setting`.
    """
    return _declared(config)


@cache  # resolving the types anew for every recipe is five times slower
def _declared(config: type) -> dict[str, Declared]:
    if not attrs.has(config):
        raise TypeError(f"{config.__name__} is not an attrs class")
    types = get_type_hints(config, include_extras=True)
    found = {}
    for attribute in attrs.fields(config):
        if _METADATA not in attribute.metadata:
            raise TypeError(f"{config.__name__}.{attribute.name} is not declared with setting(...)")
        initial = attribute.default
        default = initial.factory() if isinstance(initial, attrs.Factory) else initial  # type: ignore[arg-type]
        found[attribute.name] = Declared(
            name=attribute.name,
            type=types[attribute.name],
            default=default,
            setting=attribute.metadata[_METADATA],
        )
    return found


def _within(value: float, name: str, limit: float) -> bool:
    if name == "gt":
        return value > limit
    if name == "ge":
        return value >= limit
    return value < limit if name == "lt" else value <= limit


def _validate(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Check a value passed to the class itself, as strictly as one from a recipe."""
    declared = settings_of(type(instance))[attribute.name]
    if declared.nested:
        fits = isinstance(value, declared.type)
    else:
        node = wrap(value, Origin(kind="python", who=type(instance).__name__))
        try:
            declared.read(node)
        except InvalidValueError:
            fits = False
        else:
            fits = True
    if not fits:
        text = f"{show(wrap(value, _HERE))} is not {declared.expected}."
        raise RecipeError([Problem(path=attribute.name, text=text)])


_HERE: Final = Origin(kind="python")
