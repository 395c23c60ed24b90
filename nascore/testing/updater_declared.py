"""What an updater declares, against what it does: the fit check relies on it."""

from __future__ import annotations

from nascore.errors import said
from nascore.testing.choices import alike, scattered
from nascore.testing.part import PartConformance
from nascore.testing.trial import UPDATES, begun

HORIZON = "run.horizon"
SAMPLES = "trainer.sample-gradients"


class UpdaterDeclared(PartConformance):
    """Checks that each capability which it declares is there, and none that it uses is missing."""

    def test_follows_what_it_declares(self) -> None:
        """It declares `learns` if it follows a gradient, and `mixture-gradient` if that is the mixture's."""
        updater = self.made()
        known = updater.gradient in (None, "theta", "mixture") and updater.granularity in ("batch", "sample")
        self.hold(
            known,
            f"has the gradient {updater.gradient!r} per {updater.granularity!r}, which no trainer gives",
        )
        follows = updater.gradient is not None
        self._agree("learns", uses=follows, how=f"its gradient is {updater.gradient!r}")
        mixture = updater.gradient == "mixture"
        self._agree("mixture-gradient", uses=mixture, how=f"its gradient is {updater.gradient!r}")

    def test_needs_sample_gradients_if_it_says_so(self) -> None:
        """It needs `trainer.sample-gradients` if it wants the gradient of each image, and only then."""
        samples = self.made().granularity == "sample"
        declared = self.needs(SAMPLES)
        text = f"wants the gradient of each image, and does not declare the need {SAMPLES}"
        self.hold(declared or not samples, text)
        self.hold(
            samples or not declared, f"declares the need {SAMPLES}, and wants no gradient of each image"
        )

    def test_needs_a_horizon_if_it_says_so(self) -> None:
        """It works without knowing how many updates there will be, or needs `run.horizon`."""
        if self.needs(HORIZON):
            return
        groups = alike()
        try:
            trial = begun(self.made(), groups, updates=None)
            trial.steps(scattered(groups, 0), UPDATES)
            trial.strength()
        except Exception as error:  # noqa: BLE001 - whatever it trips over
            text = (
                f"has to know how many updates there will be ({said(error)}), and declares no need {HORIZON}"
            )
            self.hold(holds=False, text=text)

    def test_is_sparse_if_it_says_so(self) -> None:
        """It takes entries out on the way to its horizon if it declares `sparse`, and only then."""
        groups = alike()
        trial = begun(self.made(), groups)
        before = {name: alive.clone() for name, alive in trial.state.alive.items()}
        trial.steps(scattered(groups, 8), UPDATES)
        narrowed = any(not alive.equal(before[name]) for name, alive in trial.state.alive.items())
        how = "it takes entries out" if narrowed else "it takes nothing out"
        self._agree("sparse", uses=narrowed, how=how)

    def _agree(self, capability: str, *, uses: bool, how: str) -> None:
        declared = self.provides(capability)
        self.hold(declared or not uses, f"does not declare {capability}, though {how}")
        self.hold(uses or not declared, f"declares {capability}, though {how}")
