"""Relaxations that are broken on purpose in what they remember, how they anneal, and what they select."""

from __future__ import annotations

from functools import partial

import torch
from attrs import evolve, frozen
from mutants_relaxations import Gates, Plain, component

from nascore.api import Give, hookimpl, setting

PROVIDES = ("normalized", "deterministic")


@frozen(kw_only=True)
class Course:
    tau: float = setting(1.0, "Temperature.", gt=0)
    picking: bool = setting(default=False, help="Whether it says what stands.")


class Anneals(Plain):
    """Healthy: a temperature that falls."""

    def __init__(self, settings, progress=0.0):
        super().__init__(settings)
        self.settings, self.progress = settings, progress
        self.tau = settings.tau * (1 - 0.9 * progress)

    def annealed(self, progress):
        return type(self)(self.settings, progress)


class AnnealsToNothing(Anneals):
    """Changes itself, and gives nothing back."""

    def annealed(self, progress):
        self.tau = self.settings.tau * (1 - 0.9 * progress)


class AnnealsToItsWeights(Anneals):
    def annealed(self, progress):
        return self.tau * progress


class AnnealsToZero(Anneals):
    def annealed(self, progress):
        other = type(self)(self.settings, progress)
        other.tau = self.settings.tau * (1 - progress)
        return other


class Misspelt(Plain):
    def anneal(self, progress):
        return self if progress < 2 else None


class MisspeltToo(Plain):
    def annealing(self, progress):
        return self if progress < 2 else None


class Selects(Plain):
    """Healthy where it declares `selects` with the setting that lets it pick."""

    def __init__(self, settings):
        super().__init__(settings)
        self.picking = settings.picking

    def picks(self, theta, segments, group):
        if not self.picking:
            raise RuntimeError("nobody asked for picks")
        best = self.expected(theta, segments, group).argmax(dim=1)
        return [(row, int(column)) for row, column in enumerate(best)]


class PicksColumns(Selects):
    """Gives columns where pairs are due."""

    def picks(self, theta, segments, group):
        return [column for _, column in super().picks(theta, segments, group)]


class PicksOutside(Selects):
    """Counts rows from 1."""

    def picks(self, theta, segments, group):
        return [(row + 1, column) for row, column in super().picks(theta, segments, group)]


class RaisesWhenItPicks(Selects):
    def picks(self, theta, segments, group):
        del group
        return self.no_such_thing(theta, segments)


class PicksByNode(Selects):
    """Healthy where it declares `selects`: the rule's number of edges of each node."""

    def picks(self, theta, segments, group):
        may = torch.tensor([op not in group.never for op in group.ops]) & (segments >= 0)
        scores = theta.where(may, -torch.inf)
        kept = []
        for rows in group.nodes().values():
            live = [row for row in rows if bool(may[row].any())]
            best = sorted(live, key=lambda row: -float(scores[row].max()))[: group.edges]
            kept += [(row, int(scores[row].argmax())) for row in best]
        return kept


class PicksByFirstNodes(PicksByNode):
    """Goes by the nodes of the first group that it was asked for."""

    first = None

    def picks(self, theta, segments, group):
        self.first = self.first or group
        again = evolve(group, rows=(*self.first.rows, *group.rows)[: len(group.rows)], edges=self.first.edges)
        return super().picks(theta, segments, again)


class PicksNever(Selects):
    """Picks `none` of every row, also where it does not compete."""

    def picks(self, theta, segments, group):
        del theta, segments
        return [(row, 0) for row in range(len(group.rows))]


class PicksTwoRows(Selects):
    """Reads the second row of its group, and there may be none."""

    def picks(self, theta, segments, group):
        assert group.rows[1]
        return super().picks(theta, segments, group)


class Scales(Plain):
    """Remembers how large theta ever was, whatever its sign."""

    largest = 1.0

    def expected(self, theta, segments, group):
        self.largest = max(self.largest, float(theta.detach().abs().max()))
        return super().expected(theta / self.largest, segments, group)


class Signed(Plain):
    def expected(self, theta, segments, group):
        del group
        return theta.where(segments >= 0, 0.0)


made = partial(component, config=Course)
WHERE_SET = (*PROVIDES, "unbiased", Give(capability="selects", when=lambda settings: settings.picking))
UNBIASED = (*PROVIDES, "unbiased")
ANNEALS = (*UNBIASED, "anneals")

HEALTHY = {
    "anneals": made("anneals", Anneals, provides=ANNEALS),
    "gates": component("gates", Gates, provides=("deterministic", "non-negative")),
    "selects": made("selects", Selects, provides=WHERE_SET),
    "picks-by-node": made("picks-by-node", PicksByNode, provides=(*UNBIASED, "selects")),
}
MUTANTS = {
    "to-nothing": (partial(made, build=AnnealsToNothing, provides=ANNEALS), "anneals_into_a_relaxation"),
    "to-weights": (partial(made, build=AnnealsToItsWeights, provides=ANNEALS), "anneals_into_a_relaxation"),
    "to-zero": (partial(made, build=AnnealsToZero, provides=ANNEALS), "anneals_into_a_relaxation"),
    "misspelt": (Misspelt, "optional_methods_are_spelt_right"),
    "misspelt-too": (MisspeltToo, "optional_methods_are_spelt_right"),
    "columns": (partial(made, build=PicksColumns, provides=WHERE_SET), "selects_if_it_says_so"),
    "outside": (partial(made, build=PicksOutside, provides=WHERE_SET), "selects_if_it_says_so"),
    "raises": (partial(made, build=RaisesWhenItPicks, provides=WHERE_SET), "selects_if_it_says_so"),
    "first-nodes": (
        partial(made, build=PicksByFirstNodes, provides=(*UNBIASED, "selects")),
        "selects_if_it_says_so",
    ),
    "never": (partial(made, build=PicksNever, provides=WHERE_SET), "selects_if_it_says_so"),
    "second-row": (partial(made, build=PicksTwoRows, provides=WHERE_SET), "selects_if_it_says_so"),
    "never-declared": (partial(made, build=Selects), "declares_its_optional_methods"),
    "never-declared-too": (partial(made, build=Anneals, provides=UNBIASED), "declares_its_optional_methods"),
    "declared-in-vain": (partial(made, build=Plain, provides=ANNEALS), "declares_its_optional_methods"),
    "signed": (
        partial(component, build=Signed, provides=("deterministic", "non-negative")),
        "sums_to_one_if_it_says_so",
    ),
    "scales": (partial(component, build=Scales, provides=PROVIDES), "keeps_no_state"),
}


@hookimpl
def nascore_relaxations():
    yield from HEALTHY.values()
    for name, (build, _check) in MUTANTS.items():
        yield build(name) if isinstance(build, partial) else component(name, build)
