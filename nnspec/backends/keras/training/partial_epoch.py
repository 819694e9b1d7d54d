"""A training that begins in the middle of an epoch, whose first batches were done before an interruption.

Keras' `fit` begins every epoch with its first batch. Here it gets the batches that are left, and is told behind the
last of them that there are no more; callbacks are told of each batch by its number in the whole epoch.
"""

from __future__ import annotations

import warnings
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
    warnings.filterwarnings("ignore", message="Your input ran out of data")  # which is said, and meant, below
    return _PartialEpoch(callbacks, model, epochs=epochs, steps=steps, first_step=first_step)


class _PartialEpoch(CallbackList):  # type: ignore[misc]
    """Callbacks that are told the numbers of the batches in the whole epoch."""

    def __init__(
        self, callbacks: Sequence[KerasCallback], model: KerasModel, *, epochs: int, steps: int, first_step: int
    ) -> None:
        super().__init__(list(callbacks), add_history=True, model=model, epochs=epochs, steps=steps, verbose=0)
        self.steps = steps
        self.done = first_step

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_begin(batch + self.done, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch + self.done, logs)
        if self.done and batch + self.done + 1 >= self.steps:  # `fit` expects as many batches more as were done
            raise StopIteration

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.done = 0
        super().on_epoch_end(epoch, logs)
