"""The presets have the figures of the papers, setting by setting, and work on digits at every scale.

The figures were read in papers and authors' code, whose places are beside them. A value that no source gives
is in `OURS`; one that differs from a stated figure on purpose is in `DIFFERENT`.
"""

from __future__ import annotations

from typing import Any

import pytest

import nascore.builtin
import nascore_darts
from nascore.config import parse_document, unwrap
from nascore.plugin import Registry
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request, dump_recipe
from nascore.recipe.settling.request import resolved
from nascore.slots import SLOTS, SLOTS_OF_EVALUATE
from nascore.verbs.resolution import installed
from nascore_petridish.settings import OPERATIONS

pytestmark = pytest.mark.needs(
    "nascore-darts",
    "nascore-data",
    "nascore-petridish",
    "nascore-xnas",
    "nascore-geonas",
    "nascore-nasbench",
    "nascore-spaces",
    "nascore-vision",
)

Figures = dict[str, Any]


def of(group: str, **figures: Any) -> Figures:
    """Return figures by path; two underscores stand for a dot."""
    return {f"{group}.{name.replace('__', '.')}": value for name, value in figures.items()}


CIFAR10 = {"dataset": "cifar10"}

# DARTS: arXiv 1806.09055, appendix A.1.1; quark0/darts f276dd34, cnn/train_search.py and cnn/architect.py.
DARTS_SPACE = of("space", name="darts", channels=16, cells=8, nodes=4)
DARTS_ADAM = of("updater", lr=3e-4, beta1=0.5, beta2=0.999)
DARTS_SGD = of(
    "trainer", name="alternating", lr=0.025, lr_min=0.001, momentum=0.9, weight_decay=3e-4, clip=5, warm_up=0
)
# DARTS: appendix A.2.1; cnn/train.py, cosine to 0.
DARTS_TRAINING = of(
    "training", channels=36, cells=20, epochs=600, batch=96, lr=0.025, lr_min=0, momentum=0.9, nesterov=False,
    weight_decay=3e-4, clip=5, label_smoothing=0, drop_path=0.2, auxiliary=0.4,
)  # fmt: skip
CUTOUT = {"evaluate.trick.cutout.length": 16}

OURS = {"ranking.epochs": 20}
"""No paper ranks the architecture of a search: its training is ours."""

DARTS = {
    **CIFAR10, **DARTS_SPACE, **DARTS_ADAM, **DARTS_SGD, **DARTS_TRAINING, **CUTOUT, **OURS,
    **of("relaxation", name="softmax", noise=1e-3),  # model_search.py; the paper has zeros
    **of("updater", name="darts", weight_decay=1e-3),
    **of("trainer", estimate="unrolled", sequence="architecture-first", epochs=50, batch=64),
}  # fmt: skip

# XNAS: arXiv 1906.08031, algorithm 1 and theorem 1; batch and epochs as cited. The rest as DARTS.
XNAS = {
    **CIFAR10, **DARTS_SPACE, **DARTS_SGD, **OURS, "include": "xnas-plain",
    **of("relaxation", name="softmax", noise=0),
    **of("updater", name="xnas", eta=None, clip=1, wipe_out=True, exclude_none=True, granularity="sample"),
    **of("trainer", estimate="first", sequence="weights-first", epochs=50, batch=96),
}  # fmt: skip
# XNAS-Plain is DARTS's recipe by the authors' README.
XNAS_PLAIN = {**CIFAR10, **DARTS_TRAINING, **CUTOUT}
# Archai: 1500 epochs, AutoAugment, cutout, label smoothing, scheduled drop path, Nesterov, weight decay 3e-4.
XNAS_1500 = {
    **CIFAR10, **DARTS_TRAINING, **CUTOUT,
    **of("training", epochs=1500, nesterov=True, label_smoothing=0.1, weight_decay=3e-4),
    "evaluate.trick.auto-augment.policy": "cifar10",
}  # fmt: skip

# DATA: XinbangZhang/DATA-NAS 29691eac; draws of the poster (NeurIPS 2019): M = 4 and M = 7.
DATA = {
    **CIFAR10, **DARTS_SPACE, **DARTS_ADAM, **DARTS_SGD, **DARTS_TRAINING, **CUTOUT, **OURS,
    **of("relaxation", name="egs", tau=1, tau_last=None, segment="node", form="softmax"),
    **of("relaxation", normalize="mean", noise=1e-3),
    **of("updater", name="data", weight_decay=0),
    **of("regularizer.l1", target="code", weight=0.1),
    **of("trainer", estimate="first", sequence="architecture-first", epochs=100, batch=64),
    **of("training", lr=0.035),
}  # fmt: skip

