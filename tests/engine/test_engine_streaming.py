"""Images that are streamed give the results of images in memory, with and without workers."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path
from subprocess import PIPE, Popen
from time import monotonic, sleep

import pytest
import streamed_data
import torch
from attrs import evolve
from engine_toys import FACTS
from resumed_runs import differences
from streamed_data import Files, Pictures, images_of, write_images

import nascore
import nascore.builtin
from nascore.contract import Observer
from nascore.engine.batches import Batches, evaluation_batches, halves
from nascore.engine.data_checks import data_fingerprint
from nascore.engine.search import search as engine_search
from nascore.engine.sources import source_of
from nascore.errors import PluginError, RunFailed, RunStopped
from nascore.nn import Examples
from nascore.plugin import Registry
from nascore.recipe import SEARCH_RUN, Request, settled
from nascore.run import Budget, RunControl, read
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested
from nascore.verbs.resume import resume_as_requested
from nascore.verbs.search import search_as_requested

PLUGIN = streamed_data.__file__
FORMS = ("memory", "0", "2")
SETTINGS = {"trainer.epochs": 1, "trainer.warm_up": 0, "trainer.batch": 8, "ranking.batch": 8}
SETTINGS |= {"ranking.epochs": 1, "ranking.channels": 4, "ranking.cells": 2}
REGISTRY = Registry.of(builtin=nascore.builtin, files=streamed_data)
CALL = {"dataset": "files", "scale": "mini", "plugins": [PLUGIN]}


@pytest.fixture(autouse=True)
def ended():
    """No test leaves a process."""
    yield
    assert not active_children()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_images(folder)
    return folder


@pytest.fixture
def choose(root, monkeypatch):
    """Set the form of the data set."""
    monkeypatch.setenv("TEST_IMAGES", str(root))
    return lambda form: monkeypatch.setenv("TEST_FORM", form)


def recipe_of():
    names = {"space": ["tiny"], "updater": ["uniform"], "dataset": ["files"]}
    request = Request(scale="mini", names=names, run={"seed": 0, "device": "cpu"}, settings=SETTINGS)
    return settled(request, REGISTRY, run=SEARCH_RUN)


def search(out, **named):
    return nascore.search(space="tiny", updater="darts", settings=SETTINGS, out=out, **CALL, **named).path


@pytest.fixture(scope="module")
def found(root, tmp_path_factory):
    """Return a search and an evaluation of each form, each made once."""
    folder = tmp_path_factory.mktemp("runs")
    for form in FORMS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEST_IMAGES", str(root))
            patch.setenv("TEST_FORM", form)
            run = search(folder / form / "search")
            settings = {
                name.replace("ranking", "training"): value
                for name, value in SETTINGS.items()
                if name.startswith("ranking")
            }
            nascore.evaluate(run, settings=settings, out=folder / form / "evaluation", **CALL)
    return folder


@pytest.mark.parametrize("form", ["0", "2"])
def test_a_search_and_an_evaluation_are_those_in_memory_to_the_last_bit(found, form):
    for kind in ("search", "evaluation"):
        one, other = (found / each / kind for each in ("memory", form))
        assert read(one).status == "done"
        assert differences(one, other) == []


def begun(out, steps):
    control = RunControl(budget=Budget.of(f"{steps}steps"))
    names = {"dataset": "files", "space": "tiny", "updater": "darts"}
    request = requested(names=names, recipe=None, preset=None, scale="mini", settings=SETTINGS)
    with suppress(RunStopped):
        search_as_requested(request, out=out, reporter=Reporter(control), plugins=[PLUGIN])
    assert read(out).status == "stopped"


@pytest.mark.parametrize(("first", "then"), [("memory", "2"), ("2", "memory"), ("0", "2")])
def test_a_run_that_began_in_one_form_is_resumed_in_another(found, choose, tmp_path, first, then):
    choose(first)
    begun(tmp_path / "run", 2)
    choose(then)
    resume_as_requested(tmp_path / "run", reporter=Reporter(RunControl()), plugins=[PLUGIN])
    assert differences(found / "memory" / "search", tmp_path / "run") == []


def sources(root):
    streamed = [source_of(Pictures(root / "train", workers)) for workers in (0, 2)]
    whole = Examples(images=images_of(streamed[0]), labels=streamed[0].labels)
    return [source_of(whole), *streamed]


def test_batches_and_their_state_are_those_in_memory(root):
    made = []
    for source in sources(root):
        fit, _ = halves(source, torch.Generator().manual_seed(1))
        order, noise = (torch.Generator().manual_seed(seed) for seed in (2, 3))
        batches = Batches(fit, evolve(FACTS, flip=True), size=5, order=order, noise=noise)
        taken = [batches.next() for _ in range(7)]
        state, at = batches.state_dict(), order.get_state()
        taken += [batches.next() for _ in range(3)]
        batches.load_state_dict(state)
        order.set_state(at)
        again = [batches.next() for _ in range(3)]
        batches.close()
        made.append((taken, again, state, at, [*evaluation_batches(fit, FACTS)]))
    first, *others = made
    for one in others:
        for pairs, expected in zip((one[0], one[1], one[4]), (first[0], first[1], first[4]), strict=True):
            for (images, labels), (images_, labels_) in zip(pairs, expected, strict=True):
                assert torch.equal(images, images_)
                assert torch.equal(labels, labels_)
        assert torch.equal(one[2]["permutation"], first[2]["permutation"])
        assert one[2]["position"] == first[2]["position"]
        assert torch.equal(one[3], first[3])


def test_parts_share_one_tensor(root):
    memory, *_ = sources(root)
    one, other = halves(memory, torch.Generator())
    assert one._images is other._images is memory._images


def test_the_fingerprint_is_that_in_memory_or_the_data_sets_own(root):
    memory, *_ = sources(root)
    examples = Examples(images=images_of(memory), labels=memory.labels)
    streamed = Pictures(root / "train", 2)
    assert data_fingerprint(streamed) == data_fingerprint(examples)
    streamed.fingerprint = "own"
    assert data_fingerprint(streamed) == "own"


class Changed(Pictures):
    """Pictures, one of which is changed by a test."""

    changes = staticmethod(lambda item: item)

    def __getitem__(self, index):
        item = super().__getitem__(index)
        return self.changes(item) if index == 3 else item


WRONG = {
    "no pair": (
        lambda item: item[0],
        "returns torch.Tensor as item 3 of train(), not a pair of an image and its target",
    ),
    "an array": (lambda item: (item[0].numpy(), item[1]), "returns numpy.ndarray as image 3 of train()"),
    "another size": (
        lambda item: (item[0][:, :7], item[1]),
        "returns an image of shape (1, 7, 8) from train(), but declares (1, 8, 8)",
    ),
    "another type": (
        lambda item: (item[0] / 255, item[1]),
        "returns images of torch.float32 from train(), but declares dtype='uint8'",
    ),
    "another target": (
        lambda item: (item[0], item[1] + 1),
        "returns the target 1 with image 3 of train(), but targets has 0",
    ),
}


@pytest.fixture
def change(monkeypatch, choose):
    """Make an item of the streamed data set another one."""
    choose("0")

    def put(change, form="0"):
        choose(form)
        monkeypatch.setattr(streamed_data, "Pictures", Changed)
        monkeypatch.setattr(Changed, "changes", staticmethod(change))

    return put


def searched(out, observers=()):
    return engine_search(recipe_of(), REGISTRY, out=out, observers=observers)


@pytest.mark.parametrize("odd", WRONG)
def test_items_that_contradict_the_facts_are_refused_and_name_the_plugin(odd, change, tmp_path):
    wrong, text = WRONG[odd]
    change(wrong)
    with pytest.raises(PluginError) as error:
        searched(tmp_path / "run")
    assert f"dataset: files {text}" in str(error.value)
    assert "This is a fault of the plugin files." in str(error.value)
    assert not (tmp_path / "run").exists()


ODD = {
    "no targets": (
        lambda data: delattr(data, "targets"),
        "whose attribute targets is None, not a tensor of all labels",
    ),
    "fewer targets": (
        lambda data: setattr(data, "targets", data.targets[:-1]),
        "returns targets of shape (47,) from train(), but declares (48,)",
    ),
    "other numbers": (
        lambda data: setattr(data, "targets", data.targets.int()),
        "returns targets of torch.int32 from train(), not torch.int64",
    ),
    "a label too high": (
        lambda data: data.targets.__setitem__(0, 3),
        "has the label 3 in train(), but labels of 3 classes are 0 to 2",
    ),
}


@pytest.mark.parametrize("odd", ODD)
def test_targets_that_contradict_the_facts_are_refused(odd, choose, monkeypatch, tmp_path):
    choose("0")
    spoil, text = ODD[odd]

    class Spoiled(Pictures):
        def __init__(self, *args):
            super().__init__(*args)
            if self.folder.name == "train":
                spoil(self)

        def __getitem__(self, index):
            return super().__getitem__(index)[0], index % 3 or 3 * (odd == "a label too high" and not index)

        def __len__(self):
            return 48 if self.folder.name == "train" else 12

    monkeypatch.setattr(streamed_data, "Pictures", Spoiled)
    with pytest.raises(PluginError) as error:
        searched(tmp_path / "run")
    assert text in str(error.value)


def test_a_form_that_is_not_declared_is_refused(choose, monkeypatch, tmp_path):
    for form, text in (("0", "does not declare streamed=True"), ("memory", "but declares streamed=True")):
        choose(form)
        made = Files(None)
        made.facts = evolve(made.facts, streamed=form == "memory")
        with monkeypatch.context() as patch:
            patch.setattr(streamed_data, "Files", lambda _, made=made: made)
            with pytest.raises(PluginError, match=text):
                searched(tmp_path / "run")


class Spoils(Observer):
    """Changes a file of the images when the run has begun, as a disk may do."""

    def __init__(self, file, content):
        self.file, self.content, self.before = file, content, file.read_bytes()

    def phase_started(self, *_):
        self.file.write_bytes(self.content)

    def run_ended(self):
        self.file.write_bytes(self.before)


@pytest.mark.parametrize("form", ["0", "2"])
def test_a_broken_file_ends_the_run_with_its_name(form, root, choose, tmp_path):
    choose(form)
    with pytest.raises(PluginError) as error:
        searched(tmp_path / "run", observers=[Spoils(root / "train" / "5.bin", b"short")])
    assert "reading image 5 of Pictures raised ValueError: train/5.bin is truncated." in str(error.value)
    assert read(tmp_path / "run").status == "failed"


def test_a_killed_worker_ends_the_run(root, choose, tmp_path):
    choose("2")
    with pytest.raises(RunFailed, match=r"a process that reads images ended: .*(killed|unexpectedly)"):
        searched(tmp_path / "run", observers=[Spoils(root / "train" / "5.bin", b"kill")])
    assert read(tmp_path / "run").status == "failed"


class Interrupts(Observer):
    def __init__(self):
        self.workers = []

    def step_finished(self, report):
        if report.step == 1:
            self.workers = active_children()
            for one in (os.getpid(), *(worker.pid for worker in self.workers)):
                os.kill(one, signal.SIGINT)  # as a terminal does


def test_ctrl_c_finishes_the_step_and_stops_the_workers(choose, found, tmp_path):
    choose("2")
    observer = Interrupts()
    with pytest.raises(KeyboardInterrupt):
        nascore.search(
            space="tiny",
            updater="darts",
            settings=SETTINGS,
            out=tmp_path / "run",
            observers=[observer],
            **CALL,
        )
    assert len(observer.workers) == 4
    assert not any(worker.is_alive() for worker in observer.workers)
    resume_as_requested(tmp_path / "run", reporter=Reporter(RunControl()), plugins=[PLUGIN])
    assert differences(found / "memory" / "search", tmp_path / "run") == []


WAITING = """
import sys
from streamed_data import Pictures
from nascore.engine.sources import source_of
import torch
source = source_of(Pictures(sys.argv[1], 2))
batches = source.read(torch.arange(48).split(4))
next(batches)
from multiprocessing import active_children
print(*[child.pid for child in active_children()], flush=True)
for _ in batches:
    pass
"""


def is_alive(number):
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_program_that_is_killed_leaves_no_process(tmp_path):
    write_images(tmp_path)
    (tmp_path / "train" / "40.bin").write_bytes(b"slow")
    with Popen(
        [sys.executable, "-c", WAITING, str(tmp_path / "train")], stdout=PIPE, env=environment()
    ) as program:
        workers = [int(word) for word in program.stdout.readline().split()]
        assert len(workers) == 2
        wait_for((tmp_path / "train" / "slow").exists)
        program.kill()
    wait_for(lambda: not any(map(is_alive, workers)))


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def wait_for(holds):
    end = monotonic() + 20
    while not holds():
        assert monotonic() < end
        sleep(0.02)
