"""Puts metrics of nnspec's own evaluation into an epoch's logs, where callbacks and the history find them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from keras.callbacks import Callback

from nnspec.backends.keras.training.state import averaged_weights
from nnspec.backends.types import KerasCallback, KerasLogs


class Watch(Callback):  # type: ignore[misc]
    """Evaluates the validation split at the end of each epoch, with the weights that would be deployed.

    It comes before the callbacks that watch a metric: they all are given the same logs.
    """

    def __init__(self, measure: Callable[[], Mapping[str, float]], others: Sequence[KerasCallback]) -> None:
        super().__init__()
        self.measure = measure
        self.others = others

    def on_epoch_end(self, epoch: int, logs: KerasLogs = None) -> None:
        if logs is None:
            return
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            logs.update(self.measure())
            return
        latest = self.model.get_weights()
        self.model.set_weights(averaged_weights(self.model, self.others))
        logs.update(self.measure())
        self.model.set_weights(latest)
