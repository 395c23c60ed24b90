"""A made-up set of parts, in which the wishes of the planned plugins meet each other."""

# ruff: noqa: RUF009 - setting(...) declares a field

from pathlib import Path
from types import SimpleNamespace
from typing import Literal

from attrs import frozen

from nascore.component import Component, Give, Need, Preset, hookimpl
from nascore.config import Count, setting
from nascore.errors import Problem
from nascore.plugin import Registry
from nascore.recipe import SEARCH_RUN, Request, resolve
from nascore.slots import SLOTS

TABLE = SLOTS


@frozen(kw_only=True)
class SpaceSettings:
    channels: int = setting(16, "width", ge=1)


@frozen(kw_only=True)
class FileSettings:
    path: Path | None = setting(None, "file")


@frozen(kw_only=True)
class AdamSettings:
    lr: float = setting(3e-4, "step size", gt=0)
    weight_decay: float = setting(1e-3, "penalty", ge=0)


@frozen(kw_only=True)
class XnasSettings:
    eta: float = setting(0.1, "step size", gt=0, le=10)
    clip: float = setting(1.0, "bound", gt=0)


@frozen(kw_only=True)
class TrainerSettings:
    estimate: Literal["first", "unrolled", "single-level"] = setting("first", "gradient")
    sequence: Literal["architecture-first", "weights-first"] = setting("architecture-first", "order")
    epochs: int = setting(50, "passes", ge=1)
    batch: int = setting(64, "examples", ge=1)


@frozen(kw_only=True)
class EgsSettings:
    draws: int = setting(4, "draws", ge=1)


@frozen(kw_only=True)
class L1Settings:
    weight: float = setting(0.001, "weight", ge=0)
    target: Literal["theta", "code"] = setting("theta", "of what")


@frozen(kw_only=True)
class CostSettings:
    of: Literal["macs", "params"] = setting("params", "what")
    target: Count | None = setting(None, "how many", gt=0)


def part(name, slot, config=None, **more):
    more |= {} if config is None else {"config": config}
    return Component(name=name, slot=slot, summary=f"{name}.", build="sample:Nothing", **more)


def even_batch(settings, recipe):
    if settings.batch % 2 and recipe.names("dataset"):
        yield Problem(path="trainer.batch", text="is odd.")


NORMALIZED = Need(terms=("relaxation.normalized",), why="its rewards need a distribution")
FOLLOWS_THETA = Need(
    terms=("not updater.mixture-gradient",),
    why="a mixture's L1 is constant",
    ask="an updater that follows the gradient of theta",
)
SELECTS = Need(terms=("relaxation.selects",), why="else it is plain Adam", verdict="warned")

PARTS = (
    part("darts", "space", SpaceSettings, mini={"channels": 4}),
    part("nb201", "space", provides=("fixed",)),
    part("file", "space", FileSettings, argument="path"),
    part("darts", "updater", AdamSettings, mini={"lr": 0.1}, provides=("learns",)),
    part("uniform", "updater"),
    part(
        "xnas",
        "updater",
        XnasSettings,
        provides=("learns", "mixture-gradient"),
        needs=(NORMALIZED, Need(terms=("run.horizon",), why="its wipe-out counts down")),
        wishes={
            "trainer": ("alternating", {"estimate": "first", "sequence": "weights-first"}),
            "relaxation": "softmax",
        },
    ),
    part(
        "data",
        "updater",
        AdamSettings,
        needs=(SELECTS,),
        wishes={
            "relaxation": ["egs", ("egs", {"draws": 1})],
            "regularizer": ("l1", {"target": "code", "weight": 0.1}),
        },
    ),
    part(
        "petridish",
        "growth",
        provides=("shadows",),
        needs=(Need(terms=("not space.fixed",), why="it changes the space"),),
        wishes={
            "updater": "uniform",
            "relaxation": "linear",
            "regularizer": "l1",
            "trainer": ("alternating", {"estimate": "single-level"}),
        },
    ),
    part("none", "growth"),
    part("alternating", "trainer", TrainerSettings, mini={"epochs": 4, "batch": 32}, check=even_batch),
    part("softmax", "relaxation", provides=("normalized", "deterministic")),
    part("linear", "relaxation", provides=("deterministic",)),
    part(
        "egs",
        "relaxation",
        EgsSettings,
        argument="draws",
        provides=("normalized", "selects"),
        needs=(Need(terms=("not space.fixed",), why="draws stand together", when=lambda own: own.draws > 1),),
    ),
    part("l1", "regularizer", L1Settings, needs=(FOLLOWS_THETA,)),
    part(
        "cost",
        "regularizer",
        CostSettings,
        provides=(Give(capability="learns", when=lambda own: own.target),),
    ),
    part("entropy", "regularizer"),
    part("digits", "dataset"),
    part("serial", "executor"),
    part("classification", "task", provides=("one-class", "smooths", "mixes")),
    part("images", "dataset"),
)

CORE = SEARCH_RUN

PRESET = """\
nascore: 1
space: {name: darts, channels: 16}
updater: {name: darts, lr: 3e-4}
trainer: {name: alternating, epochs: 50, batch: 64}
training: {epochs: 600}
"""


def hooks(parts):
    """An object with one hook for each slot that the parts fill."""
    found = {}
    for slot in TABLE:
        mine = [item for item in parts if item.slot == slot.name]
        if mine:
            found[slot.hook] = hookimpl(lambda mine=mine: mine)
    return found


NEXT_TO_XNAS = SimpleNamespace(**hooks([part("xnas", "updater")]))
"""A plugin with a component of a name that the sample has too."""


def registry(**more):
    """The sample, and nothing that is installed."""
    presets = [Preset(name="darts-cifar10", summary="DARTS.", text=PRESET)]
    sample = SimpleNamespace(**hooks(PARTS), nascore_presets=hookimpl(lambda: presets))
    return Registry.of(sample=sample, **more)


def recipe(installed, **asked):
    """Settle a request over the whole sample table."""
    return resolve(Request(**asked).layers(installed, slots=TABLE), installed, run=CORE, slots=TABLE)


def plain(settled):
    """All choices and values, without who brought them."""
    return [(path, value) for path, value, _origin in settled.rows()]
