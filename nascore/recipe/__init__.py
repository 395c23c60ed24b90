"""Recipes: from files and flags to a part for each slot, with all problems at once; no torch."""

from nascore.recipe.settling.fit import check_fit
from nascore.recipe.settling.recipe import DeclinedWish, Part, Recipe
from nascore.recipe.settling.request import Request, settled
from nascore.recipe.settling.settle import resolve
from nascore.recipe.settling.snapshot import (
    ORIGINS,
    SavedRecipe,
    dump_recipe,
    plain_origins,
    saved_recipe,
    with_plain_origins,
)
from nascore.recipe.sources.layers import Layer
from nascore.recipe.sources.run_settings import (
    EVALUATE_RUN,
    SEARCH_RUN,
    ProxySettings,
    RunSettings,
    TrainingSettings,
    watched,
)
from nascore.recipe.sources.values import Values

__all__ = [
    "EVALUATE_RUN",
    "ORIGINS",
    "SEARCH_RUN",
    "DeclinedWish",
    "Layer",
    "Part",
    "ProxySettings",
    "Recipe",
    "Request",
    "RunSettings",
    "SavedRecipe",
    "TrainingSettings",
    "Values",
    "check_fit",
    "dump_recipe",
    "plain_origins",
    "resolve",
    "saved_recipe",
    "settled",
    "watched",
    "with_plain_origins",
]
