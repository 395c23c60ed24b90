"""The folder of a run: plain files, written whole or not at all, readable without nascore (torch-free)."""

from nascore.run.atomic import write_bytes, write_json, write_text
from nascore.run.environment import environment
from nascore.run.folder import RunFolder, create, default_root
from nascore.run.reading import Record, listed, read

__all__ = [
    "Record",
    "RunFolder",
    "create",
    "default_root",
    "environment",
    "listed",
    "read",
    "write_bytes",
    "write_json",
    "write_text",
]
