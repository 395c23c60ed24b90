"""Several algorithms over several seeds: what they were, what each gave, what can be told (torch-free)."""

from nascore.comparison.doubts import images_said, spans
from nascore.comparison.members import is_comparison
from nascore.comparison.pairs import Pair, same_images
from nascore.comparison.plan import EVALUATE, SEARCH, Member, Plan, Planned, plan_of, read_plan
from nascore.comparison.rows import Row
from nascore.comparison.table import METHOD, Comparison, compared, seeds_of

__all__ = [
    "EVALUATE",
    "METHOD",
    "SEARCH",
    "Comparison",
    "Member",
    "Pair",
    "Plan",
    "Planned",
    "Row",
    "compared",
    "images_said",
    "is_comparison",
    "plan_of",
    "read_plan",
    "same_images",
    "seeds_of",
    "spans",
]
