"""The updater of DATA: Adam without weight decay (Chang et al., NeurIPS 2019, the code)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim import Adam

from nascore.nn import Descent

if TYPE_CHECKING:
    from nascore_data import UpdaterSettings


class Updater(Descent):
    """Adam on the gradient of the loss with respect to theta, through the draw of the code."""

    def __init__(self, settings: UpdaterSettings) -> None:
        super().__init__(
            lambda thetas: Adam(
                thetas,
                lr=settings.lr,
                betas=(settings.beta1, settings.beta2),
                weight_decay=settings.weight_decay,
            )
        )
