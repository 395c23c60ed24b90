"""Whole runs: the gallery, the same again, and in pieces."""

from __future__ import annotations

from contextlib import suppress

import pytest
from resumed_runs import differences

import nascore.builtin
import nascore_evolution
from nascore.builtin.components import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.description import fingerprint, load, recover_picks
from nascore.errors import RunStopped
from nascore.plugin import Registry
from nascore.run import Budget, RunControl, read
from nascore.testing.dataset import facts
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested
from nascore.verbs.resume import resume_as_requested
from nascore.verbs.search import search_as_requested

CATALOGUE = Registry.of(builtin=nascore.builtin, evolution=nascore_evolution).operations()
SMALL = {"dataset.count": 64, "ranking.epochs": 1, "ranking.batch": 8}
RUNS = {
    "evolution": {"growth.count": 5, "growth.population": 3, "growth.wave": 2},
    "local-search": {"growth.count": 6, "growth.starts": 1, "growth.wave": 2},
}


def request_of(growth, **more):
    named = {"space": "tiny", "dataset": "synthetic", "growth": growth}
    settings = {**SMALL, **RUNS[growth], **more}
    return requested(names=named, recipe=None, preset=None, scale="mini", settings=settings)


@pytest.fixture(scope="module", params=RUNS)
def whole(request, tmp_path_factory):
    """A run that nobody stopped, with the name of its policy."""
    out = tmp_path_factory.mktemp("whole") / "run"
    search_as_requested(request_of(request.param), out=out)
    return request.param, out


def test_a_gallery_of_neighbours(whole):
    name, out = whole
    gallery = read(out).gallery
    assert len(gallery) == RUNS[name]["growth.count"]
    texts = {entry.id: load((out / entry.description).read_text(), catalogue=CATALOGUE) for entry in gallery}
    assert len({fingerprint(one) for one in texts.values()}) == len(gallery)
    space = Tiny(TinySettings()).describe(facts(channels=3, size=8, classes=10))
    children = [entry for entry in gallery if entry.parent is not None]
    assert len(children) >= 2
    for entry in children:
        one, other = (recover_picks(space, texts[number])["cell"] for number in (entry.id, entry.parent))
        assert len(set(one) - set(other)) == 1
        assert entry.wave > gallery[entry.parent].wave


def test_a_run_in_pieces_ends_as_a_whole_one(whole, tmp_path):
    name, out = whole
    control = RunControl(every=1e9, budget=Budget.of("5steps"))
    with suppress(RunStopped):
        search_as_requested(request_of(name), out=tmp_path / "run", reporter=Reporter(control))
    pieces = 0
    while read(tmp_path / "run").status != "done":
        control = RunControl(every=1e9, budget=Budget.of("5steps"))
        with suppress(RunStopped):
            resume_as_requested(tmp_path / "run", reporter=Reporter(control))
        pieces += 1
    assert pieces >= 3
    assert differences(out, tmp_path / "run") == []
