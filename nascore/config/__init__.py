"""Settings: declared once, read strictly, each value with its place (torch-free)."""

from nascore.config.document import Document, parse_document
from nascore.config.node import Node, merge, wrap
from nascore.config.reader import Asked, Reading, mistakes, structure
from nascore.config.scalars import read_scalar, write_scalar
from nascore.config.setting import Declared, NoSettings, Setting, setting, settings_of
from nascore.config.units import Count, Duration

__all__ = [
    "Asked",
    "Count",
    "Declared",
    "Document",
    "Duration",
    "NoSettings",
    "Node",
    "Reading",
    "Setting",
    "merge",
    "mistakes",
    "parse_document",
    "read_scalar",
    "setting",
    "settings_of",
    "structure",
    "wrap",
    "write_scalar",
]
