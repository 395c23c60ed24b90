"""Settings of the executor, without submitit."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - the annotation is read when settings are checked
from shutil import which
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from nascore.api import Duration, Problem, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.api import Choice

COMMANDS: Final = ("sbatch", "srun", "scancel", "sacct")


@frozen(kw_only=True)
class SlurmSettings:
    """The resources that Slurm gives a job."""

    workers: int = setting(16, "Jobs in the queue of Slurm or running at once.", ge=1, le=4096)
    cluster: Literal["slurm", "local"] = setting(
        "slurm", "slurm: the cluster of this machine; local: processes on this machine, to try it out."
    )
    partition: str | None = setting(None, "Partition of Slurm; null: its default.")
    time: Duration = setting(  # noqa: RUF009 - it declares a field
        86_400, "Time limit of a job; a job that reaches it is saved and submitted again.", ge=60
    )
    cpus: int | None = setting(None, "CPUs of a job; null: as many as its threads.", ge=1)
    gpus: int = setting(0, "GPUs of a job; without one it sees none.", ge=0)
    memory: float | None = setting(None, "Memory of a job in GB; null: the default of Slurm.", gt=0)
    options: tuple[str, ...] = setting(
        (), "More options of sbatch, each as name=value, or the name alone: [account=lab, exclusive]."
    )
    logs: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "Folder for the logs of all runs, which all nodes see; null: slurm in the folder of the run."
    )
    grace: Duration = setting(  # noqa: RUF009 - it declares a field
        60, "Time in which a job has to save itself when the run is stopped.", ge=0
    )


def check_slurm(settings: SlurmSettings, choice: Choice) -> Iterator[Problem]:
    """Yield the problem of a missing submitit, and that of missing commands of Slurm."""
    del choice
    if find_spec("submitit") is None:
        text = "the executor slurm needs the package submitit, which is not installed."
        hint = "pip install submitit, or choose --executor processes."
        yield Problem(path="executor", text=text, hint=hint, slots=("executor",), missing="submitit")
    missing = [name for name in COMMANDS if which(name) is None]
    if settings.cluster == "slurm" and missing:
        yield Problem(
            path="executor.cluster",
            text=f"this machine belongs to no Slurm cluster: it has no command {missing[0]}.",
            hint="Start nascore on a login node, or try it out with executor.cluster=local.",
            slots=("executor",),
        )
