"""The keys of the description language, declared where their fields are.

The metadata of a field says under which key its value stands in YAML, how it is read, checked and written,
and how it counts in the fingerprint. Reading, writing and the fingerprint go through these declarations, so
that a new key is one line, and a field without a declaration is refused when its class is made.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import Attribute, fields, frozen

from nascore.config.document import show
from nascore.config.writer import Verbatim
from nascore.description.names import LARGEST, UNREAD_NUMBER
from nascore.description.problems import defaults_of, join
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from attrs import AttrsInstance

    from nascore.config import Node as Yaml
    from nascore.description.problems import ProblemCollector


class Hashed(Enum):
    """How the value of a key counts in the fingerprint."""

    NO = "It does not count: descriptions that differ in it alone are isomorphic."
    PLAN = "It counts by the plan that is made of it."
    ALWAYS = "Its value counts, the default included."
    SET = "Its value counts where it is not the default; a new key so leaves all older fingerprints alone."


def _sound(_value: object, _path: str, _found: ProblemCollector) -> None:
    """Note nothing."""


@frozen(kw_only=True)
class Kind:
    """A kind of values.

    Attributes:
        read: Returns the value of a node. A wrong value adds a problem; it becomes None or, for a number,
            ``UNREAD_NUMBER``.
        write: Returns what is written for a value.
        check: Notes it if a value, however it was made, is wrong.
    """

    read: Callable[[Yaml, str, ProblemCollector], Any]
    write: Callable[[Any], Any]
    check: Callable[[Any, str, ProblemCollector], None] = _sound


@frozen(kw_only=True)
class Key:
    """The declaration of a field.

    Attributes:
        names: The keys under which its value stands in YAML.
        hashed: How it counts in the fingerprint.
        kind: How its value is read, checked and written; None: by code of its own, since the value has
            several forms.
        required: Advice for a missing key; empty: the key is optional, and has its default.
        draft: Placeholder for a required value that is missing or misspelt; None: the default.
    """

    names: tuple[str, ...]
    hashed: Hashed
    kind: Kind | None = None
    required: str = ""
    draft: Any = None


_METADATA = "nascore"

Marks = tuple[tuple[str, Any], ...]
"""Values that count in the fingerprint because they are set, by key."""


def key(name: str, kind: Kind, *, hashed: Hashed, required: str = "", draft: object = None) -> dict[str, Key]:
    """Return the metadata of a field whose value stands under one key; see :class:`Key`."""
    return {_METADATA: Key(names=(name,), kind=kind, hashed=hashed, required=required, draft=draft)}


def form(*names: str, hashed: Hashed, required: str = "") -> dict[str, Key]:
    """Return the metadata of a field that has a form of its own in YAML.

    Args:
        names: The keys that the form consists of; none: the value is itself a key, as the name of a node is.
        hashed: How it counts in the fingerprint.
        required: Advice for a missing key.
    """
    return {_METADATA: Key(names=names, hashed=hashed, required=required)}


def declared(kind: type, attributes: list[Attribute[Any]]) -> list[Attribute[Any]]:
    """Return the fields of a class of the language; the ``field_transformer`` of each.

    Raises:
        TypeError: A field is not declared.
    """
    for one in attributes:
        if _METADATA not in one.metadata:
            raise TypeError(f"{kind.__name__}.{one.name} needs metadata=key(...), or form(...).")
    return attributes


@cache
def keys_of(kind: type[AttrsInstance]) -> dict[str, Key]:
    """Return the declared key of each field of a class."""
    return {one.name: one.metadata[_METADATA] for one in fields(kind)}


@cache
def key_names(kind: type[AttrsInstance]) -> tuple[str, ...]:
    """Return all keys of a class, in the order in which they are written."""
    return tuple(dict.fromkeys(name for one in keys_of(kind).values() for name in one.names))


_defaults = cache(defaults_of)


def read_keys(
    kind: type[AttrsInstance],
    items: Mapping[str, Yaml],
    path: str,
    found: ProblemCollector,
    *,
    misspelt: bool = False,
) -> dict[str, Any]:
    """Return the values that a map gives for the keys of a class, by field; those it lacks are left out.

    Args:
        kind: The class. Fields that have a form of their own are left out too.
        items: The map.
        path: Its path.
        found: Where problems go.
        misspelt: Whether a key is not known, which may then be one that is missing.
    """
    read: dict[str, Any] = {}
    for name, one in keys_of(kind).items():
        if one.kind is None:
            continue
        node = items.get(one.names[0])
        if node is not None:
            read[name] = one.kind.read(node, join(path, one.names[0]), found)
        elif misspelt or one.required:
            read[name] = one.draft
    return {name: value for name, value in read.items() if value is not None}


def check_values(value: AttrsInstance, found: ProblemCollector) -> None:
    """Note the values of fields that are not of their kind."""
    for name, one in keys_of(type(value)).items():
        held = getattr(value, name)
        if one.kind is not None and not (held is None and _defaults(type(value))[name] is None):
            one.kind.check(held, one.names[0], found)


def write_keys(value: AttrsInstance, **forms: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys and values to write for a value, without defaults.

    Args:
        value: A value of the language.
        forms: Of each field that has a form of its own: what is written for it.
    """
    written: dict[str, Any] = {}
    for name, one in keys_of(type(value)).items():
        if one.kind is None:
            written |= forms[name] if one.names else {}
        elif one.required or getattr(value, name) != _defaults(type(value))[name]:
            written[one.names[0]] = one.kind.write(getattr(value, name))
    return written


