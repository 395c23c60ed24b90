"""Settings of the executor, without Ray."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from nascore.api import Count, Duration, Problem, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.api import Choice


@frozen(kw_only=True)
class RaySettings:
    """The cluster, the resources of a job, and the way of its files."""

    workers: int = setting(2, "Number of jobs that run at the same time.", ge=1, le=4096)
    address: str | None = setting(
        None,
        "Address of a Ray cluster, or auto for the cluster of this machine; null: start Ray on this machine.",
    )
    cpus: float | None = setting(
        None, "CPUs that Ray reserves for a job; null: as many as its threads.", ge=0
    )
    gpus: float = setting(0, "GPUs that Ray reserves for a job; 0.5: two jobs share one.", ge=0)
    memory: Count | None = setting(  # noqa: RUF009 - it declares a field
        None, "Bytes of memory that Ray reserves for a job (8G); null: none.", gt=0
    )
    object_store_memory: Count = setting(  # noqa: RUF009 - it declares a field
        200_000_000,
        "Bytes of shared memory for the object store of a Ray that is started on this machine.",
        ge=80_000_000,
    )
    files: Literal["shared", "return"] = setting(
        "shared",
        "shared: every node sees the folder of the run under the same path; return: the files of a job "
        "travel to its node and back through the object store.",
    )
    retries: int = setting(
        0,
        "How often a job whose worker died is repeated before the death is reported.",
        ge=0,
        le=100,
    )
    grace: Duration = setting(  # noqa: RUF009 - it declares a field
        60, "Time in which a job has to save itself when the run is stopped.", ge=0
    )


def check_ray(settings: RaySettings, choice: Choice) -> Iterator[Problem]:
    """Yield the problem of a Ray that is not installed, and that of an address that cannot be used."""
    del choice
    if find_spec("ray") is None:
        text = "the executor ray needs the package ray, which is not installed."
        hint = "pip install ray, or choose --executor processes."
        yield Problem(path="executor", text=text, hint=hint, slots=("executor",), missing="ray")
    if "://" in (settings.address or ""):
        yield Problem(
            path="executor.address",
            text=f"{settings.address} is the address of a Ray client, which cannot run jobs of nascore.",
            hint="Start nascore on a node of the cluster with executor.address=auto.",
            slots=("executor",),
        )
