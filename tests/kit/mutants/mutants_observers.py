"""Observers that are broken on purpose: a plugin for tests of the kit."""

from __future__ import annotations

import os
import tempfile

import torch
from mutants_others import components

from nascore.api import Observer, hookimpl


class Watcher(Observer):
    """Healthy: sees and does nothing."""

    def __init__(self, settings):
        del settings


class Stranger:
    def __init__(self, settings):
        del settings

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: None


class Loud(Watcher):
    def run_started(self, folder, recipe):
        print(folder, recipe.scale)  # noqa: T201 - what it is for


class Impatient(Watcher):
    """Takes for granted that a job that began is finished."""

    open = 0

    def job_started(self, *_):
        self.open += 1

    def job_finished(self, *_):
        self.open -= 1

    def run_ended(self):
        if self.open:
            raise RuntimeError(self.open)


class Edits(Watcher):
    def job_finished(self, _, result):
        result.clear()


class Tidies(Watcher):
    def run_finished(self, folder, _):
        (folder / "recipe.yaml").unlink()


class Wanders(Watcher):
    def run_ended(self):
        os.chdir(tempfile.gettempdir())


class GlobalWatcher(Watcher):
    def step_finished(self, _):
        torch.rand(1)


OBSERVERS = {
    "stranger": (Stranger, "takes_every_event"),
    "loud": (Loud, "prints_nothing_to_stdout"),
    "impatient": (Impatient, "lets_go_when_a_run_breaks_off"),
    "edits": (Edits, "leaves_what_it_is_told_alone"),
    "tidies": (Tidies, "leaves_the_runs_files_alone"),
    "wanders": (Wanders, "leaves_the_process_alone"),
    "global-watcher": (GlobalWatcher, "leaves_the_global_random_numbers_alone"),
}


@hookimpl
def nascore_observers():
    yield from components("observer", Watcher, OBSERVERS)
