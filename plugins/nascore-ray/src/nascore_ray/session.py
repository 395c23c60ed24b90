"""The connection of this process to Ray, and the jobs that were submitted to it. Imports Ray."""

from __future__ import annotations

import json
import signal
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from math import ceil
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

import ray
from attrs import define, field
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nascore.api import Problem, RecipeError
from nascore_ray.task import do_task, send_signal, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.api import Job
    from nascore_ray.settings import RaySettings


@define
class Session:
    """A connection to Ray, and the resources of its jobs.

    Attributes:
        settings: The settings of the executor.
        begun: Whether the session connected this process to Ray, and has to disconnect it.
        local: Whether it started Ray on this machine.
    """

    settings: RaySettings
    begun: bool
    local: bool
    _cpus: float
    _around: str = field(init=False)

    @_around.default
    def _surroundings(self) -> str:
        return json.dumps(surroundings(paths=self.local))

    @classmethod
    def begin(cls, settings: RaySettings, threads: int) -> Session:
        """Connect this process to Ray, unless it is connected already; returns the session.

        Args:
            settings: The settings of the executor.
            threads: Threads of a job.

        Raises:
            RecipeError: There is no Ray cluster at the address, or no node has the resources of a job.
        """
        begun, local = not ray.is_initialized(), settings.address is None
        cpus = threads if settings.cpus is None else settings.cpus
        if begun:
            with _same_handlers():
                try:
                    _connect(settings, cpus)
                except BaseException:  # Ctrl-C as well: what has started must end
                    ray.shutdown()
                    raise
        session = cls(settings, begun=begun, local=local, cpus=cpus)
        try:
            session._refuse_endless_waiting()
        except BaseException:
            session.end()
            raise
        return session

    def submit(self, job: Job, *, there: bool, archive: bytes | None) -> Task:
        """Submit a job to Ray.

        Args:
            job: The job.
            there: Whether its folder exists in this process.
            archive: The files that it reads; None: it finds them in its folder.
        """
        do = ray.remote(do_task).options(**self._resources, num_returns="streaming", max_retries=0)
        plain = json.dumps({**job.plain(), "there": there})
        return Task(do.remote(plain, self._around, archive))

    def end(self) -> None:
        """Disconnect this process from Ray; a Ray that was started here ends, with all its processes."""
        if self.begun:
            with _same_handlers():
                ray.shutdown()

    @property
    def _resources(self) -> dict[str, float]:
        """The resources of a job, as options of a Ray task."""
        memory = {} if self.settings.memory is None else {"memory": self.settings.memory}
        return {"num_cpus": self._cpus, "num_gpus": self.settings.gpus, **memory}

    def _refuse_endless_waiting(self) -> None:
        """Refuse resources that no node has: Ray would wait for such a node without a word.

        Raises:
            RecipeError: No node has them.
        """
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        needs = zip(
            ("CPU", "GPU", "memory"), ("cpus", "gpus", "memory"), self._resources.values(), strict=False
        )
        for resource, name, need in needs:
            most = max((node.get(resource, 0) for node in nodes), default=0)
            if need > most:
                text = (
                    f"a job needs {need:g} {resource}, and no node of the Ray cluster has more than {most:g}."
                )
                hint = f"Lower executor.{name}, or add a node before the run starts."
                problem = Problem(path=f"executor.{name}", text=text, hint=hint, slots=("executor",))
                raise RecipeError([problem])


@define
class Task:
    """A job that was submitted to Ray.

    Attributes:
        stopped: Whether it was asked to stop.
    """

    _stream: Any
    stopped: bool = False
    _place: dict[str, Any] | None = None

    def wait(self) -> tuple[dict[str, Any], bytes]:
        """Wait for the end of the job; returns its answer and the files that it wrote.

        Raises:
            BrokenExecutor: Its worker or its node died.
            RuntimeError: A worker could not begin it.
        """
        try:
            self._place = json.loads(ray.get(next(self._stream))[0])
            if self.stopped:
                self._signal(signal.SIGTERM)
            text, files = ray.get(next(self._stream))
        except (ray.exceptions.RayError, StopIteration) as error:
            raise _translated(error) from None
        answer: dict[str, Any] = json.loads(text)
        return answer, files

    def stop(self) -> None:
        """Ask the job to save itself and to end; one that waits for resources never begins."""
        self.stopped = True
        if self._place is None:
            ray.cancel(self._stream)
        else:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process of the job at once."""
        if self._place is None:
            ray.cancel(self._stream, force=True)
        else:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        assert self._place is not None
        there = NodeAffinitySchedulingStrategy(self._place["node"], soft=False)
        send = ray.remote(send_signal).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
        with suppress(ray.exceptions.RayError):  # a node that is gone does no job
            ray.get(send.remote(self._place["process"], int(number)))


def _translated(error: Exception) -> Exception:
    """Return an error of Ray as one that the engine knows; only an error of Ray itself is retried."""
    if isinstance(error, ray.exceptions.TaskCancelledError):
        return BrokenExecutor("its task was cancelled")
    if isinstance(error, ray.exceptions.RayTaskError):
        last = str(error).strip().splitlines()[-1]
        return RuntimeError(f"a worker of Ray could not begin the job: {last}")
    sentence = str(error).strip().partition("\n")[0].partition(". ")[0]
    return BrokenExecutor(f"Ray reports: {sentence or type(error).__name__}")


def _connect(settings: RaySettings, cpus: float) -> None:
    """Connect this process to a Ray cluster, or start one on this machine.

    Raises:
        RecipeError: There is no cluster at the address.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if settings.address is None:
        ray.init(
            address="local",
            num_cpus=max(1, ceil(cpus * settings.workers)),
            object_store_memory=settings.object_store_memory,
            include_dashboard=False,
            **quiet,
        )
        return
    try:
        ray.init(address=settings.address, **quiet)
    except (ConnectionError, ValueError) as error:
        text = f"there is no Ray cluster at {settings.address}: {str(error).splitlines()[0]}"
        hint = (
            "Start one (ray start --head), or leave the address out: a Ray is then started on this machine."
        )
        problem = Problem(path="executor.address", text=text, hint=hint, slots=("executor",))
        raise RecipeError([problem]) from error


@contextmanager
def _same_handlers() -> Iterator[None]:
    """Undo the change of the handler of SIGTERM by the body: a SIGTERM has to save the run."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if current_thread() is main_thread():
            signal.signal(signal.SIGTERM, handler)
