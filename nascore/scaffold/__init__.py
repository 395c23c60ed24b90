"""Making a plugin that works as made (torch-free): what ``nascore new-plugin`` writes."""

from nascore.scaffold.new_plugin import BLUEPRINTS, Blueprint, Made, ScaffoldError, make, refused_name

__all__ = ["BLUEPRINTS", "Blueprint", "Made", "ScaffoldError", "make", "refused_name"]
