"""Keras callbacks of nnspec: NaN, states, best weights, progress. Imported only for training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from keras.callbacks import Callback

from nnspec.backends.keras.model import reset_states
from nnspec.backends.keras.training.checkpoint import Checkpoint
from nnspec.backends.keras.training.state import averaged_weights
from nnspec.backends.types import KerasLogs as Logs
from nnspec.backends.types import KerasModel
from nnspec.progress import Progress

if TYPE_CHECKING:
    pass


class NotANumber(Callback):  # type: ignore[misc]
    """Ends the training as soon as the loss is not finite, by raising the fault of an epoch and batch (from 1)."""

    def __init__(self, fault: Callable[[int, int, float], Exception]) -> None:
        super().__init__()
        self.fault = fault
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise self.fault(self.epoch + 1, batch + 1, loss)


class ResetStates(Callback):  # type: ignore[misc]
    """Stateful layers forget at the beginning of each epoch and of each validation, as the series begins anew."""

    def reset(self) -> None:
        reset_states(self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.reset()

    def on_test_begin(self, logs: Logs = None) -> None:
        self.reset()


class BestWeights(Callback):  # type: ignore[misc]
    """Keeps the weights of the epoch whose monitored metric is best: their averages where the optimizer keeps some."""

    def __init__(self, monitor: str, checkpoint: Checkpoint, *, is_higher_better: bool) -> None:
        super().__init__()
        self.monitor = monitor
        self.checkpoint = checkpoint
        self.sign = -1.0 if is_higher_better else 1.0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        best = self.checkpoint.best.get("value")
        if best is None or self.sign * _number(value) < self.sign * best:
            self.checkpoint.best = {"value": _number(value), "epoch": epoch + 1}
            self.checkpoint.best_weights = averaged_weights(self.model, self.checkpoint.callbacks)

    def restore(self, model: KerasModel) -> int:
        """Puts the best weights back; which epoch they are of (from 1)."""
        if self.checkpoint.best_weights is not None:
            model.set_weights(self.checkpoint.best_weights)
            return int(self.checkpoint.best["epoch"])
        return len(self.checkpoint.history)


class Reporter(Callback):  # type: ignore[misc]
    """Tells the progress of epochs and steps."""

    def __init__(self, progress: Progress, total: int, done: int, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.bar = progress.epochs(total, done)
        self.epoch = done

    def on_train_begin(self, logs: Logs = None) -> None:
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {}).get("loss", math.nan))
        self.bar.step(self.epoch + 1, batch + 1, (self.params or {}).get("steps"), loss)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.bar.advance(epoch + 1, {name: _number(value) for name, value in (logs or {}).items()})

    def on_train_end(self, logs: Logs = None) -> None:
        self.bar.stop()


def _number(value: float | Sequence[float]) -> float:
    """A metric of an epoch; the mean of a metric that gives one for each class."""
    return float(np.mean(value))
