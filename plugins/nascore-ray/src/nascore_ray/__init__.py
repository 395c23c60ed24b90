"""The executor ``ray``: jobs on a Ray cluster, or on a Ray that it starts on this machine.

This module declares the executor and imports neither Ray nor the code of the executor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Component, hookimpl
from nascore_ray.settings import RaySettings, check_ray

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def nascore_executors() -> Iterable[Component]:
    """Yield the executor ``ray``."""
    yield Component(
        name="ray",
        slot="executor",
        summary="Runs several jobs at once as tasks of Ray, on one machine or many.",
        config=RaySettings,
        build="nascore_ray.executor:Ray",
        check=check_ray,
    )
