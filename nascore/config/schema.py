"""Makes the JSON Schema (draft 2020-12) of settings, for editors.

JSON Schema is less strict in two places. It takes ``1.0`` for a whole number, the reader does not; and it
cannot apply the bounds of a number to text with a unit (``0s`` where the time must be above 0).
"""

from __future__ import annotations

import json
from enum import EnumType
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, Union, get_args, get_origin

from attrs import evolve

from nascore.config.document import Node, wrap
from nascore.config.setting import LARGEST, settings_of
from nascore.errors import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.config.kinds import Unit
    from nascore.config.setting import Declared, Setting

Schema: TypeAlias = dict[str, Any]

_PLAIN: Final[dict[object, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    Path: "string",
    NoneType: "null",
    None: "null",
}
_BOUNDS: Final = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_HERE: Final = Origin(kind="default", what="schema")


def closed(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """Return the schema of a map with these keys and no others.

    Args:
        properties: The schema of each key's value.
        required: The required keys.
    """
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def settings_schema(config: type) -> Schema:
    """Return the schema of a settings class, with its nested groups."""
    return closed(setting_schemas(config))


def setting_schemas(config: type) -> dict[str, Schema]:
    """Return the schema of each setting that a class declares, by name."""
    return {name: _declared(declared) for name, declared in settings_of(config).items()}


def _declared(declared: Declared) -> Schema:
    schema: Schema = {"description": declared.setting.help}
    if declared.nested:
        schema |= settings_schema(declared.type)
    else:
        schema |= _value(declared.type, declared.setting)
    default = plain(declared.default)
    return {**schema, "default": default} if _is_json(default) else schema


def _value(expected: Any, setting: Setting) -> Schema:  # noqa: ANN401 - a type, or what typing makes of one
    """Return the schema of a single value; bounds and choices apply to each type of a union."""
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in (Union, UnionType):
        return {"anyOf": [_value(arm, setting) for arm in arguments]}
    if origin in (list, tuple):
        inner = arguments[0]
        # As in the reader, bounds apply to the items of a list, but not to the items of nested lists.
        below = evolve(setting, bounds=(), choices=()) if get_origin(inner) in (list, tuple) else setting
        return {"type": "array", "items": _value(inner, below)}
    if origin is dict:
        return {"type": "object"}
    if origin is Annotated:
        number, unit = arguments
        text = {"type": "string", "pattern": _pattern(unit, whole=number is int)}
        return {"anyOf": [_value(number, setting), text]}
    if expected in _PLAIN:
        return _scalar(_PLAIN[expected], setting)
    allowed = list(expected) if isinstance(expected, EnumType) else arguments
    return {"enum": [plain(value) for value in allowed if not setting.choices or value in setting.choices]}


def _scalar(kind: str, setting: Setting) -> Schema:
    schema: Schema = {"type": kind}
    if kind == "number":
        schema |= {"minimum": -LARGEST, "maximum": LARGEST}
    if kind in ("integer", "number"):
        schema |= {_BOUNDS[name]: limit for name, limit in setting.bounds}
    if setting.choices:
        schema["enum"] = [plain(value) for value in setting.choices]
    return schema


def _pattern(unit: Unit, *, whole: bool) -> str:
    """Return the pattern of a number with a unit; whole numbers get only as many decimals as it allows."""
    arms = []
    for name, factor in unit.factors.items():
        decimals = f"{{1,{len(str(factor)) - 1}}}0*" if whole else "+"
        arms.append(rf"[0-9]+(\.[0-9]{decimals})?\s*{name}")
    return rf"^\s*({'|'.join(arms)})\s*$"


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    """Return a setting's value as in a recipe: a choice as its word, a path as text."""
    return _plain_value(wrap(value, _HERE))


def _plain_value(node: Node) -> Any:  # noqa: ANN401 - whatever JSON has
    if isinstance(node.value, dict):
        return {key: _plain_value(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [_plain_value(item) for item in node.value]
    return node.value


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
