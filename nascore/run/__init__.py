"""The folder of a run: plain files, written whole or not at all, readable without nascore (torch-free)."""

from nascore.run.atomic import json_text, replacing, write_bytes, write_json, write_text
from nascore.run.cause import cause
from nascore.run.environment import environment, version_of
from nascore.run.files import bytes_of, lines_of, object_of, text_of
from nascore.run.folder import RunFolder, create, default_root, refuse_taken
from nascore.run.format import environment_of, refuse_newer
from nascore.run.gallery_file import GalleryFile, read_gallery
from nascore.run.inventory import inventory, learned_file
from nascore.run.looking import beside_of, is_file, is_folder, is_there
from nascore.run.marking import mark, mark_whole, run_of
from nascore.run.names import (
    ARCHITECTURE,
    CHANGES,
    COMPARISON,
    DERIVED,
    DESCRIPTION,
    JOBS,
    LOG,
    METRICS,
    PREPROCESS,
    RECIPE,
    RESULT,
    WEIGHTS,
)
from nascore.run.opened import OPENED, openings
from nascore.run.reading import Record, listed, read, read_result, refuse_unless_run
from nascore.run.schemas import CHANGE_SCHEMA, COMPARISON_SCHEMA, JOB_SCHEMA, METRICS_SCHEMA, checked

__all__ = [
    "ARCHITECTURE",
    "CHANGES",
    "CHANGE_SCHEMA",
    "COMPARISON",
    "COMPARISON_SCHEMA",
    "DERIVED",
    "DESCRIPTION",
    "JOBS",
    "JOB_SCHEMA",
    "LOG",
    "METRICS",
    "METRICS_SCHEMA",
    "OPENED",
    "PREPROCESS",
    "RECIPE",
    "RESULT",
    "WEIGHTS",
    "GalleryFile",
    "Record",
    "RunFolder",
    "beside_of",
    "bytes_of",
    "cause",
    "checked",
    "create",
    "default_root",
    "environment",
    "environment_of",
    "inventory",
    "is_file",
    "is_folder",
    "is_there",
    "json_text",
    "learned_file",
    "lines_of",
    "listed",
    "mark",
    "mark_whole",
    "object_of",
    "openings",
    "read",
    "read_gallery",
    "read_result",
    "refuse_newer",
    "refuse_taken",
    "refuse_unless_run",
    "replacing",
    "run_of",
    "text_of",
    "version_of",
    "write_bytes",
    "write_json",
    "write_text",
]
