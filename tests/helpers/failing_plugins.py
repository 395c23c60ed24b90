"""Plugin files that fail in a run, each in its own way, and a search that is over in a moment."""

from __future__ import annotations

from textwrap import dedent


def sets(**values):
    """Return the words of settings, whose first dot is an underscore here."""
    return tuple(
        word for name, value in values.items() for word in ("--set", f"{name.replace('_', '.', 1)}={value}")
    )


_DATA = ("--dataset", "synthetic", "--scale", "mini", "--out", "run", *sets(dataset_count=64, dataset_size=8))
_SIZES = {"epochs": 1, "batch": 8, "channels": 2, "cells": 3}


def _small(group):
    return sets(**{f"{group}_{name}": value for name, value in _SIZES.items()})


QUICK_EVALUATE = (*_DATA, *_small("training"))
"""What stands after `evaluate ARCHITECTURE`."""

QUICK = (
    *("search", "--space", "tiny", *_DATA, *_small("ranking")),
    *sets(trainer_epochs=3, trainer_batch=8, trainer_warm_up=0),
)
"""A search on synthetic data, without its updater; the run's folder is `run`."""

UNIFORM = (*QUICK, "--updater", "uniform")


def updater(body, method="strength(self, state, expected)"):
    """Return a plugin file with the updater `bad`, one of whose methods has this body."""
    return dedent("""\
        from nascore.api import Component, hookimpl
        from nascore.builtin.updaters import Uniform


        class Bad(Uniform):
            def {method}:
                {body}


        @hookimpl
        def nascore_updaters():
            yield Component(name="bad", slot="updater", summary="Fails.", build=Bad)
        """).format(body=body, method=method)


def observer(event, body):
    """Return a plugin file with the observer `watcher`, one of whose methods has this body."""
    return dedent("""\
        import os
        import signal
        import time

        from nascore.api import Component, Observer, hookimpl


        class Watcher(Observer):
            def __init__(self, settings):
                pass

            def {event}(self, *details):
                {body}


        @hookimpl
        def nascore_observers():
            yield Component(name="watcher", slot="observer", summary="Interferes.", build=Watcher)
        """).format(event=event, body=body)
