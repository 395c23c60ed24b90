"""Settings: declared once, read strictly, each value with its origin; no torch."""

from nascore.config.document import Document, Node, merge, parse_document, read_scalar, unwrap, wrap
from nascore.config.kinds import Count, Duration
from nascore.config.reader import Reading, SettingsOwner, mistakes, structure
from nascore.config.setting import Declared, NoSettings, Setting, restated, setting, settings_of
from nascore.config.writer import write_scalar, write_value

__all__ = [
    "Count",
    "Declared",
    "Document",
    "Duration",
    "NoSettings",
    "Node",
    "Reading",
    "Setting",
    "SettingsOwner",
    "merge",
    "mistakes",
    "parse_document",
    "read_scalar",
    "restated",
    "setting",
    "settings_of",
    "structure",
    "unwrap",
    "wrap",
    "write_scalar",
    "write_value",
]
