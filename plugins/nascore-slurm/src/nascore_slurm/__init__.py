"""The executor ``slurm``: jobs on a Slurm cluster.

This module declares the executor and imports neither submitit nor the code of the executor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Component, hookimpl
from nascore_slurm.settings import SlurmSettings, check_slurm

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def nascore_executors() -> Iterable[Component]:
    """Yield the executor ``slurm``."""
    yield Component(
        name="slurm",
        slot="executor",
        summary="Runs several jobs at once, each as a job of a Slurm cluster.",
        config=SlurmSettings,
        build="nascore_slurm.executor:Slurm",
        check=check_slurm,
    )
