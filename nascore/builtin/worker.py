"""The process of the executor `processes`: reads jobs from stdin, does them, and writes answers to stdout."""

from __future__ import annotations

import json
import os
import signal
from threading import Thread
from time import sleep
from typing import Final

from nascore.api import Job

POLL: Final = 0.5
"""Seconds between two looks at whether the parent process still lives."""


def main() -> None:
    """Do jobs until stdin ends."""
    # Ctrl-C reaches all processes of a terminal: the parent decides, and stops its workers by SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    with os.fdopen(os.dup(0), "rb") as jobs, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # a plugin that prints must not write into the answers
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
            os.dup2(nothing.fileno(), 0)  # nor may a program that it starts read jobs
        for line in jobs:
            answers.write(json.dumps(Job(**json.loads(line)).answer()).encode() + b"\n")
            answers.flush()


def _end_with_parent(parent: int) -> None:
    """End this process at once when its parent is gone, as a killed run ends: checkpoints serve."""
    while os.getppid() == parent:
        sleep(POLL)
    os._exit(1)
