"""A job as plain data, and the protocol of executors."""

from __future__ import annotations

import os
import signal
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from attrs import Factory, asdict, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future


@frozen(kw_only=True)
class Job:
    """A job as plain data: calling it does it, in any process that sees its folder.

    Attributes:
        function: The function that does it, as ``module:name``. Its arguments are `folder`, `number` and the
            settings by name; it returns values for JSON.
        folder: Absolute path of the folder that it works in.
        number: Its number there, from 1.
        threads: CPU threads that it uses. The function itself sets them.
        settings: Further arguments of the function, values for JSON.
        reads: The files that it reads, as patterns relative to its folder: ``recipes/1/*``,
            ``../*/changes.jsonl``. A folder stands for all that is in it.
        writes: The folder that it alone reads and writes, relative to its folder; empty: none.
    """

    function: str
    folder: str
    number: int
    threads: int = 1
    settings: Mapping[str, Any] = Factory(dict)
    reads: tuple[str, ...] = ()
    writes: str = ""

    def __call__(self) -> dict[str, Any]:
        """Do the job in this process; returns what its function returns."""
        module, _, name = self.function.partition(":")
        do: Callable[..., dict[str, Any]] = getattr(import_module(module), name)
        return do(self.folder, self.number, **self.settings)

    def plain(self) -> dict[str, Any]:
        """Return its attributes as values for JSON: ``Job(**plain)()`` does it elsewhere."""
        return asdict(self, recurse=False, filter=lambda attribute, _: attribute.name in PLAIN)

    def answer(self) -> dict[str, Any]:
        """Do the job in the main thread of a worker process; returns values for JSON, even if it raises.

        A SIGTERM ends the process unless the job handles it.
        """
        with _noting_signals() as signals:
            try:
                answer: dict[str, Any] = {"returned": self()}
            except Exception as error:  # noqa: BLE001 - reported to the process that submitted the job
                answer = {"raised": f"{type(error).__name__}: {error}"}
        return {**answer, "stopped": signal.SIGTERM in signals}

    @staticmethod
    def result(answer: Mapping[str, Any], *, closed: bool = False) -> dict[str, Any]:
        """Return the result of the job from the answer of its worker.

        Args:
            answer: The return value of :meth:`answer` in the worker.
            closed: Whether the executor is closed, and stopped the job itself.

        Raises:
            BrokenExecutor: A SIGTERM from elsewhere stopped the job, which saved itself.
            RuntimeError: The job raised; has the text of its exception.
        """
        if answer["stopped"] and not closed:
            raise BrokenExecutor("its process was told to stop (SIGTERM)")
        if "raised" in answer:
            raise RuntimeError(answer["raised"])
        returned: dict[str, Any] = answer["returned"]
        return returned


PLAIN = ("function", "folder", "number", "threads", "settings", "reads", "writes")
"""The attributes of a job that another process needs."""


@contextmanager
def _noting_signals() -> Iterator[set[int]]:
    """Inside, SIGTERM has the usual effect; afterwards the set has the signals that a handler received."""
    signals: set[int] = set()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    noted = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(noted)
        signal.signal(signal.SIGTERM, handler)
        os.close(writing)
        with os.fdopen(reading, "rb") as numbers:
            signals |= set(numbers.read())


class Executor(Protocol):
    """Does jobs: in this process, in others, or on other machines. It has no say in their results.

    Attributes:
        workers: The number of jobs that it does at once, at least 1.
        in_process: Whether :meth:`submit` does the job itself, in this process and thread.
    """

    workers: int
    in_process: bool

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Begin a job; the future has the job's return value, or the exception that it raised.

        An executor outside this process sends ``job.plain()``, and gets back what :meth:`Job.answer` returns
        in the worker. If the worker of a job died, the exception is a
        :class:`concurrent.futures.BrokenExecutor`, and the engine submits the job again, twice at most. An
        exception of another process is replaced by one that every process can build, with the same text.
        """
        ...

    def close(self) -> None:
        """End all workers; jobs under way get a SIGTERM, on which they save themselves and end.

        Called once, at the end of the run, also after an error. No worker is left when it returns.
        """
        ...


def echo(folder: str, number: int, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - as given
    """Return the arguments: a job that does nothing, with which executors are tested and timed."""
    return {"folder": folder, "number": number, **settings}
