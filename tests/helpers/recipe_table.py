"""The verdict table: its combinations and its rules."""

from itertools import product
from pathlib import Path

import yaml
from attrs import evolve

from nascore.component import Give
from nascore.plugin import Registry
from nascore.recipe import SEARCH_RUN, Request, resolve

TABLE = yaml.safe_load((Path(__file__).parents[1] / "data" / "verdicts.yaml").read_text(encoding="utf-8"))
CHOICES, RULES, COUNTS = TABLE["choices"], TABLE["rules"], TABLE["counts"]
SPACES = {"chain": "planted"}  # its form is a chain
ORDER = ("sound", "warned", "refused")


def listed(value):
    """A value of the table as a list."""
    return value if isinstance(value, list) else [value]


def expected(combination):
    """The worst verdict of the rules that match."""
    matching = [
        rule["verdict"]
        for rule in RULES
        if all(combination[key] in listed(rule[key]) for key in rule if key != "verdict")
    ]
    return max(matching, key=ORDER.index, default="sound")


def combinations(**fixed):
    """All combinations of the table, or those with some choices fixed."""
    choices = {key: fixed.get(key, names) for key, names in CHOICES.items()}
    for names in product(*choices.values()):
        yield dict(zip(choices, names, strict=True))


def installed(registry):
    """The choices of the table that are installed, by slot."""
    return {key: [name for name in names if _there(registry, key, name)] for key, names in CHOICES.items()}


def _there(registry, key, name):
    many_none = key == "regularizer" and name == "none"
    return key == "estimate" or many_none or registry.get(key, SPACES.get(name, name)) is not None


def asked(combination, *sets):
    """A combination as a request of flags."""
    names = {key: [SPACES.get(name, name)] for key, name in combination.items() if key != "estimate"}
    estimate = [f"trainer.estimate={combination['estimate']}"] if "estimate" in combination else []
    return Request(scale="mini", names={**names, "dataset": ["synthetic"]}, sets=[*estimate, *sets])


def settled(request, registry, run=SEARCH_RUN, *, explain=True):
    """The recipe of a request, with its problems; their texts take half of the time."""
    return resolve(request.layers(registry), registry, run=run, explain=explain)


def verdict(recipe):
    """The worst verdict of a recipe's problems."""
    return max((problem.verdict for problem in recipe.problems), key=ORDER.index, default="sound")


def differences(registry, found, *, explain=False):
    """The combinations on which table and fit check differ."""
    for combination in found:
        said = verdict(settled(asked(combination), registry, explain=explain))
        if said != expected(combination):
            yield combination, said


def differing_rows(registry):
    """The rows of settings on which table and fit check differ."""
    for row in TABLE["settings"]:
        combination = {key: row[key] for key in CHOICES if key in row}
        slot, _, capability = row.get("without", "").partition(".")
        installed, run = registry, SEARCH_RUN
        if slot == "run":
            run = evolve(run, provides=less(run, capability))
        elif slot:
            name = {"trainer": "alternating", "dataset": "synthetic"}[slot]
            component = registry.get(slot, name)
            installed = changed(registry, component, provides=less(component, capability))
        found = settled(asked(combination, *listed(row.get("set", []))), installed, run, explain=False)
        if verdict(found) != row["verdict"]:
            yield row, verdict(found)


def changed(registry, component, **changes):
    """The registry with one component declared otherwise."""
    return Registry(
        evolve(
            plugin,
            components=tuple(
                evolve(one, **changes) if one is component else one for one in plugin.components
            ),
        )
        for plugin in registry.plugins
    )


def less(component, capability):
    """What a component provides, without one capability."""
    return tuple(
        give
        for give in component.provides
        if (give.capability if isinstance(give, Give) else give) != capability
    )
