"""The checks of updaters, for any space and relaxation."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from attrs import define, evolve, field

from nascore.errors import PluginError, error_line
from nascore.nn import segment_softmax
from nascore.testing.choices import alike, leaders, masked, scattered, state_of, unlike
from nascore.testing.conformance import NotExaminedError
from nascore.testing.harness import describe_value, searching
from nascore.testing.part import PartConformance, same, seeded
from nascore.testing.planted import MARGIN, SEEDS, planted
from nascore.testing.trial import SAMPLES, UPDATES, begun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import Gradients
    from nascore.description import ChoiceGroup
    from nascore.nn import ArchitectureState
    from nascore.testing.trial import Trial


HORIZON = "run.horizon"
SAMPLE_GRADIENTS = "trainer.sample-gradients"


class UpdaterDeclared(PartConformance):
    """Checks that it declares exactly the capabilities that it has."""

    def test_follows_what_it_declares(self) -> None:
        """It declares `learns` if it follows a gradient, `mixture-gradient` if it follows the mixture's."""
        updater = self.made()
        known = updater.gradient in (None, "theta", "mixture") and updater.granularity in ("batch", "sample")
        self.hold(
            known,
            f"asks for the gradient {updater.gradient!r} per {updater.granularity!r}, which no trainer gives",
        )
        follows = updater.gradient is not None
        self._agree("learns", uses=follows, how=f"its gradient is {updater.gradient!r}")
        mixture = updater.gradient == "mixture"
        self._agree("mixture-gradient", uses=mixture, how=f"its gradient is {updater.gradient!r}")

    def test_needs_sample_gradients_if_it_says_so(self) -> None:
        """It needs `trainer.sample-gradients` exactly if it asks for the gradient of each image."""
        samples = self.made().granularity == "sample"
        declared = self.needs(SAMPLE_GRADIENTS)
        text = f"asks for the gradient of each image, but does not declare the need {SAMPLE_GRADIENTS}"
        self.hold(declared or not samples, text)
        self.hold(
            samples or not declared,
            f"declares the need {SAMPLE_GRADIENTS}, but does not ask for the gradient of each image",
        )

    def test_needs_a_horizon_if_it_says_so(self) -> None:
        """It works without knowing the number of updates, or needs `run.horizon`."""
        if self.needs(HORIZON):
            return
        groups = alike()
        try:
            trial = begun(self.made(), groups, updates=None)
            trial.steps(scattered(groups, 0), UPDATES)
            trial.strength()
        except Exception as error:  # noqa: BLE001 - any exception shows that it needs the number
            text = f"needs the number of updates ({error_line(error)})"
            text = f"{text}, but does not declare the need {HORIZON}"
            self.hold(holds=False, text=text)

    def test_is_sparse_if_it_says_so(self) -> None:
        """It removes entries before its horizon exactly if it declares `sparse`."""
        groups = alike()
        trial = begun(self.made(), groups)
        before = {name: alive.clone() for name, alive in trial.state.alive.items()}
        trial.steps(scattered(groups, 8), UPDATES)
        narrowed = any(not alive.equal(before[name]) for name, alive in trial.state.alive.items())
        how = "it removes entries" if narrowed else "it removes no entries"
        self._agree("sparse", uses=narrowed, how=how)

    def _agree(self, capability: str, *, uses: bool, how: str) -> None:
        declared = self.provides(capability)
        self.hold(declared or not uses, f"does not declare {capability}, although {how}")
        self.hold(uses or not declared, f"declares {capability}, although {how}")


ORDER = (2, 0, 1)
CLOSE = 1e-4


