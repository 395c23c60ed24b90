"""What every test of this folder runs under, and the run that several look at."""

from __future__ import annotations

import os
import signal
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

import pytest
import torch
from tiny import TINY

import nascore
from nascore.plugin.known import distributions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NEEDS = "needs(*distributions): the test is skipped where one of these is not installed"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and stop where a run that promises all tests would skip some."""
    config.addinivalue_line("markers", NEEDS)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background so; the processes that tests interrupt would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    lost = missing(os.environ.get("NASCORE_TEST_ALL", "").split())
    if lost:
        raise pytest.UsageError(f"NASCORE_TEST_ALL names what is not installed: {', '.join(lost)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a plugin that is not installed; nothing is imported to find out."""
    for item in items:
        needed = [name for marker in item.iter_markers("needs") for name in marker.args]
        strange = [name for name in needed if name not in distributions()]
        if strange:
            raise pytest.UsageError(
                f"{item.nodeid} needs {', '.join(strange)}, which is not of this repository"
            )
        for name in missing(needed):
            item.add_marker(pytest.mark.skip(reason=f"{name} is not installed"))


def missing(names: Iterable[str]) -> list[str]:
    """Return the distributions that are not installed."""
    return [name for name in dict.fromkeys(names) if not installed(name)]


def installed(name: str) -> bool:
    """Say whether a distribution is installed."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def own_records(tmp_path_factory: pytest.TempPathFactory) -> Iterable[None]:
    """Keep records of plugins under way apart: of another process that was killed, tests would be warned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Two test processes share the machine; torch's threads would wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small search with DARTS, to read only."""
    if not installed("nascore-darts"):
        pytest.skip("nascore-darts is not installed")
    out = tmp_path_factory.mktemp("runs") / "tiny"
    return nascore.search(space="darts", updater="darts", settings=TINY, out=out).path
