"""Makes the JSON Schema (draft 2020-12) of a recipe for the installed components.

The schema describes the keys and values of a file, not whether the parts fit each other, nor the ARGUMENT of
``NAME:ARGUMENT``. ``nascore check`` checks both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attrs import Factory, frozen

from nascore.component import AUTO, SCALES
from nascore.config.schema import Schema, closed, setting_schemas, settings_schema
from nascore.plugin.compatibility import PLUGIN_NAME
from nascore.recipe.sources.formats import FORMAT, FORMAT_KEY
from nascore.recipe.sources.plugin_versions import EXECUTION_NAME, SOURCE
from nascore.recipe.sources.plugin_versions import PLUGINS_KEY as MADE_WITH
from nascore.recipe.sources.run_settings import EVALUATE_RUN, EVALUATION, OF_EVALUATION, SEARCH_RUN, TRAINING
from nascore.slots import RUN, SLOTS, TRICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.slots import Slot


DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
USE: Final = (
    "Save it: nascore schema > recipe.schema.json. Editors with the YAML language server (VS Code, Neovim, "
    "Emacs) use it if a recipe begins with: # yaml-language-server: $schema=recipe.schema.json"
)


def recipe_schema(registry: Registry, slots: Sequence[Slot] = SLOTS, run: Component = SEARCH_RUN) -> Schema:
    """Return the schema of a whole recipe file.

    Args:
        registry: The installed components.
        slots: The slot table.
        run: The component of the run itself; its settings are top-level keys.
    """
    writer = _Writer(registry=registry)
    properties = {
        FORMAT_KEY: {"description": "The format of recipes.", "type": "integer", "const": FORMAT},
        "include": writer.include(),
        MADE_WITH: {
            "description": "The plugins that were loaded when it was written: a record that loads nothing.",
            "type": "object",
            "propertyNames": {"pattern": _whole(PLUGIN_NAME)},
            "additionalProperties": {"type": "string", "pattern": _whole(SOURCE)},
        },
        "scale": {
            "description": "mini: a quick check on a laptop; small: an hour on one small device; paper: the "
            "values of the papers.",
            "enum": [*SCALES, None],
        },
        **{slot.name: writer.many(slot) if slot.many else writer.single(slot) for slot in slots},
        **_named_executions(setting_schemas(run.config), registry),
        TRAINING: setting_schemas(EVALUATE_RUN.config)[TRAINING],
        EVALUATION: writer.evaluation(),
    }
    head: Schema = {"$schema": DIALECT, "$comment": USE, "title": "A recipe of nascore"}
    return {**head, **closed(properties, [FORMAT_KEY]), "$defs": writer.definitions}


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$(?!\\n)"  # in Python a $ also matches before a final line end


def _named_executions(schemas: dict[str, Schema], registry: Registry) -> dict[str, Schema]:
    """Return the schemas of a run's settings; the name of its execution is one of the installed ones."""
    group, _, name = EXECUTION_NAME.partition(".")
    if group in schemas:  # a run of a caller may have no executions
        found = registry.executions()
        full = [f"{found[one].plugin}:{found[one].name}" for one in found]
        schemas[group]["properties"][name]["enum"] = list(dict.fromkeys([AUTO, *found, *full]))
    return schemas


def component_schema(component: Component) -> Schema:
    """Return the schema of a component's settings.

    Args:
        component: Any component, the run itself too.
    """
    head: Schema = {"$schema": DIALECT, "title": _title(component), "description": component.summary}
    return {**head, **settings_schema(component.config)}


@frozen(kw_only=True)
class _Writer:
    """Collects one definition for each component."""

    registry: Registry
    definitions: dict[str, Schema] = Factory(dict)

    def include(self) -> Schema:
        source: list[Schema] = [{"enum": sorted(self.registry.presets())}, _matching(r"\.yaml$")]
        text = "Presets and files that this recipe is based on; later ones override earlier ones."
        return {"description": text, "anyOf": [*source, {"type": "array", "items": {"anyOf": source}}]}

    def evaluation(self) -> Schema:
        """Return the schema of the settings and tricks of an evaluation only."""
        shared = setting_schemas(EVALUATE_RUN.config)
        tricks = next(slot for slot in SLOTS if slot.name == TRICK)
        properties = {**{name: shared[name] for name in OF_EVALUATION}, TRICK: self.many(tricks)}
        text = "Settings and tricks for an evaluation only; they override the top-level ones."
        return {"description": text, **closed(properties)}

    def single(self, slot: Slot) -> Schema:
        """Return the schema of ``NAME`` or ``{name: NAME, settings...}``."""
        return {"description": slot.summary, **_either(map(self._defined, self._components(slot)))}

    def many(self, slot: Slot) -> Schema:
        """Return the schema of ``none``, ``NAME``, a list of components, or ``{NAME: {settings...}}``."""
        components = self._components(slot)
        listed: Schema = {"type": "array", "items": _either(map(self._defined, components))}
        once = [{"contains": self._defined(one), "minContains": 0, "maxContains": 1} for one in components]
        if once:
            listed["allOf"] = once
        names = [arm for one in components for arm in self._name(one)["anyOf"]]
        forms = [{"enum": ["none"]}, *names, listed, self._by_name(components)]
        return {"description": slot.summary, "anyOf": forms}

    def _by_name(self, components: Iterable[Component]) -> Schema:
        schema = closed({})
        patterns: dict[str, Schema] = {}
        for component in components:
            settings = {**settings_schema(component.config), "type": ["object", "null"]}
            schema["properties"] |= dict.fromkeys(self._names(component), settings)
            if component.argument is not None:
                patterns[self._with_argument(component)] = settings
        twice = [
            {"not": {"required": names}}
            for component in components
            if len(names := self._names(component)) > 1
        ]
        if patterns:
            schema["patternProperties"] = patterns
        return {**schema, "allOf": twice} if twice else schema

    def _components(self, slot: Slot) -> list[Component]:
        return list(self.registry.components(slot.name))

    def _defined(self, component: Component) -> Schema:
        """Define a component, by name or with its settings, and return a reference to the definition."""
        title = _title(component) if self._bare(component) else f"{component.slot}.{_full(component)}"
        if title not in self.definitions:
            name = self._name(component)
            settings = closed({"name": name, **setting_schemas(component.config)}, ["name"])
            self.definitions[title] = {
                "title": title,
                "description": component.summary,
                "anyOf": [*name["anyOf"], settings],
            }
        return {"$ref": f"#/$defs/{title}"}

    def _name(self, component: Component) -> Schema:
        arms: list[Schema] = [{"enum": self._names(component)}]
        if component.argument is not None:
            arms.append(_matching(self._with_argument(component)))
        return {"description": component.summary, "anyOf": arms}

    def _names(self, component: Component) -> list[str]:
        full = _full(component)
        return [component.name, full] if self._bare(component) else [full]

    def _with_argument(self, component: Component) -> str:
        # Not re.escape: its escaped dashes are an error to the regular expressions of editors.
        names = (re.sub(r"[^\w-]", r"\\\g<0>", name) for name in self._names(component))
        return f"^({'|'.join(names)}):"

    def _bare(self, component: Component) -> bool:
        """Return whether the name without the plugin's is unambiguous."""
        return self.registry.get(component.slot, component.name) is component


def _either(arms: Iterable[Schema]) -> Schema:
    found = list(arms)
    return {"anyOf": found} if found else {"enum": []}  # a slot without components accepts nothing


def _matching(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _full(component: Component) -> str:
    return f"{component.plugin}:{component.name}"


def _title(component: Component) -> str:
    return RUN if component.slot == RUN else f"{component.slot}.{component.name}"
