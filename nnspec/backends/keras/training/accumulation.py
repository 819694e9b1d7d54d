"""Gradients accumulated over several batches, so that they move the weights as one batch of all their samples would.

Keras' optimizers add up the gradients of N batches and divide by N. What is said here besides makes that equal to the
larger batch within rounding: the last batches of an epoch, which are fewer or smaller, count by their samples and are
used at the epoch's end; learning rate schedules and averages of weights go on once an update.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MethodType

from keras.callbacks import Callback

from nnspec.backends.types import KerasLogs, KerasOptimizer, KerasVariable, Tensor


@dataclass(frozen=True, slots=True)
class Epoch:
    """The batches of an epoch, and the groups of them that move the weights together.

    Attributes:
        samples: how many there are.
        batch: the samples of a batch; the last one may have fewer.
        group: the batches of a group; the last one may have fewer.
    """

    samples: int
    batch: int
    group: int

    @property
    def batches(self) -> int:
        return math.ceil(self.samples / self.batch)

    @property
    def padded_batches(self) -> int:
        """The batches, and as many more as the last group lacks."""
        return math.ceil(self.batches / self.group) * self.group

    def share(self, index: int) -> float:
        """What the mean gradient of a batch, counted from 0, weighs in the mean over its group."""
        first = index // self.group * self.group
        of_group = min(self.samples, (first + self.group) * self.batch) - first * self.batch
        of_batch = min(self.samples, (index + 1) * self.batch) - index * self.batch
        return of_batch / of_group


def accumulate(optimizer: KerasOptimizer, epoch: Epoch) -> None:
    """Makes an optimizer with `gradient_accumulation_steps` move the weights as the larger batch would."""
    from keras import ops

    inner = getattr(optimizer, "inner_optimizer", optimizer)
    shares = [epoch.share(i) * epoch.group for i in range(epoch.batches)]  # Keras divides by the group's size
    usual, odd = shares[0], {i: share for i, share in enumerate(shares) if not math.isclose(share, shares[0])}
    plain, plain_average, schedule = inner.apply, inner._update_model_variables_moving_average, inner._learning_rate

    def apply(
        self: KerasOptimizer, grads: Sequence[Tensor], trainable_variables: Sequence[KerasVariable] | None = None
    ) -> None:
        place = ops.mod(self._iterations, epoch.padded_batches)
        share = ops.convert_to_tensor(usual, "float32")
        for index, value in odd.items():
            share = ops.where(ops.equal(place, index), value, share)
        weighed = [
            None if gradient is None else ops.convert_to_tensor(gradient) * ops.cast(share, gradient.dtype)
            for gradient in grads
        ]
        lacking = (
            epoch.padded_batches - epoch.batches
        )  # the last batch of an epoch ends its group, whatever the group lacks
        if lacking:
            is_last = ops.equal(place, epoch.batches - 1)
            self._iterations.assign_add(ops.cast(ops.where(is_last, lacking, 0), self._iterations.dtype))
        plain(weighed, trainable_variables)

    def average(self: KerasOptimizer, trainable_variables: Sequence[KerasVariable]) -> None:
        is_update = ops.equal(ops.mod(self._iterations + 1, epoch.group), 0)
        means = [mean for mean in self._model_variables_moving_average if mean is not None]
        before = [ops.add(mean, 0.0) for mean in means]  # a copy: the variable itself is about to change
        plain_average(trainable_variables)
        for mean, kept in zip(means, before, strict=True):
            mean.assign(ops.where(is_update, mean, kept))

    def rate(self: KerasOptimizer) -> Tensor:
        return schedule(self.iterations)

    inner.apply = MethodType(apply, inner)
    inner._update_model_variables_moving_average = MethodType(average, inner)
    if callable(schedule):
        inner._get_current_learning_rate = MethodType(rate, inner)


class Realign(Callback):  # type: ignore[misc]
    """Ends each epoch with an empty group: a batch whose 16-bit gradients overflow is left out, and not counted."""

    def __init__(self, epoch: Epoch) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: KerasLogs = None) -> None:
        inner = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        done = int(inner._iterations) if inner.built else 0
        if done % self.epoch.padded_batches:
            inner._iterations.assign(done + self.epoch.padded_batches - done % self.epoch.padded_batches)
            for gradient in inner._accumulated_gradients:
                gradient.assign(gradient * 0)
