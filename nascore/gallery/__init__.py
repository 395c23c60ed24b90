"""The architectures of a run with what was measured of them (torch-free)."""

from nascore.gallery.entry import Entry, wilson
from nascore.gallery.gallery import Gallery

__all__ = ["Entry", "Gallery", "wilson"]
