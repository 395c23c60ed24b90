"""Plugins that are broken on purpose in one place, and what packages them, for `nascore check-plugin`."""

from __future__ import annotations

MOVER = '''
"""Descent that also moves what is masked."""

from nascore.api import Component, hookimpl


class Mover:
    gradient = "theta"
    granularity = "batch"

    def __init__(self, settings):
        pass

    def start(self, state, horizon, generator):
        pass

    def step(self, state, gradients):
        for name, slope in gradients.theta.items():
            state.theta[name].detach().sub_(0.5 * slope)

    def strength(self, state, expected):
        return {name: weights.abs() * state.alive[name] for name, weights in expected.items()}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


@hookimpl
def nascore_updaters():
    yield Component(
        name="mover", slot="updater", summary="Moves everything.", build=Mover, provides=("learns",)
    )
'''

DRAWER = '''
"""A softmax that draws, and says that it does not."""

from nascore.api import Component, hookimpl


class Drawer:
    segment = None

    def __init__(self, settings):
        pass

    def initial(self, group, generator):
        import torch

        return torch.zeros(len(group.rows), len(group.ops))

    def mixture(self, theta, segments, group, *, generator):
        import torch

        from nascore.api import Sampled

        noise = torch.randn(theta.shape, generator=generator) / 4
        return Sampled(weights=self.expected(theta + noise, segments, group))

    def expected(self, theta, segments, group):
        from nascore.nn import segment_softmax

        return segment_softmax(theta, segments)


@hookimpl
def nascore_relaxations():
    yield Component(
        name="drawer",
        slot="relaxation",
        summary="Softmax with noise.",
        build=Drawer,
        provides=("normalized", "deterministic"),
    )
'''

SETTINGS = '''
"""Settings of the penalty."""

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class Settings:
    weight: float = setting(0.1, "Weight of the penalty.", ge=0)
'''

OFFSET_HOOKS = '''
"""A penalty that is there even at weight zero."""

from nascore.api import Component, hookimpl

from .settings import Settings


@hookimpl
def nascore_regularizers():
    yield Component(
        name="offset",
        slot="regularizer",
        summary="The squared mixture.",
        config=Settings,
        build="nascore_offset.penalty:Offset",
    )
'''

OFFSET = '''
"""The class, apart from the hooks: these load without torch."""

import torch


class Offset:
    def __init__(self, settings):
        self.settings = settings

    def start(self, state, horizon, costs):
        pass

    def penalty(self, state, drawn, expected, progress):
        squares = torch.stack([weights.square().sum() for _, weights in sorted(expected.items())]).sum()
        return (self.settings.weight or 0.1) * squares  # 0 is taken for nothing said
'''

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "nascore-NAME"
version = "1.0"
description = "A plugin that is broken in one place."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["nascore>=0.1,<0.2"]

[project.entry-points.nascore]
nascore-NAME = "nascore_NAME"
"""
