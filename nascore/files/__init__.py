"""Reads plain files of limited size and compares them with the checksums of their run."""

from nascore.files.checksums import (
    CHECKSUMS,
    ChainedWriter,
    Checksum,
    ChecksumWriter,
    checksums_of,
    digest_fault,
    read_chained,
    with_digest,
    without_digest,
)
from nascore.files.plain import (
    MOST_OF_A_DOCUMENT,
    DamagedError,
    given_path,
    open_plain,
    refuse_outside,
    shown_path,
)
from nascore.files.verified import check_file, read_bytes, read_lines, read_text

__all__ = [
    "CHECKSUMS",
    "MOST_OF_A_DOCUMENT",
    "ChainedWriter",
    "Checksum",
    "ChecksumWriter",
    "DamagedError",
    "check_file",
    "checksums_of",
    "digest_fault",
    "given_path",
    "open_plain",
    "read_bytes",
    "read_chained",
    "read_lines",
    "read_text",
    "refuse_outside",
    "shown_path",
    "with_digest",
    "without_digest",
]
