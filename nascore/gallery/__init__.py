"""The architectures of a run with what was measured of them (torch-free)."""

from nascore.gallery.entry import Entry
from nascore.gallery.gallery import Gallery
from nascore.gallery.interval import wilson

__all__ = ["Entry", "Gallery", "wilson"]
