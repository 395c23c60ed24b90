"""Growth policies that are broken on purpose, beside their healthy form: a plugin for tests of the kit."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve

from nascore.api import Component, Need, NoSettings, Op, Proposal, grow, hookimpl, settle
from nascore.builtin.components import RandomSettings
from nascore.builtin.growth import Random

OPS = (Op("dil_conv_3x3", (("affine", False),)), Op("conv_3x3", (("affine", False),)), Op("skip_connect"))
COUNT = 5


class Grows(Random):
    """Healthy: the best of the gallery grows at the last sum of its first cell, or in its second layer."""

    ops: ClassVar = OPS

    def __init__(self, settings):
        del settings
        super().__init__(RandomSettings(count=2))

    def propose(self, space, history, wave, rng):
        if wave == 1:
            return super().propose(space, history, wave, rng)
        parents = self.parents(history.gallery)
        opened = [self.open(history.description(one), history.catalogue) for one in parents]
        return [
            Proposal(description=description, parent=parent, inherits=True, epochs=1)
            for description, parent in zip(opened, parents, strict=True)
        ]

    def parents(self, gallery):
        return [self.best(gallery)] if len(gallery) < COUNT else []

    def best(self, gallery):
        return min(gallery, key=lambda entry: (entry.error, entry.costs["macs"]))

    def open(self, parent, catalogue):
        graph, target = place_of(parent)
        return grow(parent, graph, target, self.ops, catalogue, keep=2)

    def close(self, opened, strength):
        return settle(opened, strength)


def place_of(parent):
    for name, graph in parent.cells.items():
        sums = [node.name for node in graph.nodes if node.join == "sum" and "+" not in node.name]
        return name, sums[-1]
    return "network", parent.network.nodes[1].name


def changed(description, change, name=lambda name: name):
    """Return a description of which every node is changed, in cells and network.

    Args:
        description: The description.
        change: Makes a node of a node.
        name: Makes the name of an output of one.
    """

    def of(graph):
        return evolve(graph, nodes=tuple(map(change, graph.nodes)), output=name(graph.output))

    cells = {each: of(graph) for each, graph in description.cells.items()}
    return evolve(description, cells=cells, network=of(description.network))


def edges(node, **changes):
    return evolve(node, edges=tuple(evolve(edge, **changes) for edge in node.edges))


def renamed(description, old, new):
    """Return a description in which a node has another name."""

    def name(given):
        return new if given == old else given

    def change(node):
        read = tuple(evolve(edge, source=name(edge.source)) for edge in node.edges)
        return evolve(node, name=name(node.name), edges=read)

    return changed(description, change, name)


def shadows(opened):
    return [node.name for graph in opened.graphs().values() for node in graph.nodes if node.shadow]


class Ungated(Grows):
    """The child reads what is new at once: it forgets what its parent could do."""

    def close(self, opened, strength):
        return changed(super().close(opened, strength), lambda node: edges(node, gate=False))


class Unshadowed(Grows):
    """Candidates are read as they are."""

    def open(self, parent, catalogue):
        return changed(super().open(parent, catalogue), lambda node: evolve(node, shadow=False))


class LosesAWeight(Grows):
    """The child's classifier has another name, and so begins anew."""

    def close(self, opened, strength):
        child = super().close(opened, strength)
        return renamed(child, child.network.output, child.network.output + "b")


class OpensAnew(Grows):
    """The same in what is opened."""

    def open(self, parent, catalogue):
        opened = super().open(parent, catalogue)
        return renamed(opened, opened.network.output, opened.network.output + "b")


class ForgetsCandidates(Grows):
    """What candidates learned is thrown away: in the child they have other names."""

    def close(self, opened, strength):
        child = super().close(opened, strength)
        for name in shadows(opened):
            child = renamed(child, name, f"{name}0")
        return child


class OpensNothing(Grows):
    def open(self, parent, catalogue):
        del catalogue
        return parent


class LeavesAChoice(Grows):
    def close(self, opened, strength):
        some = any(value for matrix in strength.values() for row in matrix for value in row)
        return super().close(opened, strength) if some else opened


class ReadsTraining(Grows):
    """The hull of Archai: drawn from the accuracy on the training images."""

    def best(self, gallery):
        return min(gallery, key=lambda entry: entry.costs.get("training_error", entry.error))


class ReadsSteps(Grows):
    def best(self, gallery):
        return max(gallery, key=lambda entry: entry.steps)


class NeverEnds(Grows):
    def parents(self, gallery):
        return [self.best(gallery)]


class EndsIfItHelps(Grows):
    """Goes on until an architecture is good enough."""

    def parents(self, gallery):
        best = self.best(gallery)
        return [best] if best.error > 0.05 else []


class Invents(Grows):
    """Returns an entry that is in no gallery."""

    def best(self, gallery):
        return evolve(super().best(gallery), steps=7)


class Remembers(Grows):
    """Takes turns, and counts them itself."""

    def __init__(self, settings):
        super().__init__(settings)
        object.__setattr__(self, "turns", [])

    def best(self, gallery):
        self.turns.append(1)
        ranked = sorted(gallery, key=lambda entry: entry.error)
        return ranked[len(self.turns) % len(ranked)]


class CannotGrow(Random):
    """Could close what it never opens."""

    def __init__(self, settings):
        del settings
        super().__init__(RandomSettings(count=2))

    def close(self, opened, strength):
        return settle(opened, strength)


MUTANTS = {
    "ungated": (Ungated, "a_child_keeps_the_function"),
    "unshadowed": (Unshadowed, "opening_keeps_the_function"),
    "loses-a-weight": (LosesAWeight, "a_child_inherits_every_weight"),
    "opens-anew": (OpensAnew, "opening_keeps_every_weight"),
    "forgets-candidates": (ForgetsCandidates, "a_child_inherits_what_candidates_learned"),
    "opens-nothing": (OpensNothing, "grows_if_it_says_so"),
    "leaves-a-choice": (LeavesAChoice, "closes_every_choice"),
    "reads-training": (ReadsTraining, "reads_no_other_figure"),
    "reads-steps": (ReadsSteps, "reads_no_other_figure"),
    "never-ends": (NeverEnds, "comes_to_an_end"),
    "ends-if-it-helps": (EndsIfItHelps, "comes_to_an_end"),
    "invents": (Invents, "parents_are_of_the_gallery"),
    "remembers": (Remembers, "proposals_follow_from_the_gallery"),
    "remarks-undeclared": (Grows, "declares_its_optional_methods"),
    "cannot-grow": (CannotGrow, "grows_if_it_says_so"),
    "leaves-a-fixed-space": (Grows, "stays_in_a_fixed_space"),
}

NEEDS = Need(terms=("not space.fixed",), why="what it grows has no code")


@hookimpl
def nascore_growths():
    for name, build in {"grows": Grows, **{name: made for name, (made, _) in MUTANTS.items()}}.items():
        yield Component(
            name=name,
            slot="growth",
            summary="For tests.",
            config=NoSettings,
            build=build,
            provides=("grows",) if name == "remarks-undeclared" else ("grows", "remarks"),
            needs=() if name == "leaves-a-fixed-space" else (NEEDS,),
        )
