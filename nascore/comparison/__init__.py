"""Comparisons of several algorithms over several seeds: rows, means and tests. Imports no torch."""

from nascore.comparison.ablation import (
    Ablation,
    AblationPlan,
    Base,
    Contribution,
    Variant,
    VariantMember,
    is_ablation,
    read_ablation,
)
from nascore.comparison.caveats import images_note, spans
from nascore.comparison.plan import (
    EVALUATE,
    SEARCH,
    Member,
    Plan,
    Planned,
    choice_words,
    folder_name,
    folder_words,
    jobs_of,
    plan_of,
    planned_evaluation,
    read_plan,
)
from nascore.comparison.rows import Pair, Row, same_images
from nascore.comparison.sample import is_comparison
from nascore.comparison.table import METHOD, Comparison, compare_runs, seeds_of

__all__ = [
    "EVALUATE",
    "METHOD",
    "SEARCH",
    "Ablation",
    "AblationPlan",
    "Base",
    "Comparison",
    "Contribution",
    "Member",
    "Pair",
    "Plan",
    "Planned",
    "Row",
    "Variant",
    "VariantMember",
    "choice_words",
    "compare_runs",
    "folder_name",
    "folder_words",
    "images_note",
    "is_ablation",
    "is_comparison",
    "jobs_of",
    "plan_of",
    "planned_evaluation",
    "read_ablation",
    "read_plan",
    "same_images",
    "seeds_of",
    "spans",
]
