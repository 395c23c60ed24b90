"""What is suggested for each refused combination of what is installed; and command lines, read back."""

import shlex
from functools import cache

from recipe_table import asked, combinations, expected, installed

from nascore.cli.options import request
from nascore.cli.result import CommandLine
from nascore.cli.search import command
from nascore.plugin import discover
from nascore.recipe import SEARCH_RUN
from nascore.recipe.advice.nearest_mix import ResolveContext, suggest
from nascore.slots import SLOTS

REGISTRY = discover()


def suggestion(wanted, registry=REGISTRY):
    """What is suggested for a request that is refused."""
    return suggest(wanted, ResolveContext.of(wanted, registry, run=SEARCH_RUN, slots=SLOTS))


@cache
def tried(step=3):
    """What is suggested for refused combinations of what is installed, if anything: pairs.

    Of a thousand every third is tried, unless all are asked for: together they take half a minute.
    """
    found = [one for one in combinations(**installed(REGISTRY)) if expected(one) == "refused"]
    return [(one, suggestion(asked(one))) for one in found[::step]]


def suggestions(step=3):
    """What is suggested, where something is."""
    return [(one, found) for one, found in tried(step) if found is not None]


def line_of(found):
    """The command line of a suggestion."""
    return CommandLine().command(found.request)


def read_back(line):
    """The request that a command line asks for, as click reads it."""
    nascore, verb, *words = shlex.split(line)
    assert (nascore, verb) == ("nascore", "search")
    return request(SLOTS, command.make_context(verb, words).params)


def said(wanted):
    """A request in a form that compares: lists and tuples are alike."""
    names = {slot: list(typed) for slot, typed in wanted.names.items()}
    fixed = (wanted.recipe, wanted.preset, wanted.scale, dict(wanted.run))
    return fixed, names, list(wanted.sets)
