"""Data sets and growth policies that are broken on purpose: a plugin for tests of the kit."""

from __future__ import annotations

import random
from typing import ClassVar

import torch
from attrs import evolve
from torch.utils.data import Dataset

from nascore.api import Component, NoSettings, Proposal, derive, draw_picks, hookimpl
from nascore.builtin.components import RandomSettings, SyntheticSettings
from nascore.builtin.datasets import Synthetic
from nascore.builtin.growth import Random
from nascore.nn import Examples


class Data(Synthetic):
    """Healthy: 24 images of 4 by 4 pixels."""

    changes: ClassVar = {}

    def __init__(self, settings):
        del settings
        super().__init__(SyntheticSettings(count=24, size=4, classes=3, channels=1))
        self.facts = evolve(self.facts, **self.changes)

    def changed(self, examples):
        return examples

    def train(self):
        return self.changed(super().train())

    def test(self):
        return self.changed(super().test())


class NoDeviation(Data):
    def __init__(self, settings):
        super().__init__(settings)
        self.facts = evolve(self.facts, crop_pad=-1)


class WrongShape(Data):
    def changed(self, examples):
        return Examples(images=examples.images, labels=examples.labels.int())


class CountsFromOne(Data):
    def test(self):
        examples = super().test()
        return Examples(images=examples.images, labels=examples.labels + 1)


class Bytes(Data):
    changes: ClassVar = {"mean": (127.0,), "std": (45.0,)}

    def changed(self, examples):
        return Examples(images=examples.images * 255, labels=examples.labels)


class WrongMean(Data):
    changes: ClassVar = {"mean": (0.5,), "std": (0.01,)}


class Restless(Data):
    calls = 0

    def changed(self, examples):
        self.calls += 1
        order = torch.randperm(len(examples.labels), generator=torch.Generator().manual_seed(self.calls))
        return Examples(images=examples.images[order], labels=examples.labels[order])


class TestsOnTraining(Data):
    def test(self):
        train, count = self.train(), self.facts.test
        return Examples(images=train.images[:count], labels=train.labels[:count])


class Lopsided(Data):
    """One image of the last class."""

    def changed(self, examples):
        labels = examples.labels.clamp(max=1)
        labels[-1] = 2
        return Examples(images=examples.images, labels=labels)


class GlobalData(Data):
    def changed(self, examples):
        torch.rand(1)
        return examples


class Items(Dataset):
    """The images of a part one by one."""

    def __init__(self, examples):
        self.images, self.targets = examples.images, examples.labels

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return self.images[index], int(self.targets[index])


class Streamed(Data):
    """Healthy, and streamed."""

    changes: ClassVar = {"streamed": True}
    items = Items

    def changed(self, examples):
        return self.items(examples)


class SequentialItems(Items):
    """Has a position, as a file that stays open."""

    position = 0

    def __getitem__(self, index):
        self.position = 0 if index == 0 else self.position + 1
        return self.images[min(self.position, len(self) - 1)], int(self.targets[index])


class Sequential(Streamed):
    items = SequentialItems


class WrongTargetsItems(Items):
    def __getitem__(self, index):
        image, target = super().__getitem__(index)
        return image, (target + 1) % 3


class WrongTargets(Streamed):
    items = WrongTargetsItems


DATASETS = {
    "sequential": (Sequential, "streamed_items_depend_on_their_index_alone"),
    "wrong-targets": (WrongTargets, "shapes_are_as_the_facts_say"),
    "no-deviation": (NoDeviation, "facts_are_complete"),
    "wrong-shape": (WrongShape, "shapes_are_as_the_facts_say"),
    "counts-from-one": (CountsFromOne, "labels_are_classes"),
    "bytes": (Bytes, "images_lie_between_zero_and_one"),
    "wrong-mean": (WrongMean, "normalises"),
    "restless": (Restless, "gives_the_same_on_every_call"),
    "tests-on-training": (TestsOnTraining, "test_images_are_others"),
    "lopsided": (Lopsided, "can_be_halved"),
    "global-data": (GlobalData, "leaves_the_global_random_numbers_alone"),
}


class Grown(Random):
    """Healthy: three architectures at random."""

    def __init__(self, settings):
        del settings
        super().__init__(RandomSettings(count=3))

    def propose(self, space, history, wave, rng):
        found = [one.description for one in super().propose(space, history, wave, rng)]
        return [Proposal(description=one) for one in self.proposed(space, found)] if wave == 1 else []

    def proposed(self, space, found):
        """Return the descriptions to propose first, of those drawn."""
        del space
        return found


class Open(Grown):
    def proposed(self, space, found):
        return [*found, space]


class OtherData(Grown):
    def proposed(self, space, found):
        del space
        return [evolve(one, classes=7) for one in found]


class KeepsNever(Grown):
    """Derives as if everything might be kept."""

    def propose(self, description, history, wave, rng):
        del history
        if wave > 1:
            return ()
        groups = {name: evolve(group, never=()) for name, group in description.groups.items()}
        ops = {name: group.ops for name, group in description.groups.items()}
        picks = {
            name: tuple(
                (row, max(range(len(ops[name])), key=lambda at: str(ops[name][at].name) == "none"))
                for row, _ in kept
            )
            for name, kept in draw_picks(description, rng).items()
        }
        return [Proposal(description=derive(evolve(description, groups=groups), picks))]


class Idle(Grown):
    def proposed(self, space, found):
        del space, found
        return []


class Misspelt(Grown):
    def closes(self, opened, strength):
        del strength
        return opened


class Repeats(Grown):
    def proposed(self, space, found):
        del space
        return found * 2


class GlobalGrowth(Grown):
    def proposed(self, space, found):
        del space
        random.random()  # noqa: S311 - what is not to be done
        return found


class Shortens(Grown):
    """Leaves a node out: operations and data are those of the space."""

    def proposed(self, space, found):
        del space
        return [shortened(one) for one in found]


def shortened(description):
    """Return a closed description without the edge that ends its first cell's first sum of several."""

    def change(node):
        return evolve(node, edges=node.edges[:1]) if node.join == "sum" else node

    def of(graph):
        return evolve(graph, nodes=tuple(map(change, graph.nodes)))

    return evolve(description, cells={name: of(graph) for name, graph in description.cells.items()})


GROWTHS = {
    "shortens": (Shortens, "stays_in_a_fixed_space"),
    "open": (Open, "seeds_are_closed"),
    "other-data": (OtherData, "seeds_are_for_the_same_data"),
    "keeps-never": (KeepsNever, "seeds_are_of_the_space"),
    "idle": (Idle, "begins_with_something"),
    "misspelt": (Misspelt, "optional_methods_are_spelt_right"),
    "repeats": (Repeats, "seeds_differ"),
    "global-growth": (GlobalGrowth, "leaves_the_global_random_numbers_alone"),
}


def components(slot, healthy, mutants, provides=(), title="healthy"):
    for name, made in {title: healthy, **{name: made for name, (made, _) in mutants.items()}}.items():
        yield Component(
            name=name, slot=slot, summary="For tests.", config=NoSettings, build=made, provides=provides
        )


@hookimpl
def nascore_datasets():
    yield from components("dataset", Data, DATASETS, ("halves",))
    yield from components("dataset", Streamed, {}, ("halves",), "streamed")


@hookimpl
def nascore_growths():
    yield from components("growth", Grown, GROWTHS, ("remarks",))
