"""Tricks against their definitions."""

from __future__ import annotations

import re
from math import cos, pi

import pytest
import torch
from attrs import evolve
from timm.optim import list_optimizers
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

import nascore.builtin
import nascore_vision.tricks
from nascore.contract import DataFacts, Demand, Phase, Training, UsedTrick, WeightGroup, WeightSettings
from nascore.engine.batches import Batches
from nascore.engine.checkpoint import capture, restore
from nascore.engine.streams import Streams
from nascore.engine.tricks import BatchTricks, evaluated_network
from nascore.engine.weight_step import Supervised
from nascore.errors import RecipeError
from nascore.nn import Examples
from nascore.plugin import Registry
from nascore.testing.part import moved, reread, states
from nascore_vision.tricks.networks import distilled
from nascore_vision.tricks.weights import layers_of

REGISTRY = Registry.of(builtin=nascore.builtin, vision=nascore_vision.tricks)
FACTS = DataFacts(
    channels=3, height=6, width=8, classes=3, train=24, test=3, mean=(0.5,) * 3, std=(0.25,) * 3
)
STEPS, EPOCH = 12, 4


def trick(name, **settings):
    component = REGISTRY.get("trick", name)
    made = component.config(**settings)
    return UsedTrick(name=name, trick=component.builder()(made), declared=component.given(made))


class Network(nn.Module):
    """A network whose norms are frozen, so that each image counts alone."""

    def __init__(self, *, frozen):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 3)
        self.frozen = frozen

    def forward(self, images, drop_path=0.0):
        del drop_path
        if self.frozen:
            self.norm.eval()
        return self.head(self.norm(self.conv(images)).relu().mean((2, 3)))


def images_of(count=24):
    return torch.rand((count, 3, 6, 8), generator=torch.Generator().manual_seed(2))


def phase_of(*tricks, batch=6, epochs=3, dtype=torch.float32, frozen=False):
    streams, count = Streams(0), 24
    with streams.initial():
        network = Network(frozen=frozen).to(dtype)
    examples = Examples(images=images_of(count).to(dtype), labels=torch.arange(count) % 3)
    changes = BatchTricks(tricks=tricks, streams=streams, classes=3)
    batches = Batches(examples, FACTS, size=batch, order=streams["order"], tricks=changes)
    steps = len(batches)
    return Phase(
        name="train",
        network=network,
        batches={"train": batches},
        steps=epochs * steps,
        steps_per_epoch=steps,
        streams=streams,
        tricks=tricks,
        facts=FACTS,
    )


def trainer_of(phase, **rule):
    trainer = Supervised(WeightSettings(**{"lr": 0.1, **rule}), Demand(epochs=3, batch=6))
    trainer.start(phase)
    return trainer


def weights_of(network):
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def training_of(**rule):
    network = Network(frozen=False)
    return Training(
        network=network,
        weights=dict(network.named_parameters()),
        steps=STEPS,
        steps_per_epoch=EPOCH,
        settings=WeightSettings(**{"lr": 0.4, "lr_min": 0.1, **rule}),
        facts=FACTS,
    )


def rates(name, **settings):
    made = trick(name, **settings).trick
    made.start(training_of())
    return [made.schedule(step, 7.0) for step in range(STEPS)]


def test_schedules_at_every_step():
    steps = range(STEPS)
    assert rates("cosine") == pytest.approx([0.1 + 0.3 * (1 + cos(pi * s / 12)) / 2 for s in steps])
    assert rates("step", epochs=2, factor=0.5) == pytest.approx([0.4] * 8 + [0.2] * 4)
    assert rates("exponential", factor=0.9) == pytest.approx([0.4 * 0.9 ** (s / 4) for s in steps])
    assert rates("polynomial", power=2) == pytest.approx([0.1 + 0.3 * (1 - s / 12) ** 2 for s in steps])
    assert rates("warm-up", epochs=1.5, start=0.1) == pytest.approx(
        [7 * (0.1 + 0.9 * min(1, s / 6)) for s in steps]
    )
    assert rates("swa", begin=0.5, lr=0.03) == [7.0] * 6 + [0.03] * 6


