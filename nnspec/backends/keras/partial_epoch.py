"""A training that begins in the middle of an epoch, whose first batches were done before an interruption.

Keras' `fit` begins every epoch with its first batch. Here it gets the batches that are left, and is told to leave the
epoch behind the last of them; callbacks are told of each batch by its number in the whole epoch.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras.callbacks import CallbackList

from nnspec.backends.types import KerasCallback, KerasModel
from nnspec.backends.types import KerasLogs as Logs


def callbacks_of(
    callbacks: Sequence[KerasCallback], model: KerasModel, *, epochs: int, steps: int, first_step: int
) -> list[KerasCallback] | CallbackList:
    """The callbacks as `fit` takes them.

    Args:
        epochs: how many the training has in all.
        steps: how many batches a whole epoch has.
        first_step: how many batches of the first epoch are done.
    """
    if not first_step:
        return list(callbacks)
    return _PartialEpoch(callbacks, model, epochs=epochs, steps=steps, first_step=first_step)


class _PartialEpoch(CallbackList):  # type: ignore[misc]
    """Callbacks that are told the numbers of the batches in the whole epoch."""

    def __init__(
        self, callbacks: Sequence[KerasCallback], model: KerasModel, *, epochs: int, steps: int, first_step: int
    ) -> None:
        super().__init__(list(callbacks), add_history=True, model=model, epochs=epochs, steps=steps, verbose=0)
        self.trained = model
        self.steps = steps
        self.done = first_step
        self.is_left = False
        self.wants_to_stop = False

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_begin(batch + self.done, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch + self.done, logs)
        if self.done and batch + self.done + 1 >= self.steps:  # `fit` expects as many batches more as were done
            self.is_left, self.wants_to_stop = True, self.trained.stop_training
            self.trained.stop_training = True

    def on_test_begin(self, logs: Logs = None) -> None:
        self._go_on()
        super().on_test_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._go_on()
        self.done = 0
        super().on_epoch_end(epoch, logs)

    def _go_on(self) -> None:
        """The training stops only where a callback of the spec wants it to."""
        if self.is_left:
            self.trained.stop_training, self.is_left = self.wants_to_stop, False
