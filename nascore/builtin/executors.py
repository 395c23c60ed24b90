"""The executors of the core: one job after the other in this process, or several at once in processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nascore.api import Job, NoSettings
    from nascore.builtin.components import ProcessesSettings

START: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from nascore.builtin.worker import main
main()
"""
"""The program of a worker. It never imports the main module of this process, which may start a search."""

LAST_LINES: Final = 3
"""Lines of a dead worker's stderr that its error quotes."""

LAST_WORDS: Final = 1.0
"""Seconds to wait for the end of a dead worker's stderr, which a child of it may hold open."""


class Serial:
    """Does each job in this process when it is submitted."""

    workers = 1
    in_process = True

    def __init__(self, settings: NoSettings) -> None:
        del settings

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Do the job; the future is over. Ctrl-C is not caught."""
        future: Future[dict[str, Any]] = Future()
        try:
            future.set_result(job())
        except Exception as error:  # noqa: BLE001 - it reaches the caller of the future
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Do nothing: no job is under way."""


class Processes:
    """Does jobs in processes of their own, each of which does one job after the other.

    A process begins when it is needed first. One that died is replaced for the next job.
    """

    in_process = False

    def __init__(self, settings: ProcessesSettings) -> None:
        self.workers = settings.workers
        self._threads = ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="nascore-worker")
        self._lock = Lock()
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._closed = False

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Begin a job, or queue it until a process is free."""
        return self._threads.submit(self._do, job)

    def close(self) -> None:
        """Stop the jobs under way, and end all processes; a second call does nothing."""
        with self._lock:
            self._closed = True
            for worker in self._busy:
                worker.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        while self._idle:
            self._idle.pop().end()

    def _do(self, job: Job) -> dict[str, Any]:
        worker = self._take()
        try:
            return worker.do(job)
        finally:
            with self._lock:
                self._busy.remove(worker)
                if worker.lives:
                    self._idle.append(worker)

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise BrokenExecutor("the executor is closed")
            worker = self._idle_worker() or _Worker()
            self._busy.append(worker)
            return worker

    def _idle_worker(self) -> _Worker | None:
        """Return a worker that does no job; None if there is none, or all of them died."""
        while self._idle:
            worker = self._idle.pop()
            if worker.lives:
                return worker
            worker.end()
        return None


class _Worker:
    """A process that does jobs: a line of JSON on its stdin, and the answer as a line on its stdout."""

    def __init__(self) -> None:
        self._stopped = False
        self._last: deque[bytes] = deque(maxlen=LAST_LINES)
        self._process = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-c", START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # What the process writes to stderr has to be read, or it waits.
        self._reader = Thread(target=self._read_stderr, daemon=True)
        self._reader.start()

    @property
    def lives(self) -> bool:
        """Whether the process can do another job."""
        return self._process.poll() is None

    def do(self, job: Job) -> dict[str, Any]:
        """Run a job, and return its result.

        Raises:
            BrokenExecutor: The process died, or somebody else stopped it.
            RuntimeError: The job raised; has the text of its exception.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(job.plain()).encode() + b"\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise BrokenExecutor(self._death())
        return job.result(json.loads(line), closed=self._stopped)

    def stop(self) -> None:
        """Ask the job under way to save itself and to end."""
        self._stopped = True
        self._process.terminate()

    def end(self) -> None:
        """End the process, which does no job."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._release()

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._last.extend(lines)

    def _death(self) -> str:
        """Return a sentence about the end of the process, with its last words."""
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._release()
        lines = [line.decode(errors="replace").strip() for line in self._last]
        return "; ".join([f"its process ended with {how}", *filter(None, lines)])

    def _release(self) -> None:
        self._reader.join(LAST_WORDS)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