def test_one_cycle_is_torchs():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    torchs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.4, total_steps=STEPS, cycle_momentum=False)
    expected = []
    for _ in range(STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        torchs.step() if len(expected) < STEPS else None
    assert rates("one-cycle") == pytest.approx(expected, rel=1e-9)


def mixed(name, seed=1, targets=None, **settings):
    """Return images whose pixels are the shares of the classes, and their targets, mixed."""
    made = trick(name, **settings).trick
    made.start(training_of())
    labels = torch.arange(6) % 3
    images = one_hot(labels, 3).float()[:, :, None, None].expand(6, 3, 6, 8).contiguous()
    before, generator = states(), torch.Generator().manual_seed(seed)
    found = made.examples(images, labels if targets is None else targets, generator)
    assert moved(before) == []
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_labels_are_mixed_as_images_are(name, seed):
    images, targets = mixed(name, seed)
    assert torch.allclose(images.mean((2, 3)), targets, atol=1e-6)
    again = mixed(name, seed)
    assert all(map(torch.equal, again, (images, targets)))
    soft = mixed(name, seed, targets=one_hot(torch.arange(6) % 3, 3).float())
    assert torch.equal(soft[1], targets)


def test_mixing_has_the_given_distribution_and_probability():
    tops = torch.stack([mixed("mixup", seed, alpha=0.2)[1].max(1).values.min() for seed in range(200)])
    # Beta(0.2, 0.2): the larger share is above 0.9 in 64 % of the batches.
    assert 0.5 < (tops > 0.9).float().mean() < 0.78
    hard = sum(mixed("cutmix", seed, probability=0.5)[1].dim() == 1 for seed in range(200))
    assert 70 < hard < 130
    whole = mixed("cutmix", 3)[0]
    assert set(whole.unique().tolist()) <= {0.0, 1.0}


def test_cutout_is_a_square_of_zeros():
    images = torch.ones(500, 3, 6, 8)
    found, _ = trick("cutout", length=4).trick.examples(images, None, torch.Generator().manual_seed(0))
    holes = (found == 0).all(1)
    assert torch.equal(holes, (found == 0).any(1))
    heights, widths = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(heights * widths, holes.sum((1, 2)))
    assert (heights.min(), heights.max(), widths.min(), widths.max()) == (2, 4, 2, 4)
    # A centre in any of three rows and three columns hides the corner.
    assert holes[:, 0, 0].float().mean() == pytest.approx(9 / 48, abs=0.05)


def test_accumulated_batches_equal_one_large_batch():
    many = phase_of(trick("accumulate", batches=4), batch=6, dtype=torch.float64, frozen=True)
    one = phase_of(batch=24, dtype=torch.float64, frozen=True)
    # The rates of the last batch of an epoch and of the epoch agree.
    small, large = (trainer_of(phase, clip=0.5) for phase in (many, one))
    for _ in range(3):
        for _ in range(4):
            small.step()
        large.step()
    pairs = zip(many.network.parameters(), one.network.parameters(), strict=True)
    assert max((a - b).abs().max().item() for a, b in pairs) < 1e-13


def test_the_last_batches_are_not_lost():
    phase = phase_of(trick("accumulate", batches=5), batch=6, epochs=2)
    trainer = trainer_of(phase)
    changes = []
    for _ in range(phase.steps):
        before = weights_of(phase.network)["head.weight"]
        trainer.step()
        changes.append(not torch.equal(before, phase.network.head.weight))
    assert changes == [False] * 4 + [True] + [False] * 2 + [True]


@pytest.mark.parametrize("warm_up", [False, True])
def test_ema_is_its_recursion(warm_up):
    phase = phase_of(trick("ema", decay=0.9, warm_up=warm_up))
    trainer = trainer_of(phase)
    expected = weights_of(phase.network)
    for step in range(phase.steps):
        trainer.step()
        decay = min(0.9, (1 + step) / (10 + step)) if warm_up else 0.9
        now = phase.network.state_dict()
        expected = {name: decay * value + (1 - decay) * now[name] for name, value in expected.items()}
    found = evaluated_network(phase).state_dict()
    for name in ("conv.weight", "head.bias", "norm.running_mean"):
        assert torch.allclose(found[name], expected[name], atol=1e-6)
        assert not torch.equal(found[name], phase.network.state_dict()[name])


def statistics(network, phase):
    """Return the mean over the batches of the means and variances of the norm's inputs."""
    found = []
    with torch.no_grad():
        for images in phase.batches["train"].plain():
            x = network.conv(images)
            found.append(torch.stack([x.mean((0, 2, 3)), x.var((0, 2, 3))]))
    return torch.stack(found).mean(0)


def test_swa_is_the_mean_of_epochs_with_statistics_of_its_own():
    phase = phase_of(trick("swa", begin=0.3))
    trainer, seen = trainer_of(phase), []
    for step in range(phase.steps):
        trainer.step()
        if (step + 1) % phase.steps_per_epoch == 0 and step >= 0.3 * phase.steps:
            seen.append(phase.network.head.weight.detach().clone())
    found = evaluated_network(phase)
    assert len(seen) == 2
    assert torch.allclose(found.head.weight, torch.stack(seen).mean(0), atol=1e-6)
    expected = statistics(found, phase)
    assert torch.allclose(torch.stack([found.norm.running_mean, found.norm.running_var]), expected, atol=1e-5)


def test_recalibration_measures_the_statistics():
    phase = phase_of(trick("recalibrate"))
    trainer = trainer_of(phase)
    trainer.step()
    before = phase.streams.state_dict()["network"]["cpu"].clone()
    found = evaluated_network(phase)
    expected = statistics(phase.network, phase)
    assert torch.allclose(torch.stack([found.norm.running_mean, found.norm.running_var]), expected, atol=1e-5)
    assert torch.equal(found.conv.weight, phase.network.conv.weight)
    assert found.norm.momentum == phase.network.norm.momentum == 0.1
    assert torch.equal(before, phase.streams.state_dict()["network"]["cpu"])


def groups_of(name, **settings):
    made, training = trick(name, **settings).trick, training_of()
    made.start(training)
    return made.parameters((WeightGroup(names=tuple(training.weights), weight_decay=0.1),))


def test_groups_hold_what_they_say():
    assert [(one.names, one.weight_decay) for one in groups_of("no-decay")] == [
        (("conv.weight", "head.weight"), 0.1),
        (("norm.weight", "norm.bias", "head.bias"), 0.0),
    ]
    cells = layers_of(["ops.stem/images/stem.conv.weight", "ops.cell-1/n0/in0/sep.conv.weight"])
    assert [*cells.values()] == ["stem", "cell-1"]
    names = ["layer1.0.conv1.weight", "fc.weight"]
    assert [*layers_of(names).values()] == ["layer1.0", "fc"]
    assert [*layers_of(f"ops.network/images/timm.{name}" for name in names).values()] == ["layer1.0", "fc"]
    assert {one.names[0]: one.lr_scale for one in groups_of("layer-decay", factor=0.5)} == {
        "head.weight": 1.0,
        "norm.weight": 0.5,
        "conv.weight": 0.25,
    }


def test_centralized_gradients_have_the_mean_0():
    slopes = {"a": torch.rand(4, 3, 2, 2), "b": torch.rand(5, 3), "c": torch.rand(6)}
    found = trick("centralize").trick.gradients(slopes, 0)
    assert found["a"].mean((1, 2, 3)).abs().max() < 1e-6
    assert found["b"].mean(1).abs().max() < 1e-6
    assert torch.equal(found["c"], slopes["c"])


def test_distillation_is_its_formula():
    generator = torch.Generator().manual_seed(0)
    logits, teacher = (torch.randn((5, 3), generator=generator) for _ in range(2))
    loss = cross_entropy(logits, torch.arange(5) % 3)
    p, q = (teacher / 4).softmax(1), (logits / 4).softmax(1)
    divergence = (p * (p.log() - q.log())).sum(1).mean()
    found = distilled(loss, logits, teacher, 0.7, 4.0)
    assert found == pytest.approx(float(0.3 * loss + 0.7 * 16 * divergence), rel=1e-5)
    assert distilled(loss, logits, teacher, 0.0, 4.0) == pytest.approx(float(loss))


def test_the_optimizer_is_the_named_one():
    phase = phase_of(trick("optimizer", algorithm="adamw"), trick("no-decay"))
    trainer = trainer_of(phase, weight_decay=0.05)
    reference = phase_of()
    network = reference.network
    groups = [
        {"params": [network.conv.weight, network.head.weight], "weight_decay": 0.05},
        {"params": [network.norm.weight, network.norm.bias, network.head.bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.1)
    for _ in range(3):
        trainer.step()
        images, labels = reference.batches["train"].next()
        optimizer.zero_grad()
        cross_entropy(network(images), labels).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
    pairs = zip(phase.network.parameters(), network.parameters(), strict=True)
    assert max((a - b).abs().max().item() for a, b in pairs) < 1e-6


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(RecipeError, match="no optimizer is called adamm"):
        trainer_of(phase_of(trick("optimizer", algorithm="adamm")))


def test_colours_need_one_or_three_channels():
    training = evolve(training_of(), facts=evolve(FACTS, channels=2))
    with pytest.raises(RecipeError, match="1 or 3 channels; these have 2"):
        trick("rand-augment").trick.start(training)


def test_dropout_acts_in_training_alone():
    phase = phase_of(trick("dropout", rate=0.5))
    trainer_of(phase)
    images = images_of()
    with phase.streams.network():
        drawn = [phase.network(images) for _ in range(2)]
    assert not torch.equal(*drawn)
    phase.network.eval()
    assert torch.equal(phase.network(images), phase.network(images))


def optimized(name, *, steps, **rule):
    phase = phase_of(trick("optimizer", algorithm=name))
    trainer = trainer_of(phase, **{"lr": 0.01, **rule})
    for _ in range(steps):
        trainer.step()
    return phase, trainer


@pytest.mark.filterwarnings("ignore:.*opt_einsum:UserWarning")
@pytest.mark.parametrize("name", [*list_optimizers(), "lookahead_adamw"])
def test_every_optimizer_of_timm_makes_steps_with_the_rate_of_the_engine(name):
    try:
        phase, _ = optimized(name, steps=2)
    except RecipeError as error:
        reason = str(error)
        if not reason.endswith("which nascore does not compute."):
            assert re.search(r"needs the package (apex|bitsandbytes) and a GPU\.$", reason)
        pytest.skip(reason)
    now, before = weights_of(phase.network), weights_of(phase_of().network)
    assert all(value.isfinite().all() for value in now.values())
    assert not torch.equal(now["conv.weight"], before["conv.weight"])
    slow, _ = optimized(name, steps=2, lr=0.001)
    assert not torch.equal(now["conv.weight"], weights_of(slow.network)["conv.weight"])


@pytest.mark.filterwarnings("ignore:.*opt_einsum:UserWarning")
@pytest.mark.parametrize("name", ["sgd", "adafactor", "kron", "lookahead_lion"])
def test_the_state_of_an_optimizer_survives_a_checkpoint_bit_for_bit(name):
    first, trainer = optimized(name, steps=3)
    second, resumed = optimized(name, steps=0)
    restore(second, resumed, reread(capture(first, trainer)))
    for _ in range(4):
        trainer.step()
        resumed.step()
    assert states_equal(weights_of(first.network), weights_of(second.network))


def states_equal(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_settings_decide_on_nesterov_and_momentum_of_sgd(nesterov):
    named, _ = optimized("sgd", steps=3, nesterov=nesterov, momentum=0.7)
    plain = phase_of()
    trainer = trainer_of(plain, lr=0.01, nesterov=nesterov, momentum=0.7)
    for _ in range(3):
        trainer.step()
    assert states_equal(weights_of(named.network), weights_of(plain.network))


@pytest.mark.parametrize(("name", "nesterov"), [("nesterov", True), ("momentum", False)])
def test_a_name_may_say_whether_momentum_is_nesterovs(name, nesterov):
    for given in (False, True):
        _, trainer = optimized(name, steps=0, nesterov=given)
        assert trainer.optimizer.defaults["nesterov"] is nesterov


@pytest.mark.parametrize("name", ["weird_adam", "lookahead_", "lookahead_adamm", "adam_lookahead"])
def test_only_lookahead_precedes_the_name_of_an_optimizer(name):
    with pytest.raises(RecipeError, match=f"no optimizer is called {name}"):
        optimized(name, steps=0)
