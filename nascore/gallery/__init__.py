"""The gallery: the architectures of a run with their measurements. Imports no torch."""

from nascore.gallery.entry import Entry, wilson
from nascore.gallery.gallery import Gallery

__all__ = ["Entry", "Gallery", "wilson"]
