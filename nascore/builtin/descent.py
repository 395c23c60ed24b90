"""Gradient descent on theta, as Petridish moves it (arXiv 1905.13360) and as the simplest learner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim import SGD

from nascore.nn import Descent

if TYPE_CHECKING:
    from nascore.builtin.settings import SgdSettings


class Sgd(Descent):
    """SGD with momentum and coupled weight decay; its rate stays, whatever that of the weights does."""

    def __init__(self, settings: SgdSettings) -> None:
        super().__init__(
            lambda thetas: SGD(
                thetas, lr=settings.lr, momentum=settings.momentum, weight_decay=settings.weight_decay
            )
        )
