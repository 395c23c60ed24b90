"""The checks of relaxations: their declared capabilities hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.errors import PluginError, error_line
from nascore.nn import segment_softmax
from nascore.testing.choices import (
    alike,
    generator,
    group,
    leaders,
    masked,
    mixtures,
    of_group,
    offered_and_alive,
    ruled,
    scattered,
    shortfall,
    state_of,
    states,
    unlike,
    varying,
)
from nascore.testing.conformance import NotConformingError
from nascore.testing.harness import ReturnCheck
from nascore.testing.part import OptionalMethods, PartConformance, same, seeded
from nascore.testing.planted import EPOCHS, SEEDS, USEFUL, planted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.description import Pick
    from nascore.nn import ArchitectureState


MANY, COPIES = 16, 256
PAIR = 2
"""Rows that lead to one node."""

CLOSE = 1e-5
SIGMAS = 5.0
DRAW_SEEDS = 6


class RelaxationDeclared(PartConformance):
    """Checks that it declares exactly the capabilities that it has."""

    def test_draws_nothing_if_it_says_so(self) -> None:
        """It draws nothing if it declares `deterministic`; else different seeds give different mixtures."""
        part, moved, differs = self.made(), False, False
        for name, state in states(part, alike(), scattered(alike(), 0)):

            def draw(handed: Generator, name: str = name, state: ArchitectureState = state) -> Tensor:
                weights: Tensor = part.mixture(*of_group(state, name), generator=handed).weights
                return weights.detach()

            first = draw(generator(0))
            for seed in range(DRAW_SEEDS):
                handed = generator(seed)
                differs = differs or not same(draw(handed), first)
                moved = moved or not torch.equal(handed.get_state(), generator(seed).get_state())
        if self.provides("deterministic"):
            self.hold(
                not differs, "declares deterministic, but gives a different mixture for a different seed"
            )
            self.hold(not moved, "declares deterministic, and draws from the generator that it is handed")
            return
        self.hold(differs, "does not declare deterministic, and gives the same mixture for every seed")
        self.hold(
            moved, "does not declare deterministic, and draws nothing from the generator that it is handed"
        )

    def test_what_was_not_drawn_gets_a_gradient(self) -> None:
        """The gradient of a drawn mixture also reaches entries that were not drawn, so that they learn."""
        if self.provides("deterministic"):
            return
        part = self.made()
        for name, state in states(part, alike(), scattered(alike(), 8)):
            theta, slope = state.theta[name], scattered(alike(), 9)[name]
            for seed in range(DRAW_SEEDS):
                weights = part.mixture(*of_group(state, name), generator=generator(seed)).weights
                # Without any gradient there is another check.
                if weights.requires_grad:
                    (found,) = torch.autograd.grad((weights * slope).sum(), theta)
                    forgotten = (weights == 0) & offered_and_alive(state, name) & (found == 0)
                    self.hold(not forgotten.any(), "gives what was not drawn a gradient of zero")

    def test_is_unbiased_if_it_says_so(self) -> None:
        """The mean of its draws is the softmax of theta if it declares `unbiased`."""
        if not self.provides("unbiased"):
            return
        part, handed = self.made(), generator(0)
        # Many rows of the same numbers: one call is many draws.
        groups = {"same": group(PAIR * COPIES, 3)}
        theta = scattered({"same": group(PAIR, 3)}, 1, size=1.5)["same"].repeat(COPIES, 1)
        for name, state in states(part, groups, {"same": theta}):
            segments = state.segments(name)
            draws = [
                part.mixture(*of_group(state, name), generator=handed).weights.detach().double()
                for _ in range(self._many())
            ]
            each = torch.cat(draws).reshape(-1, PAIR, 3)
            mean, error = each.mean(dim=0), each.std(dim=0, correction=0) / len(each) ** 0.5
            away = (mean - segment_softmax(theta, segments)[:PAIR]).abs()
            text = f"the mean of its draws is {float(away.max()):.3f} off the softmax of theta"
            far = bool((away > SIGMAS * error + CLOSE).any())
            self.hold(not far, f"declares unbiased, and {text}")

    def _many(self) -> int:
        return 1 if self.provides("deterministic") else MANY


COURSE = (0.0, 0.5, 1.0)
"""Shares of the architecture steps that are done."""

PICKED_WITHOUT = (
    {"wide": [(0, 0)], "used": [(0, 3)]},
    {"edges": [(row, 0) for row in range(4)], "node": [(0, 0), (1, 0), (3, 2)]},
)
"""By group the entries that are dead when a relaxation picks: in the second, `none` of the group `edges`."""


class RelaxationOptional(OptionalMethods):
    """Checks of the methods that a relaxation need not have."""

    def test_anneals_into_a_relaxation(self) -> None:
        """Its `annealed` returns a relaxation with finite mixtures at any time of a search."""
        for text, settings in self.settings_tried():
            part: Any = self.declared().builder()(settings)
            if self.callable_of(part, "anneals", settings):
                for progress in COURSE:
                    self._can_mix(part.annealed(progress), f"annealed({progress:g}){text}")

    def test_selects_if_it_says_so(self) -> None:
        """It says which entries stand with just the settings with which it declares `selects`.

        What it picks is alive, and nothing is picked twice. It is asked for several groups, with the
        operations that a group's rule never keeps in the competition and out of it, as deriving asks.
        """
        for text, settings in self.settings_tried():
            part: Any = self.declared().builder()(settings)
            if self.callable_of(part, "selects", settings):
                self._picks_well(text, settings)

    def _can_mix(self, part: Any, what: str) -> None:  # noqa: ANN401 - a plugin's class
        relaxes = all(callable(getattr(part, name, None)) for name in ("mixture", "expected"))
        self.hold(relaxes, f"gives {part!r} as {what}, and no relaxation")
        for name, state in states(part, alike(), scattered(alike(), 0)):
            with seeded():
                for kind, weights in mixtures(part, state, name):
                    finite = weights.shape == state.theta[name].shape and bool(torch.isfinite(weights).all())
                    self.hold(finite, f"gives a {kind} mixture of no use as {what}")

    def _picks_well(self, text: str, settings: object) -> None:
        build = self.declared().builder()
        part: Any = build(settings)
        for dead in PICKED_WITHOUT:
            for name, state in states(part, ruled(), scattered(ruled(), 2), dead=dead):
                picks = self._picks(part, state, name, text)
                self.hold(picks, f"picks nothing of a group ({name}){text}")
                alone = self._picks(build(settings), state, name, text)
                self.hold(
                    picks == alone, f"picks differently once it has picked in other groups ({name}){text}"
                )

    def _picks(self, part: Any, state: ArchitectureState, name: str, text: str) -> list[Pick]:  # noqa: ANN401 - the same
        theta, segments, one = of_group(state, name)
        try:
            picks = part.picks(theta.detach(), segments, one)
        except Exception as error:
            raised = f"{self.component} declares selects, and its `picks` raises {error_line(error)}{text}."
            raise NotConformingError(raised) from error
        try:
            return ReturnCheck(part, "picks", "relaxation").picks(picks, segments, name)
        except PluginError as error:
            wrong = error.problems[0].text.rstrip(".")
            raise NotConformingError(f"{self.component}: {wrong}{text}.") from error


EXTREME = (0.0, 1e4)
DRAWS = 8


class RelaxationConformance(RelaxationDeclared, RelaxationOptional):
    """The checks of a relaxation: it weights live entries, differentiably and without a memory of calls."""

    slot: ClassVar[str] = "relaxation"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Return the initial theta, and a drawn and an expected mixture of a random theta, by group."""
        groups, given = alike(), {}
        theta = scattered(groups, seed, size=2.0)
        drawing = generator(seed)
        for name, one in groups.items():
            given[f"start value of {name}"] = part.initial(one, drawing)
        for name, state in states(part, groups, theta):
            handed = of_group(state, name)
            given[f"mixture of {name}"] = part.mixture(*handed, generator=drawing).weights
            given[f"expected mixture of {name}"] = part.expected(*handed)
        return {name: value.detach() for name, value in given.items()}

    def test_starts_theta(self) -> None:
        """It gives a start value of theta for each entry, in the default type, finite and without a graph."""
        for name, one in unlike().items():
            theta = self.made().initial(one, generator(0))
            shape = (len(one.rows), len(one.ops))
            self.hold(
                tuple(theta.shape) == shape, f"starts theta with the shape {tuple(theta.shape)}, not {shape}"
            )
            self.hold(theta.dtype == torch.get_default_dtype(), f"starts theta as {theta.dtype}")
            self.hold(not theta.requires_grad, "starts theta with a graph")
            self.hold(torch.isfinite(theta).all(), f"starts theta with a number that is not finite ({name})")

    def test_gives_no_weight_to_what_is_out(self) -> None:
        """Entries that are masked or dead have weight zero, drawn and expected."""
        part, dead = self.made(), {"masked": [(0, 0), (1, 1)]}
        for name, state in states(part, masked(), scattered(masked(), 0, size=2.0), dead=dead):
            for kind, weights in mixtures(part, state, name):
                leaks = bool((weights[~offered_and_alive(state, name)] != 0).any())
                self.hold(not leaks, f"gives weight to entries that are masked or dead ({kind} mixture)")

    def test_fits_groups_of_every_size(self) -> None:
        """It serves a group of any size, with a mask, and competition of an edge or of a node."""
        part = self.made()
        for name, state in states(part, unlike(), scattered(unlike(), 1)):
            shape = state.theta[name].shape
            for kind, weights in mixtures(part, state, name):
                self.hold(
                    weights.shape == shape, f"gives the {kind} mixture {tuple(weights.shape)}, not [E, O]"
                )
                self.hold(
                    torch.isfinite(weights).all(), f"gives a {kind} mixture that is not finite ({name})"
                )
                competing = state.segments(name)
                counts = [float(weights[competing == one].abs().sum()) for one in leaders(weights, competing)]
                self.hold(min(counts) > 0, f"gives a segment no weight at all ({kind} mixture, group {name})")

    def test_a_gradient_reaches_theta(self) -> None:
        """The gradient of the mixture, drawn and expected, reaches theta and is finite."""
        part = self.made()
        for name, state in states(part, alike(), scattered(alike(), 2)):
            theta, slope = state.theta[name], scattered(alike(), 3)[name]
            drawn = part.mixture(*of_group(state, name), generator=generator(0)).weights
            for kind, weights in (("drawn", drawn), ("expected", part.expected(*of_group(state, name)))):
                text = f"gives a {kind} mixture without a gradient to theta"
                self.hold(weights.requires_grad, text)
                (found,) = torch.autograd.grad((weights * slope).sum(), theta)
                self.hold(torch.isfinite(found).all(), f"gives theta a gradient that is not finite ({kind})")
                self.hold((found != 0).any(), text)

    def test_keeps_no_state(self) -> None:
        """It keeps nothing from call to call, and changes neither theta nor the segments."""
        part, fresh = self.made(), self.made()
        for name, state in states(part, alike(), scattered(alike(), 4)):
            theta, segments = state.theta[name], state.segments(name)
            before = (theta.detach().clone(), segments.clone())
            for other_name, apart in states(part, masked(), scattered(masked(), 4)):
                list(mixtures(part, apart, other_name))
            for seed in range(DRAWS):
                # Of other sign and size: what remembers the largest or the sign alone shows too.
                other = varying({name: state.groups[name]}, 4, seed)[name]
                part.mixture(other, segments, state.groups[name], generator=generator(seed))
                part.expected(other, segments, state.groups[name])
            with seeded():
                used = dict(mixtures(part, state, name))
            with seeded():
                new = dict(mixtures(fresh, state, name))
            self.hold(
                all(same(used[kind], new[kind]) for kind in new), "gives a different mixture once it was used"
            )
            unchanged = same(theta.detach(), before[0]) and same(segments, before[1])
            self.hold(unchanged, "changes theta or the segments that it is handed")

    def test_runs_what_has_weight(self) -> None:
        """Its `runs` has no dead entry and every entry with weight; all live ones, unless it is `sparse`."""
        part, narrows = self.made(), False
        for name, state in states(part, alike(), scattered(alike(), 5)):
            for seed in range(DRAWS):
                drawn = part.mixture(*of_group(state, name), generator=generator(seed))
                if drawn.runs is None:
                    continue
                runs, alive = drawn.runs, offered_and_alive(state, name)
                self.hold(
                    runs.dtype == torch.bool and runs.shape == alive.shape,
                    "says what runs otherwise than [E, O] bool",
                )
                self.hold(not (runs & ~alive).any(), "wants to run entries that are not alive")
                self.hold(
                    not ((drawn.weights != 0) & ~runs).any(), "gives weight to entries that it does not run"
                )
                narrows = narrows or bool((alive & ~runs).any())
        self.hold(self.provides("sparse") or not narrows, "leaves entries unrun, and does not declare sparse")

    def test_stays_finite(self) -> None:
        """The mixture and its gradient are finite wherever theta has gone, and where all of it is equal."""
        part = self.made()
        for size in EXTREME:
            for name, state in states(part, alike(), scattered(alike(), 6, size=size)):
                theta = state.theta[name]
                weights = part.mixture(*of_group(state, name), generator=generator(0)).weights
                # Without a gradient there is another check.
                found = weights
                if weights.requires_grad:
                    (found,) = torch.autograd.grad((weights * scattered(alike(), 3)[name]).sum(), theta)
                finite = torch.isfinite(weights).all() and torch.isfinite(found).all()
                self.hold(finite, f"is not finite where theta is as large as {size:g}")

    def test_sums_to_one_if_it_says_so(self) -> None:
        """Its weights sum to 1, with `none` or without, none below 0: if it is `normalized`, only then."""
        part, worst, negative = self.made(), 0.0, False
        dead = {"first": [(0, 1)]}
        for name, state in states(part, alike(), scattered(alike(), 7, size=2.0), dead=dead):
            # Summed with what is dead: that this has no weight is another check.
            whole = state_of({name: state.groups[name]}).segments(name)
            for _kind, weights in mixtures(part, state, name, draws=DRAWS):
                negative = negative or bool((weights < 0).any())
                worst = max(worst, shortfall(weights, whole, state.groups[name].ops))
        signed = negative and self.provides("non-negative")
        self.hold(not signed, "declares non-negative, and gives negative weights")
        declared = self.provides("normalized")
        self.hold(not (declared and negative), "declares normalized, and gives negative weights")
        self.hold(
            not declared or worst < CLOSE,
            f"declares normalized, and its weights sum to 1 only up to {worst:.2g}",
        )
        undeclared = not declared and not negative and worst < CLOSE
        self.hold(not undeclared, "gives weights that sum to 1, and does not declare normalized")

    def test_finds_what_is_useful(self) -> None:
        """A search with it keeps the useful candidate of each place, among noise.

        If it draws, each place has a skip around it: a wrong draw must not hide the images from the others.
        """
        names = {"relaxation": self.component, "updater": self._updater()}
        for seed in SEEDS:
            found = planted(self.found(), names, seed, sets=self.typed())
            lost, places = found.lost(), len(found.shares)
            kept = ", ".join(f"{found.kept.get(place, 'nothing')} in {place}" for place in lost)
            text = (
                f"finds {places - len(lost)} of {places} useful operations in the planted search (updater "
                f"{names['updater']}, form {found.form}, seed {seed}, {EPOCHS[found.form]} epochs): "
                f"it keeps {kept}, and not {USEFUL}"
            )
            if found.form == "residual":
                text += "; a relaxation that draws may fail by chance, so try more seeds and other updaters"
            self.hold(not lost, text)

    def _updater(self) -> str:
        """Return the updater that it wishes for, if that is installed; else gradient descent."""
        wishes = self.declared().wished("updater", "mini")
        wished = [wish if isinstance(wish, str) else wish[0] for wish in wishes]
        return next((name for name in wished if self.found().get("updater", name) is not None), "sgd")