class UpdaterLearning(PartConformance):
    """Checks of learning; an updater that follows no gradient must choose at random."""

    def test_moves_downhill(self) -> None:
        """On a linear loss the entry with the lowest slope gets the largest theta of its segment."""
        self._learning()
        for seed in (10, 11):
            trial, slopes = self._linear(seed)
            for name, theta in trial.theta().items():
                segments = trial.state.segments(name)
                top, flat = leaders(theta, segments), theta.flatten()
                best, worst = leaders(-slopes[name], segments), leaders(slopes[name], segments)
                # Others may be as large: a rule that follows only signs changes them alike, up to rounding.
                raised = all(
                    place == worst[one]
                    or flat[top[one]] - flat[place] < CLOSE * (flat[place] - flat[worst[one]])
                    for one, place in best.items()
                )
                self.hold(raised, f"does not raise the entry that lowers the loss most (group {name})")

    def test_heeds_penalties(self) -> None:
        """It follows the gradient of penalties, which updaters of the mixture's gradient get separately."""
        if self.made().gradient != "mixture":
            raise NotExaminedError("it gets no separate gradient of penalties")
        groups = alike()
        slopes = scattered(groups, 12)
        still = {name: torch.zeros_like(slope) for name, slope in slopes.items()}
        trial = begun(self.made(), groups)
        for _ in range(UPDATES // 2):
            trial.updater.step(trial.state, trial.gradients(still, slopes))
        for name, theta in trial.theta().items():
            segments = trial.state.segments(name)
            heeds = leaders(theta, segments) == leaders(-slopes[name], segments)
            self.hold(heeds, f"does not reduce the penalty whose gradient it gets (group {name})")

    def test_its_strength_follows_theta(self) -> None:
        """Its strength ranks the entries of a segment like the mixture; without learning, at random."""
        if not self._learns():
            self._ranks_at_random()
            return
        for seed in (13, 14):
            trial, _slopes = self._linear(seed)
            strength, expected = trial.strength(), trial.expected()
            for name in strength:
                segments = trial.state.segments(name)
                follows = leaders(strength[name], segments) == leaders(expected[name], segments)
                self.hold(follows, f"returns a strength that ignores theta (group {name})")

    def test_the_order_of_candidates_means_nothing(self) -> None:
        """The order of the candidates does not change what it learns."""
        self._learning()
        groups = alike()
        other = {
            name: evolve(one, ops=tuple(one.ops[column] for column in ORDER)) for name, one in groups.items()
        }
        slopes = scattered(groups, 15)
        first, second = begun(self.made(), groups), begun(self.made(), other)
        first.steps(slopes, UPDATES)
        second.steps({name: slope[:, ORDER] for name, slope in slopes.items()}, UPDATES)
        for name, theta in first.theta().items():
            close = _close(theta[:, ORDER], second.theta()[name])
            self.hold(close, f"learns something else if the candidates are reordered (group {name})")

    def test_finds_what_is_useful(self) -> None:
        """If one candidate is useful and the others are noise, that one gets twice the mean weight."""
        self._learning()
        for seed in SEEDS:
            found = planted(self.found(), {"updater": self.component}, seed, sets=self.typed())
            shares = ", ".join(f"{share:.2f}" for share in found.shares.values())
            text = (
                f"weighs the useful candidates {shares} times the mean weight, and not at least {MARGIN:g} "
                f"times (seed {seed})"
            )
            self.hold(not found.missed(), text)

    def _learning(self) -> None:
        if not self._learns():
            raise NotExaminedError("it follows no gradient")

    def _learns(self) -> bool:
        return self.made().gradient is not None

    def _linear(self, seed: int) -> tuple[Trial, dict[str, Tensor]]:
        groups = alike()
        trial, slopes = begun(self.made(), groups), scattered(groups, seed)
        trial.steps(slopes, UPDATES)
        return trial, slopes

    def _ranks_at_random(self) -> None:
        strengths = [begun(self.made(), alike(), seed=seed).strength() for seed in range(4)]
        for name in strengths[0]:
            places = {tuple(one[name].argmax(dim=1).tolist()) for one in strengths}
            self.hold(len(places) > 1, f"learns nothing, but ranks the same with every seed (group {name})")


def _close(one: Tensor, other: Tensor) -> bool:
    return bool(torch.allclose(one, other, rtol=CLOSE, atol=CLOSE))


STEPS = 3
"""Number of steps of a real search that are examined."""

SMALL = ("trainer.epochs=1", "trainer.warm_up=0", f"trainer.batch={SAMPLES}")


class UpdaterMoves(PartConformance):
    """Checks of the tensors that an updater changes."""

    def test_moves_theta_in_place(self) -> None:
        """It changes theta in place and never replaces the tensor; without learning it does not change it."""
        groups = alike()
        trial = begun(self.made(), groups)
        before, start = dict(trial.state.theta), trial.theta()
        places = {name: value.data_ptr() for name, value in before.items()}
        for _ in range(STEPS):
            given = trial.step(scattered(groups, 0))
            self.hold(given is None, f"returns {describe_value(given)} from step(), which has to return None")
        for name, theta in trial.state.theta.items():
            rebound = theta is not before[name] or theta.data_ptr() != places[name]
            self.hold(not rebound, f"replaces the tensor theta instead of changing it (group {name})")
            self.hold(
                theta.requires_grad and theta.is_leaf, "leaves a theta that can no longer get a gradient"
            )
            stays = same(theta.detach(), start[name])
            if trial.updater.gradient is None:
                self.hold(stays, "follows no gradient, but changes theta")
            else:
                self.hold(not stays, f"does not change theta (group {name})")

    def test_touches_nothing_else(self) -> None:
        """It changes no weight of the network, no gradient that it gets, and no choice group."""
        names = {"space": "tiny", "updater": self.component}
        with searching(self.found(), names, sets=(*SMALL, *self.typed())) as found:
            watched = WatchedUpdater(updater=found.search.updater, network=found.phase.network)
            found.search.updater = watched
            groups = dict(found.search.state.groups)
            found.trainer.start(found.phase)
            # Other checks examine wrong return values, which the engine refuses.
            with suppress(PluginError):
                for _ in range(STEPS):
                    found.trainer.step()
            touched = [*watched.touched]
            if groups != found.search.state.groups:
                touched.append("the choice groups")
        self.hold(not touched, f"changes what it must not change: {', '.join(dict.fromkeys(touched))}")

    def test_leaves_masked_and_dead_entries_alone(self) -> None:
        """It never changes masked or dead entries, whatever their gradient or momentum."""
        groups = masked()
        trial = begun(self.made(), groups, state=state_of(groups, dead={"masked": [(1, 1)]}))
        slopes = scattered(groups, 5)
        trial.steps(slopes, STEPS)
        theta = trial.state.theta["masked"].detach()
        self.hold((theta[~trial.state.alive["masked"]] == 0).all(), "changes entries that are masked or dead")
        # Now an entry that has a momentum.
        trial.state.alive["masked"][1, 0] = False
        before, out = theta.clone(), ~trial.state.alive["masked"]
        trial.steps(slopes, STEPS)
        self.hold(same(theta[out], before[out]), "changes entries that died, by their momentum")

    def test_never_revives(self) -> None:
        """It removes entries and never restores them, and leaves as many in each segment as must survive."""
        groups = groups_that_keep_differently()
        state = state_of(groups, dead={"first": [(1, 1)]})
        before = {name: alive.clone() for name, alive in state.alive.items()}
        trial, slopes = begun(self.made(), groups, state=state), scattered(groups, 6)
        for _ in range(UPDATES):
            trial.step(slopes)
            for name, alive in trial.state.alive.items():
                self.hold(not (alive & ~before[name]).any(), f"revives dead entries (group {name})")
            before = trial.alive()
        for name, one in groups.items():
            left = trial.state.segments(name)
            for segment in range(1 + int(torch.tensor(one.segments).max())):
                count = int((left == segment).sum())
                text = f"leaves {count} entries in a segment of which {one.keep} must survive"
                self.hold(count >= one.keep, text)

    def test_fits_groups_of_every_size(self) -> None:
        """It handles groups of different sizes together, and ranks each as if it were alone."""
        groups = unlike()
        slopes = scattered(groups, 7)
        together = dict(self._ranks(groups, slopes))
        for name, one in groups.items():
            alone = dict(self._ranks({name: one}, {name: slopes[name]}))
            text = f"ranks a group differently if there are groups of other sizes (group {name})"
            self.hold(together[name] == alone[name], text)

    def _ranks(
        self, groups: Mapping[str, ChoiceGroup], slopes: Mapping[str, Tensor]
    ) -> Iterator[tuple[str, list[int]]]:
        trial = begun(self.made(), groups)
        trial.steps(slopes, STEPS)
        for name, theta in trial.theta().items():
            self.hold(
                torch.isfinite(theta).all(), f"makes theta infinite in groups of different sizes ({name})"
            )
            segments = trial.state.segments(name)
            mixture = segment_softmax(theta, segments)
            yield name, list(leaders(mixture, segments).values())


def groups_that_keep_differently() -> dict[str, ChoiceGroup]:
    """Return two groups of the same size; in the second, two entries of a segment must survive."""
    groups = alike()
    return {**groups, "second": evolve(groups["second"], keep=2)}


@define(kw_only=True)
class WatchedUpdater:
    """A wrapper around the updater of a search that records forbidden changes."""

    updater: Any
    network: Module
    touched: list[str] = field(factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the updater has
        """Return the attribute of the updater."""
        return getattr(self.updater, name)

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Make a step, and record forbidden changes; another check examines the return value."""
        weights = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        handed = {kind: value.clone() for kind, value in _tensors(gradients)}
        self.updater.step(state, gradients)
        now = self.network.state_dict()
        changed = [name for name, value in weights.items() if not same(value, now[name])]
        self.touched += [f"the weights {name}" for name in changed[:1]]
        self.touched += [kind for kind, value in _tensors(gradients) if not same(value, handed[kind])]


def _tensors(gradients: Gradients) -> Iterator[tuple[str, Tensor]]:
    for kind in ("theta", "mixture", "penalty"):
        for name, value in (getattr(gradients, kind) or {}).items():
            yield f"the gradient of {kind} ({name})", value


HUGE = 1e6
MIDDLE = 3


class UpdaterConformance(UpdaterMoves, UpdaterDeclared, UpdaterLearning):
    """The checks of an updater: it changes theta by its gradient, and nothing else, and can be resumed."""

    slot: ClassVar[str] = "updater"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Run the updater to its horizon on two groups, and load its own state."""
        groups = alike()
        trial = begun(part, groups, seed=seed)
        trial.steps(scattered(groups, seed), UPDATES)
        part.load_state_dict(part.state_dict())
        return trial.outcome()

    def test_resumes_in_mid_run(self) -> None:
        """It continues bit-equally from its `state_dict`, which contains plain values and tensors."""
        with seeded():
            first = begun(self.made(), alike(), seed=1)
            first.varied(1, range(MIDDLE))
        saved, choices = first.updater.state_dict(), first.state.state_dict()
        kept = self._bytes(saved)
        with seeded(1):
            first.varied(1, range(MIDDLE, UPDATES))
        self.hold(
            self._bytes(saved) == kept, "changes the result of an earlier `state_dict()` in later steps"
        )
        with seeded(2):
            # Another seed: the state has to restore what `start` drew.
            second = begun(self.made(), alike(), seed=9)
            second.state.load_state_dict(choices)
            second.updater.load_state_dict(torch.load(io.BytesIO(kept), weights_only=True))
        with seeded(1):
            second.varied(1, range(MIDDLE, UPDATES))
        one, other = first.outcome(), second.outcome()
        different = [name for name in one if not same(one[name], other[name])]
        self.hold(not different, f"continues differently after its state was loaded: {', '.join(different)}")

    def test_its_strength_can_rank(self) -> None:
        """Its strength is finite, zero for entries that are masked or dead, and above zero for live ones."""
        groups = masked()
        trial = begun(self.made(), groups, state=state_of(groups, dead={"masked": [(1, 1)]}))
        trial.steps(scattered(groups, 2), MIDDLE)
        given = trial.strength()
        self.hold(given.keys() == groups.keys(), "does not return a strength for exactly the choice groups")
        value, alive = given["masked"], trial.state.alive["masked"]
        self.hold(value.shape == alive.shape, f"returns a strength of shape {tuple(value.shape)}, not [E, O]")
        self.hold(torch.isfinite(value).all(), "returns a strength that is not finite")
        self.hold((value >= 0).all(), "returns a negative strength")
        self.hold((value[~alive] == 0).all(), "returns a strength above 0 for masked or dead entries")
        self.hold((value[alive] > 0).all(), "returns the strength 0 for a live entry, which would remove it")
        if not self.needs("relaxation.normalized"):
            signed = {name: -value for name, value in trial.expected().items()}
            sizes = trial.updater.strength(trial.state, signed)["masked"]
            self.hold(
                (sizes >= 0).all(), "returns a negative strength for negative weights (relaxation linear)"
            )

    def test_stays_finite(self) -> None:
        """Theta and strength stay finite under huge, tiny and zero gradients."""
        groups = alike()
        for size in (HUGE, 1 / HUGE, 0.0):
            trial = begun(self.made(), groups)
            trial.steps(scattered(groups, 4, size=size), UPDATES)
            strange = [name for name, value in trial.outcome().items() if not torch.isfinite(value).all()]
            text = f"has values that are not finite after gradients of size {size:g}: {', '.join(strange)}"
            self.hold(not strange, text)

    def _bytes(self, saved: Mapping[str, Any]) -> bytes:
        buffer = io.BytesIO()
        torch.save(saved, buffer)
        try:
            torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
        except Exception as error:  # noqa: BLE001 - unpickling raises many types
            self.hold(holds=False, text=f"has objects in its state that cannot be loaded safely: {error}")
        return buffer.getvalue()
