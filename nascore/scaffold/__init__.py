"""Making a plugin that works as made (torch-free): what ``nascore new-plugin`` writes."""

from nascore.scaffold.blueprint import BLUEPRINTS, Blueprint
from nascore.scaffold.making import Made, ScaffoldError, make
from nascore.scaffold.naming import refused_name

__all__ = ["BLUEPRINTS", "Blueprint", "Made", "ScaffoldError", "make", "refused_name"]
