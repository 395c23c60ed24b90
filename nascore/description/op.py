"""An operation as a description names it: ``sep_conv_3x3`` or ``mbconv(expand=6;kernel=3)``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import field, frozen

from nascore.config import read_scalar, write_scalar
from nascore.description.names import Scalar, is_operation_name, is_setting_value
from nascore.description.problems import Found
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

Settings = tuple[tuple[str, Scalar], ...]

_TEXT = re.compile(r"(?P<name>[^()]*)(\((?P<settings>[^()]+)\))?")


def _sorted(settings: Iterable[tuple[str, Scalar]]) -> Settings:
    return tuple(sorted(settings, key=lambda item: item[0]))


def _typed(settings: Settings) -> tuple[tuple[str, type, Scalar], ...]:
    """Return a form in which ``1``, ``1.0`` and ``true`` differ, as their texts do."""
    return tuple((key, type(value), value) for key, value in settings)


@frozen
class Op:
    """A primitive and its own settings.

    Its text is the YAML form, the label of a column of a group and the last part of a path. Settings are
    parted by ``;``, because a comma would force quotes inside the lists of YAML.

    Attributes:
        name: Name in the catalogue.
        settings: Pairs of a setting and its value, sorted; what is left out is the catalogue's default.

    Raises:
        DescriptionError: On a bad name, a setting named twice, or a value whose text would not read back.
    """

    name: str
    settings: Settings = field(default=(), converter=_sorted, eq=_typed)

    def __attrs_post_init__(self) -> None:
        found = Found()
        if not is_operation_name(self.name):
            found.add("", f"{self.name!r} cannot name an operation.")
        keys = [key for key, _ in self.settings]
        for key, value in self.settings:
            if not is_operation_name(key):
                found.add("", f"{key!r} cannot name a setting of {self.name}.")
            if keys.count(key) > 1:
                found.add("", f"{self.name} has the setting {key} twice.")
            if not is_setting_value(value):
                found.add("", f"{value!r} cannot be the value of {self.name}'s setting {key}.")
        found.stop()

    def __str__(self) -> str:
        if not self.settings:
            return self.name
        inner = ";".join(f"{key}={write_scalar(value)}" for key, value in self.settings)
        return f"{self.name}({inner})"

    @classmethod
    def parse(cls, text: str) -> Op:
        """Return the operation of a text such as ``mbconv(expand=6;kernel=3)``.

        Raises:
            DescriptionError: If the text is no operation.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise DescriptionError(f"{text!r} is no operation: write NAME or NAME(KEY=VALUE;KEY=VALUE).")
        items = found["settings"].split(";") if found["settings"] else []
        return cls(found["name"], tuple(_setting(text, item) for item in items))

    def without(self, *keys: str) -> Op:
        """Return the same operation with these settings left to their defaults."""
        return Op(self.name, tuple(item for item in self.settings if item[0] not in keys))


def _setting(text: str, item: str) -> tuple[str, Scalar]:
    key, equals, value = item.partition("=")
    read = read_scalar(value)
    if not equals or read is None:
        raise DescriptionError(f"{item!r} in {text!r} is no setting: write KEY=VALUE.")
    return key, read
