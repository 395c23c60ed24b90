"""Operations that are broken on purpose, for spaces that are."""

from __future__ import annotations

from itertools import count

from torch import nn

PIXELS = 32 * 32
WIDTHS = count(1)


def restless(c_in, c_out, stride, copy):
    del copy
    hidden = next(WIDTHS)
    return nn.Sequential(nn.Conv2d(c_in, hidden, 1, stride), nn.Conv2d(hidden, c_out, 1))


def search_only(c_in, c_out, stride, copy, affine):
    del copy
    if affine:
        raise ValueError("there is no affine form.")
    return nn.Conv2d(c_in, c_out, 1, stride)


class Mixing(nn.Module):
    """Subtracts the mean over the batch, in evaluation mode too."""

    def forward(self, x):
        return x - x.mean(0, keepdim=True) if len(x) > 1 else x


def mixing(c_in, c_out, stride, copy):
    del copy
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride), Mixing())


def pixels(c_in, c_out, stride):
    del stride
    return nn.Sequential(nn.Flatten(), nn.Linear(c_in * PIXELS, c_out))
