"""Mistakes put into recipes: each with the path that an error text has to name."""

from copy import deepcopy

from attrs import frozen
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from recipe_values import drawn, written

WRONG = (None, True, "many", "on", "1:30", "", 2.7, -1, -0.5, 0, 10**30, [], [1], {}, {"a": 1}, "1", "dart")
"""Each is wrong somewhere; the schema says where."""

NOISE = ("", *"{}[]:,&*!#|>'\"%@`- \n\t?x1\0\ufeff")


@frozen(kw_only=True)
class Mutant:
    """A recipe with mistakes.

    Attributes:
        kind: ``sound``, ``wrong``, ``twice`` or ``noisy``.
        text: As YAML.
        refused: The paths of the mistakes.
        value: What the text says, where JSON can say it.
    """

    kind: str
    text: str
    refused: tuple[str, ...] = ()
    value: object = None


class Mutations:
    """Draws recipes from a schema and puts mistakes into them."""

    def __init__(self, schema, reach=3):
        self.valid = Draft202012Validator(schema).is_valid
        self.recipes = drawn(schema, reach=reach)
        self.known = _keys(schema)
        self.components = {name.partition(".")[2] for name in schema["$defs"]}
        self.sound = self.recipes.map(lambda value: Mutant(kind="sound", text=written(value), value=value))
        self.wrong = st.composite(self._wrong)()
        self.twice = st.composite(self._twice)()
        self.noisy = st.composite(self._noisy)()
        self.any = st.composite(self._any)()

    def _any(self, draw):
        kinds = [self.wrong] * 12 + [self.noisy] * 4 + [self.twice] * 2 + [self.sound]
        return draw(kinds[draw(st.integers(0, len(kinds) - 1))])

    def _wrong(self, draw):
        """Put one to three mistakes into a recipe, each under another top-level key."""
        value = draw(self.recipes)
        keys = [key for key in value if key != "nascore"]
        # What a format that is not known means, nobody can judge: no other mistake beside it.
        alone = not keys or draw(st.integers(0, 9)) == 0
        some = st.lists(st.sampled_from(keys), unique=True, min_size=1, max_size=3) if keys else st.nothing()
        tops = ["nascore"] if alone else draw(some)
        refused, changed = [], {}
        for key, item in value.items():
            piece, path = self._one(draw, key, item) if key in tops else ({key: item}, None)
            changed |= piece
            refused += [path] if path else []
        return Mutant(kind="wrong", text=written(changed), refused=tuple(refused), value=changed)

    def _one(self, draw, top, item):
        """Put a mistake under a top-level key; returns the path too, or None where what came out is right."""
        piece = {top: deepcopy(item)}
        holder, key, path = draw(st.sampled_from([*self._spots(piece, top, "")]))
        if isinstance(holder, dict) and draw(st.booleans()):
            path = self._misspell(draw, holder, key, path)
        else:
            holder[key] = draw(st.sampled_from(WRONG))
        if self.valid(piece if top == "nascore" else {"nascore": 2, **piece}):
            return {top: item}, None
        return piece, path

    def _misspell(self, draw, holder, key, path):
        at = draw(st.integers(0, len(key) - 1))
        typo = draw(st.sampled_from([key[:at] + key[at + 1 :], key[: at + 1] + key[at:], key + "_x"]))
        typo = f"{key}_x" if not typo or typo in self.known or typo in holder else typo
        items = [(typo if name == key else name, item) for name, item in holder.items()]
        holder.clear()
        holder.update(items)
        if key in ("name", "nascore"):
            return path  # what is missing is named
        if self._component(key):
            return path.rpartition(".")[0]  # the slot is named, in which there is no such component
        return path.removesuffix(key) + typo

    def _twice(self, draw):
        value = draw(self.recipes)
        key = draw(st.sampled_from(sorted(value)))
        return Mutant(kind="twice", text=written(value) + written({key: value[key]}), refused=(key,))

    def _noisy(self, draw):
        """Replace a character of a recipe; hardly any of them is YAML after that."""
        text = written(draw(self.recipes))
        at = draw(st.integers(0, len(text) - 1))
        return Mutant(kind="noisy", text=text[:at] + draw(st.sampled_from(NOISE)) + text[at + 1 :])

    def _spots(self, holder, key, path):
        """Yield every place below a key: what holds it, its key, and the path that errors say."""
        path = f"{path}.{self._component(key) or key}" if path else key
        item = holder[key]
        yield holder, key, path.removesuffix(".name")
        if isinstance(item, dict):
            for name in item:
                yield from self._spots(item, name, path)
        for at, one in enumerate(item if isinstance(item, list) else ()):
            yield item, at, path
            if isinstance(one, dict):
                inner = f"{path}.{self._component(one['name'])}"
                yield from (spot for name in one if name != "name" for spot in self._spots(one, name, inner))

    def _component(self, name):
        """Return the name of the component that is meant: of `builtin:file:9` it is `file`."""
        return next((word for word in name.split(":") if word in self.components), "")


def _keys(schema):
    if isinstance(schema, list):
        return {key for item in schema for key in _keys(item)}
    if not isinstance(schema, dict):
        return set()
    return {*schema.get("properties", ()), *_keys(list(schema.values()))}
