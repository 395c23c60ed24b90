"""Growth policies that search without growing: broken on purpose, beside their healthy form."""

from __future__ import annotations

from attrs import evolve

from nascore.api import (
    Component,
    DescriptionError,
    NoSettings,
    Op,
    Proposal,
    derive,
    draw_architectures,
    hookimpl,
    mutate_picks,
    recover_picks,
)

COUNT = 150
STARTS = 5


class Climbs:
    """Healthy: mutates the best architecture so far."""

    def __init__(self, settings):
        del settings

    def propose(self, space, history, wave, rng):
        if wave == 1:
            return [Proposal(description=one) for one in draw_architectures(space, STARTS, rng)]
        if len(history.gallery) >= COUNT:
            return []
        return self.children(space, history, rng)

    def children(self, space, history, rng):
        parent = self.parent(history.gallery, rng)
        picks = recover_picks(space, history.description(parent))
        for _ in range(100):
            child = self.child(space, picks, rng)
            if not history.tried(child):
                return [Proposal(description=child, parent=parent)]
        return []

    def parent(self, gallery, rng):
        del rng
        return gallery.best

    def child(self, space, picks, rng):
        return derive(space, mutate_picks(space, picks, rng))


class Blind(Climbs):
    """Mutates any architecture, whatever it is worth."""

    def parent(self, gallery, rng):
        return rng.choice(gallery.entries)


class Upside(Climbs):
    """Mutates the worst."""

    def parent(self, gallery, rng):
        del rng
        return max(gallery, key=lambda entry: entry.error)


class Draws(Climbs):
    """Names a parent, but its children are drawn at random."""

    def child(self, space, picks, rng):
        del picks
        return draw_architectures(space, 1, rng)[0]


class Leaves(Climbs):
    """Its children have an operation that the space does not offer, where there are cells."""

    def children(self, space, history, rng):
        try:
            return super().children(space, history, rng)
        except DescriptionError:  # its parent is such a child
            return [Proposal(description=one) for one in draw_architectures(space, 1, rng)]

    def child(self, space, picks, rng):
        child = super().child(space, picks, rng)
        return evolve(child, cells={name: strange(cell) for name, cell in child.cells.items()})


def strange(cell):
    """Return a cell whose first operation is another."""
    node = next(one for one in cell.nodes if one.edges and one.edges[0].ops)
    edge = evolve(node.edges[0], ops=(Op("dil_conv_5x5"),))
    changed = evolve(node, edges=(edge, *node.edges[1:]))
    return evolve(cell, nodes=tuple(changed if one is node else one for one in cell.nodes))


MUTANTS = {
    "blind": (Blind, "finds_the_planted_architecture"),
    "upside": (Upside, "finds_the_planted_architecture"),
    "draws": (Draws, "finds_the_planted_architecture"),
    "leaves": (Leaves, "later_architectures_are_of_the_space"),
}


@hookimpl
def nascore_growths():
    for name, build in {"climbs": Climbs, **{name: made for name, (made, _) in MUTANTS.items()}}.items():
        yield Component(name=name, slot="growth", summary="For tests.", config=NoSettings, build=build)
