"""Operations that are broken on purpose, beside their healthy form: a plugin for tests of the kit."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from nascore.api import Operation, hookimpl


class Conv(nn.Module):
    """Healthy: ReLU and a 3x3 convolution, padded."""

    inplace = False

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.relu = nn.ReLU(inplace=self.inplace)
        self.conv = nn.Conv2d(c_in, self.width(c_out), 3, self.step(stride), padding=self.padding())

    def width(self, c_out):
        return c_out

    def step(self, stride):
        return stride

    def padding(self):
        return 1

    def forward(self, x):
        return self.conv(self.relu(x))


class Wide(Conv):
    def width(self, c_out):
        return 2 * c_out


class IgnoresStride(Conv):
    def step(self, stride):
        del stride
        return 1


class Shrinks(Conv):
    """Has no padding: at stride 1 it takes two pixels away."""

    def padding(self):
        return 0


class Detaches(Conv):
    def forward(self, x):
        return super().forward(x.detach())


class FreezesItself(Conv):
    """Multiplies by a copy of its weights."""

    def forward(self, x):
        return functional.conv2d(
            self.relu(x), self.conv.weight.detach(), self.conv.bias, self.conv.stride, self.conv.padding
        )


class SwitchesGradientsOff(Conv):
    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


class InPlace(Conv):
    inplace = True


class AlwaysDrops(Conv):
    """Drops in evaluation too."""

    def forward(self, x):
        return functional.dropout(super().forward(x), 0.5, training=True)


class Whitens(Conv):
    """Subtracts the mean of the batch."""

    def forward(self, x):
        y = super().forward(x)
        return y - y.mean(dim=0, keepdim=True)


class Branches(Conv):
    """Decides by values what it computes."""

    def forward(self, x):
        y = super().forward(x)
        return y if y.device.type == "meta" or bool(y.sum() > -1e9) else y * 2


def settled(c_in, c_out, stride, *, affine=True):
    """Healthy: a convolution and a batch norm that may have weights."""
    return nn.Sequential(Conv(c_in, c_out, stride), nn.BatchNorm2d(c_out, affine=affine))


def head(c_in, c_out, stride):
    """Healthy where it is structural: logits."""
    del stride
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, c_out))


def keeps(c_in, c_out, stride):
    """Healthy where it must keep the channels."""
    del c_out
    return nn.AvgPool2d(3, stride, padding=1) if c_in else None


HEALTHY = {
    "conv": Operation(name="conv", build=Conv),
    "settled": Operation(name="settled", build=settled, settings={"affine": True}),
    "head": Operation(name="head", build=head, strides=(1,), structural=True),
    "keeps": Operation(name="keeps", build=keeps, same_channels=True),
    "always_drops_random": Operation(name="always_drops_random", build=AlwaysDrops, random=True),
}

MUTANTS = {
    "wide": (Wide, {}, "gives_its_shape"),
    "ignores_stride": (IgnoresStride, {}, "gives_its_shape"),
    "shrinks": (Shrinks, {}, "gives_its_shape"),
    "undeclared_channels": (keeps, {}, "gives_its_shape"),
    "undeclared_head": (head, {"strides": (1,)}, "gives_its_shape"),
    "detaches": (Detaches, {}, "a_gradient_gets_through"),
    "freezes_itself": (FreezesItself, {}, "a_gradient_gets_through"),
    "switches_gradients_off": (SwitchesGradientsOff, {}, "a_gradient_gets_through"),
    "in_place": (InPlace, {}, "leaves_its_input_alone"),
    "always_drops": (AlwaysDrops, {}, "evaluates_one_image_like_many"),
    "whitens": (Whitens, {}, "evaluates_one_image_like_many"),
    "branches": (Branches, {}, "can_be_exported"),
    "nowhere": (Conv, {"strides": ()}, "can_stand_somewhere"),
    "no_such_setting": (Conv, {"settings": {"depth": 2}}, "gives_its_shape"),
}


@hookimpl
def nascore_operations():
    yield from HEALTHY.values()
    for name, (build, words, _check) in MUTANTS.items():
        yield Operation(name=name, build=build, **words)
