"""The sentences with which checks of the kit fail."""

from __future__ import annotations

import pytest
import torch

import nascore.builtin
from nascore.api import Component, NoSettings, hookimpl
from nascore.description import Op
from nascore.plugin import Registry
from nascore.testing import NotConformingError, RegularizerConformance, RelaxationConformance
from nascore.testing import relaxation as relaxation_checks
from nascore.testing.planted import PlantedResult


class OfKnownOperations:
    """A penalty on an operation that the groups of the kit do not have."""

    def __init__(self, settings):
        del settings

    def start(self, state, horizon, costs):
        del state, horizon, costs

    def penalty(self, state, drawn, expected, progress):
        del drawn, progress
        columns = {
            name: [float(op.name == "conv_3x3") for op in group.ops] for name, group in state.groups.items()
        }
        costs = [(weights * torch.tensor(columns[name])).sum() for name, weights in expected.items()]
        return torch.stack(costs).sum()


class Penalties:
    @hookimpl
    def nascore_regularizers(self):
        yield Component(
            name="known",
            slot="regularizer",
            summary="Penalises conv_3x3.",
            config=NoSettings,
            build=OfKnownOperations,
        )


REGISTRY = Registry.of(builtin=nascore.builtin, penalties=Penalties())


def test_a_penalty_without_a_gradient_is_told_the_operations_of_the_examined_groups():
    checked = type("Checked", (RegularizerConformance,), {"component": "known", "registry": REGISTRY})

    with pytest.raises(NotConformingError, match="in groups with the operations none, op1, op2; if it acts"):
        checked().test_has_a_gradient()


@pytest.mark.parametrize(("form", "epochs"), [("chain", 10), ("residual", 16)])
def test_a_planted_search_that_fails_tells_how_it_was_made(form, epochs, monkeypatch):
    shares = {"layer0": 1.0, "layer1": 3.0, "layer2": 1.0}
    kept = {"layer0": Op("noise"), "layer1": Op("conv_3x3")}
    result = PlantedResult(seed=0, form=form, shares=shares, kept=kept)
    monkeypatch.setattr(relaxation_checks, "planted", lambda *_, **__: result)
    checked = type("Checked", (RelaxationConformance,), {"component": "softmax", "registry": REGISTRY})

    with pytest.raises(NotConformingError) as caught:
        checked().test_finds_what_is_useful()

    text = str(caught.value)
    assert text.startswith(
        f"softmax finds 1 of 3 useful operations in the planted search (updater sgd, form {form}, seed 0, "
        f"{epochs} epochs): it keeps noise in layer0, nothing in layer2, and not conv_3x3"
    )
    assert ("may fail by chance" in text) == (form == "residual")
