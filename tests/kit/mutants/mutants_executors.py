"""Executors that are broken on purpose: a plugin for tests of the kit."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Future

import torch
from mutants_others import components

from nascore.api import hookimpl
from nascore.builtin.components import ProcessesSettings
from nascore.builtin.executors import Processes, Serial


class Here(Serial):
    """Healthy: in this process."""


class Empty(Here):
    workers = 0


class Forgetful(Here):
    """Takes all jobs of a function for the same job."""

    def __init__(self, settings):
        super().__init__(settings)
        self.known = {}

    def submit(self, job):
        if job.function not in self.known:
            self.known[job.function] = super().submit(job)
        return self.known[job.function]


class Optimist(Here):
    """Has a result for a job that raised."""

    def submit(self, job):
        future = super().submit(job)
        if future.exception() is not None:
            future = Future()
            future.set_result({})
        return future


class Drawing(Here):
    def submit(self, job):
        torch.rand(1)
        return super().submit(job)


class Outside(Processes):
    """Healthy: in two processes."""

    def __init__(self, settings):
        del settings
        super().__init__(ProcessesSettings(workers=2))


class Vague(Outside):
    """Reports a dead worker as a failed job."""

    def _do(self, job):
        try:
            return super()._do(job)
        except BrokenExecutor as error:
            raise RuntimeError(str(error)) from error


class Silent(Outside):
    """Does not end the futures of jobs that it stopped."""

    def submit(self, job):
        seen, real = Future(), super().submit(job)

        def over(future):
            if self._closed:
                return
            if future.exception() is None:
                seen.set_result(future.result())
            else:
                seen.set_exception(future.exception())

        seen.set_running_or_notify_cancel()
        real.add_done_callback(over)
        return seen


EXECUTORS = {
    "empty": (Empty, "states_how_it_does_jobs"),
    "forgetful": (Forgetful, "does_every_job"),
    "optimist": (Optimist, "reports_what_a_job_raises"),
    "drawing": (Drawing, "leaves_the_global_random_numbers_alone"),
    "vague": (Vague, "reports_a_dead_worker"),
    "silent": (Silent, "stops_jobs_when_it_is_closed"),
}


@hookimpl
def nascore_executors():
    yield from components("executor", Outside, EXECUTORS)
