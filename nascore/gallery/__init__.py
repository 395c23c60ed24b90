"""The gallery: the architectures of a run with their measurements. Imports no torch."""

from nascore.gallery.entry import Entry, wilson
from nascore.gallery.gallery import Gallery
from nascore.gallery.score import ACCURACY, Metric, Score, figures_of_scores, metric_of

__all__ = ["ACCURACY", "Entry", "Gallery", "Metric", "Score", "figures_of_scores", "metric_of", "wilson"]
