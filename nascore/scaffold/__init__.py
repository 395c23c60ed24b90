"""Creates a working plugin, for ``nascore new-plugin``; no torch."""

from nascore.scaffold.new_plugin import BLUEPRINTS, Blueprint, Made, ScaffoldError, make, refused_name

__all__ = ["BLUEPRINTS", "Blueprint", "Made", "ScaffoldError", "make", "refused_name"]
