"""Recipes: from files, flags and wishes to what fills every slot, with all problems at once (torch-free)."""

from nascore.recipe.dump import dump_recipe
from nascore.recipe.fit import fit
from nascore.recipe.keep import Kept, kept_recipe
from nascore.recipe.layer import Layer
from nascore.recipe.recipe import Part, Passed, Recipe
from nascore.recipe.request import Request, settled
from nascore.recipe.run_settings import EVALUATE_RUN, SEARCH_RUN, RunSettings, TrainingSettings, watched
from nascore.recipe.settle import resolve

__all__ = [
    "EVALUATE_RUN",
    "SEARCH_RUN",
    "Kept",
    "Layer",
    "Part",
    "Passed",
    "Recipe",
    "Request",
    "RunSettings",
    "TrainingSettings",
    "dump_recipe",
    "fit",
    "kept_recipe",
    "resolve",
    "settled",
    "watched",
]