# Petridish: microsoft/petridishnn 73f9a417, petridish/cust_exps_gen/util.py.
RATE = 0.1 / 128 * 32  # init_lr_per_sample times the batch
PETRIDISH_SGD = {"batch": 32, "lr": RATE, "lr_min": 0, "momentum": 0.9, "weight_decay": 1e-4, "clip": 5}
PETRIDISH = {
    **CIFAR10,
    **of("space", name="darts", channels=16, cells=3 * 3 + 2),  # init_n=3 normal cells, n_reduction_layers=2
    **of("growth", name="petridish", search="cell", soft=False, keep=3, operations=list(OPERATIONS)),
    **of("growth", count=2000, depth=8, limit=166_666_666 // 2, eps=0.025, wave=1, seed_epochs=200),
    **of("growth", child_epochs=80),
    **of("relaxation", name="linear"),
    **of("updater", name="sgd", lr=RATE, momentum=0.9, weight_decay=0),
    **of("trick", cutout__length=16),
    **of("regularizer.l1", target="theta", weight=1e-2, average=True, per_use=True),
    **of("trainer", name="alternating", estimate="single-level", epochs=80, warm_up=0, **PETRIDISH_SGD),
    **of("ranking", nesterov=False, label_smoothing=0, drop_path=1 - 0.6, auxiliary=0, **PETRIDISH_SGD),
    **of("training", channels=32, cells=2 * 9 + 2, epochs=600, nesterov=False, auxiliary=0.4),
    **of("training", label_smoothing=0, drop_path=1 - 0.6, **{**PETRIDISH_SGD, "weight_decay": 5e-4}),
    **CUTOUT,
}  # fmt: skip

# Geometric NAS: arXiv 2004.07802; liamcli/gaea_release 16046156. Its evaluation has drop path 0.3.
GEONAS_UPDATER = of("updater", name="geonas", lr=0.1, entropic=0)
GEONAS = {
    **CIFAR10, **DARTS_SPACE, **DARTS_SGD, **DARTS_TRAINING, **GEONAS_UPDATER, **CUTOUT, **OURS,
    **of("relaxation", name="softmax", noise=0),
    **of("trainer", estimate="first", sequence="architecture-first", epochs=50, batch=256, lr=0.1, lr_min=0),
    **of("training", drop_path=0.3),
}  # fmt: skip
GEONAS_NB201 = {
    "include": "nb201-cifar10", **GEONAS_UPDATER, **DARTS_SGD, **OURS,
    **of("space", name="nb201", channels=16, cells=5),
    **of("relaxation", name="softmax", noise=0),
    **of("trainer", estimate="single-level", epochs=25, batch=64),
}  # fmt: skip

# NAS-Bench-201: arXiv 2001.00326, section 2.3.
NB201 = {
    **CIFAR10,
    **of(
        "training",
        channels=16,
        cells=3 * 5,
        epochs=200,
        batch=256,
        lr=0.1,
        lr_min=0,
        momentum=0.9,
        nesterov=True,
    ),
    **of("training", weight_decay=5e-4, clip=0, label_smoothing=0, drop_path=0, auxiliary=0),
}


# timm: arXiv 2110.00476, table 2. RandAugment of strength 7 or 6 of 10 in timm; torchvision's goes to 30.
def timm(**figures: Any) -> Figures:
    named = {"optimizer.algorithm": "lamb", "no-decay": None, "warm-up.epochs": 5, "cutmix.alpha": 1.0}
    named |= {"rand-augment.operations": 2, "mixup.probability": 0.5, "cutmix.probability": 0.5}
    named |= {"mixup.alpha": figures.pop("mixup"), "rand-augment.magnitude": 3 * figures.pop("strength")}
    tricks = {f"evaluate.trick.{name}": value for name, value in named.items()}
    return {
        "dataset": "imagenet",
        **of("training", batch=2048, lr_min=1e-6, clip=0, auxiliary=0, **figures),
        **tricks,
    }


FIGURES: dict[str, Figures] = {
    "darts-cifar10": DARTS,
    "xnas-cifar10": XNAS,
    "xnas-plain": XNAS_PLAIN,
    "xnas-1500": XNAS_1500,
    "data-m4-cifar10": {**DATA, "relaxation.draws": 4},
    "data-m7-cifar10": {**DATA, "relaxation.draws": 7},
    "petridish-cifar10": PETRIDISH,
    "geonas-cifar10": GEONAS,
    "geonas-nb201": GEONAS_NB201,
    "nb201-cifar10": NB201,
    "timm-a1": timm(
        epochs=600, lr=5e-3, weight_decay=0.01, label_smoothing=0.1, drop_path=0.05, mixup=0.2, strength=7
    ),
    "timm-a2": timm(
        epochs=300, lr=5e-3, weight_decay=0.02, label_smoothing=0, drop_path=0.05, mixup=0.1, strength=7
    ),
    "timm-a3": timm(
        epochs=100, lr=8e-3, weight_decay=0.02, label_smoothing=0, drop_path=0, mixup=0.1, strength=6
    ),
}

DIFFERENT: dict[str, Figures] = {
    # The CIFAR code does not read regularize_const (1e-4, 5e-4): model/feedforward.py has 2e-4. Half of the
    # 2,000 models are trainings of candidates.
    "petridish-cifar10": {
        "trainer.weight_decay": 2e-4, "ranking.weight_decay": 2e-4, "training.weight_decay": 2e-4,
        "growth.count": 1000,
    },
}  # fmt: skip


def flat(node: Any, path: str = "") -> Figures:
    if not isinstance(node, dict) or not node:
        return {path: node}
    inner = ((f"{path}.{key}" if path else key, value) for key, value in node.items())
    return {name: value for key, item in inner for name, value in flat(item, key).items()}


@pytest.fixture(scope="module")
def registry():
    return installed()


def test_every_preset_has_its_figures(registry):
    assert set(registry.presets()) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_each_setting_of_a_preset_is_that_of_its_source(name, registry):
    root = parse_document(registry.presets()[name].read(), where=name).root
    found = flat(unwrap(root))
    assert found.pop("nascore") == 2
    expected = {**FIGURES[name], **DIFFERENT.get(name, {})}
    assert found.keys() == expected.keys()
    wrong = {
        path: (value, expected[path]) for path, value in found.items() if not same(value, expected[path])
    }
    assert wrong == {}


def same(value: Any, expected: Any) -> bool:
    numbers = isinstance(value, int | float) and isinstance(expected, int | float)
    return value == pytest.approx(expected, rel=1e-12) if numbers else value == expected


def test_differences_are_differences():
    for name, figures in DIFFERENT.items():
        assert all(FIGURES[name][path] != value for path, value in figures.items())


@pytest.mark.parametrize("scale", [None, "mini", "small"])
@pytest.mark.parametrize("name", FIGURES)
def test_a_preset_resolves_on_digits_at_every_scale(name, scale, registry):
    request = Request(preset=name, scale=scale, names={"dataset": ["digits"]})
    search = resolved(request, registry, slots=SLOTS)
    evaluation = resolved(request, registry, run=EVALUATE_RUN, slots=SLOTS_OF_EVALUATE)
    for recipe in (search, evaluation):
        texts = [str(problem) for problem in recipe.problems]
        assert [text for text in texts if "reproduce no published" not in text] == []
    assert search.training.epochs <= 20
    assert search.training.channels is None
    if scale is not None:
        assert evaluation.training.epochs == {"mini": 12, "small": 40}[scale]
    saved = flat(unwrap(parse_document(dump_recipe(search), where="").root))
    settings = {row[0]: row[1] for row in search.evaluation if row[0] != "evaluate.trick"}
    assert {path: saved[path] for path in settings} == settings


def test_the_tables_of_scales_are_complete(registry):
    """Components, spaces and runs with settings for `mini` have them for `small`."""
    components = [one for slot in SLOTS for one in registry.components(slot.name)]
    for one in (*components, SEARCH_RUN, EVALUATE_RUN):
        assert bool(one.mini) == bool(one.small), one.name
        assert ("mini" in one.sizes) == ("small" in one.sizes), one.name
        assert one.sizes.get("mini", {}).keys() == one.sizes.get("small", {}).keys(), one.name
    for notation in (one for plugin in registry.plugins for one in plugin.translators):
        assert notation.mini.keys() == notation.small.keys(), notation.name


def test_a_trick_that_is_not_installed_is_named_with_its_plugin_and_carried():
    alone = Registry.of(builtin=nascore.builtin, darts=nascore_darts)
    request = Request(preset="darts-cifar10", scale="mini", names={"dataset": ["digits"]})
    search = resolved(request, alone)
    assert search.refused == ()
    [problem] = [one for one in search.warned if one.path.startswith("evaluate")]
    assert problem.text.startswith("no trick is called cutout")
    assert "pip install nascore-vision" in problem.hint
    assert [row[:2] for row in search.evaluation if "trick" in row[0]] == [
        ("evaluate.trick", "cutout"),
        ("evaluate.trick.cutout.length", 16),
    ]
    [problem] = resolved(request, alone, run=EVALUATE_RUN, slots=SLOTS_OF_EVALUATE).refused
    assert "pip install nascore-vision" in problem.hint