def hashed_values(value: AttrsInstance) -> tuple[Any, ...]:
    """Return the values that always count in the fingerprint."""
    keys = keys_of(type(value))
    return tuple(getattr(value, name) for name, one in keys.items() if one.hashed is Hashed.ALWAYS)


def marks(value: AttrsInstance) -> Marks:
    """Return by key the values that count in the fingerprint where they are set, and are."""
    keys, defaults = keys_of(type(value)), _defaults(type(value))
    return tuple(
        (one.names[0], getattr(value, name))
        for name, one in keys.items()
        if one.hashed is Hashed.SET and getattr(value, name) != defaults[name]
    )


def verbatim(items: Iterable[object]) -> list[Verbatim]:
    """Names and operations as they stand in a description, where they need no quotes."""
    return [Verbatim(item) for item in items]


def whole(least: int = 1, most: int = LARGEST, *, word: str | None = None) -> Kind:
    """Return the kind of whole numbers.

    Args:
        least: The smallest.
        most: The largest.
        word: May stand in place of a number.
    """

    def read(node: Yaml, path: str, found: ProblemCollector) -> int | str:
        if word is not None and node.value == word:
            return word
        before = len(found.problems)
        if isinstance(node.value, (int, float, str)) and not isinstance(node.value, bool):
            found.whole(path, node.value, least, most)
        else:
            found.add(path, f"must be a whole number, not {show(node)}.")
        return node.value if isinstance(node.value, int) and len(found.problems) == before else UNREAD_NUMBER

    def check(value: object, path: str, found: ProblemCollector) -> None:
        if word is None or value != word:
            found.whole(path, value, least, most)

    return Kind(read=read, write=Verbatim, check=check)


def _read_flag(node: Yaml, path: str, found: ProblemCollector) -> bool | None:
    if isinstance(node.value, bool):
        return node.value
    found.add(path, f"must be true or false, not {show(node)}.", origin=node.origin)
    return None


def read_name(node: Yaml, path: str, found: ProblemCollector) -> str | None:
    """Return a text; add a problem and return None for any other node."""
    if isinstance(node.value, str):
        return node.value
    found.add(path, f"must be a name, not {show(node)}.", origin=node.origin)
    return None


FLAG = Kind(read=_read_flag, write=bool, check=lambda value, path, found: found.flag(path, value))
NAME = Kind(read=read_name, write=Verbatim)


def one_of(*words: str) -> Kind:
    """Return the kind of a few words."""

    def check(value: object, path: str, found: ProblemCollector) -> None:
        if value not in words:
            text = f"must be {' or '.join(words)}, not {value!r}."
            found.add(path, text, hint=did_you_mean(str(value), words))

    return Kind(read=read_name, write=Verbatim, check=check)
