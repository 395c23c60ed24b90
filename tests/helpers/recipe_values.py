"""Values drawn from the JSON Schema of a recipe, and recipes written as YAML.

What the schema cannot say is left out: a file that is included must exist, and of a text with a unit the
bounds are unknown (those that begin with 0 are left out). Whole floats (``1.0``) are whole numbers to JSON
Schema and none to the reader: none is drawn where only a whole number may stand.
"""

import re

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nascore.config import write_scalar

FILES = r"\.yaml$"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def drawn(schema, whole=None, reach=10**6):
    """Return a strategy for what a schema allows; whole numbers lie at most ``reach`` above their bound."""
    whole = schema if whole is None else whole
    if "$ref" in schema:
        return drawn(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole, reach)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) if schema["enum"] else st.nothing()
    if "anyOf" in schema:
        return st.one_of([drawn(arm, whole, reach) for arm in schema["anyOf"] if arm.get("pattern") != FILES])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_OF_KIND[kind](schema, whole, reach) for kind in kinds])


def written(recipe):
    """Write a recipe: one line for each top-level key."""
    return "".join(f"{write_scalar(key)}: {_flow(value)}\n" for key, value in recipe.items())


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{write_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return write_scalar(value)


def _text(schema, _whole, _reach):
    pattern = schema.get("pattern")
    if pattern is None:
        return TEXT
    if pattern.endswith("):"):  # NAME:ARGUMENT; a number is text too
        names = re.sub(r"\\", "", pattern[2:-2]).split("|")
        return st.tuples(st.sampled_from(names), st.integers(2, 9)).map(lambda pair: f"{pair[0]}:{pair[1]}")
    return st.from_regex(pattern).filter(lambda text: not text.strip().startswith("0"))


def _integer(schema, _whole, reach):
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1 - reach) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + reach + 1) - 1)
    return st.integers(low, high)


def _number(schema, _whole, _reach):
    low, high = (schema.get(f"exclusive{side}", schema.get(side.lower())) for side in ("Minimum", "Maximum"))
    floats = st.floats(
        low,
        high,
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
        allow_nan=False,
        allow_infinity=False,
    )
    whole = [number for number in (0, 1, 5) if Draft202012Validator(schema).is_valid(number)]
    return floats | st.sampled_from(whole) if whole else floats


def _array(schema, whole, reach):
    arms = schema["items"].get("anyOf", [])
    if "allOf" not in schema:
        items = drawn(schema["items"], whole, reach)
        return st.just([]) if items.is_empty else st.lists(items, max_size=3)
    # Each component once, as the schema says with `contains`.
    some = st.lists(st.sampled_from(arms), unique_by=str, max_size=3)
    return some.flatmap(lambda refs: st.tuples(*(drawn(ref, whole, reach) for ref in refs)).map(list))


def _object(schema, whole, reach):
    if not schema.get("properties") and schema.get("additionalProperties"):
        # A record of plugins: one that is not loaded would be blamed for a missing part, with exit code 4.
        return st.dictionaries(st.just("builtin"), drawn(schema["additionalProperties"], whole, reach))
    if "properties" not in schema:
        return st.just({})  # a map whose contents only its component can check
    known = {name: drawn(item, whole, reach) for name, item in schema["properties"].items()}
    required = {name: known.pop(name) for name in schema.get("required", [])}
    found = st.fixed_dictionaries(required, optional=known)
    return (
        found.filter(Draft202012Validator({"allOf": schema["allOf"]}).is_valid)
        if "allOf" in schema
        else found
    )


_OF_KIND = {
    "boolean": lambda *_: st.booleans(),
    "null": lambda *_: st.none(),
    "integer": _integer,
    "number": _number,
    "string": _text,
    "array": _array,
    "object": _object,
}
