"""A job as plain data, and the protocol of what does jobs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from attrs import Factory, asdict, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
    """

    function: str
    folder: str
    number: int
    threads: int = 1
    settings: Mapping[str, Any] = Factory(dict)

    def __call__(self) -> dict[str, Any]:
        """Do the job in this process; returns what its function returns."""
        module, _, name = self.function.partition(":")
        do: Callable[..., dict[str, Any]] = getattr(import_module(module), name)
        return do(self.folder, self.number, **self.settings)

    def plain(self) -> dict[str, Any]:
        """Return its attributes as values for JSON: ``Job(**plain)()`` does it elsewhere."""
        return asdict(self, recurse=False, filter=lambda attribute, _: attribute.name in PLAIN)


PLAIN = ("function", "folder", "number", "threads", "settings")
"""The attributes of a job that another process needs."""


class Executor(Protocol):
    """Does jobs: in this process, in others, or on other machines. It has no say in their results.

    Attributes:
        workers: The number of jobs that it does at once, at least 1.
        in_process: Whether :meth:`submit` does the job itself, in this process and thread.
    """

    workers: int
    in_process: bool

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Begin a job; the future has what the job returns, or the exception that it raised.

        An executor outside this process sends ``job.plain()``. If the worker of a job died, the exception is
        a :class:`concurrent.futures.BrokenExecutor`, and the engine submits the job again, twice at most. An
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
