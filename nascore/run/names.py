"""What the files of a run are called, and which form they have."""

from __future__ import annotations

from typing import Final

FORMAT: Final = 1
"""The form of a run's folder and of every file in it; `environment.json` says it, a newer one is refused."""

RECIPE: Final = "recipe.yaml"
COMPARISON: Final = "comparison.json"
"""What a comparison has in place of a recipe: each of its jobs is a run with a recipe of its own."""
ENVIRONMENT: Final = "environment.json"
METRICS: Final = "metrics.jsonl"
CHANGES: Final = "changes.jsonl"
LOG: Final = "run.log"
JOBS: Final = "jobs"
GALLERY: Final = "gallery.json"
GALLERY_LINES: Final = "gallery.jsonl"
"""What a run under way has found since it wrote the gallery."""
ARCHITECTURE: Final = "best/architecture.yaml"
WEIGHTS: Final = "best/weights.safetensors"
PREPROCESS: Final = "best/preprocess.json"
"""What is done to an image before a network of the run reads it."""
RESULT: Final = "result.json"
DERIVED: Final = "derived.yaml"
"""What a search would have derived after its last epoch, in the folder of its job."""
DESCRIPTION: Final = "description.yaml"
"""What a job trains, in its folder."""

WRITTEN: Final = (
    RECIPE,
    ENVIRONMENT,
    LOG,
    METRICS,
    JOBS,
    GALLERY,
    ARCHITECTURE,
    WEIGHTS,
    "best/metrics.json",
    RESULT,
)
"""What a run that is done holds, in the order in which it comes; an evaluation has no gallery."""

WRITTEN_BY_COMPARISON: Final = (COMPARISON, ENVIRONMENT, LOG, JOBS, RESULT)
"""What a comparison that is done holds, in the order in which it comes."""
