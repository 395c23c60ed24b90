"""The function that submitit calls in a job of Slurm, with plain values as arguments."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any, Final

from nascore.api import Job

POLL: Final = 0.2
"""Seconds between two looks at whether the driver still lives."""


def do_task(plain: dict[str, Any], answer: str, driver: int | None) -> None:
    """Do a job, and write its answer to a file as JSON.

    Args:
        plain: The values of the job.
        answer: Path of the file.
        driver: Process that submitted the job, if it is on this machine: the job ends with it.
    """
    if driver is not None:
        Thread(target=_end_with, args=(os.getppid(), driver), daemon=True).start()
    # submitit would submit the job again by itself, and ignore SIGTERM. USR2 comes before the time limit.
    signal.signal(signal.SIGUSR2, _stop)
    # Ctrl-C reaches all processes of a terminal: the driver decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    text = json.dumps(Job(**plain).answer())
    part = Path(f"{answer}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(answer)


def _stop(_number: int, _frame: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _end_with(parent: int, driver: int) -> None:
    """End this process at once when its parent or the driver is gone: another may go on with the run."""
    while os.getppid() == parent and _lives(driver):
        sleep(POLL)
    os._exit(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
