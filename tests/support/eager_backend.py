"""A second engine: batches gathered by NumPy, Keras' steps one by one, gradients by differences. Slow, and plain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.sample_order import sample_order
from nnspec.backends.types import Differentiable, KerasCallback, KerasModel, Values

STEP = 2.0**-7


def each(function: Any, values: Values) -> Values:
    """A function of every array of one or several inputs or outputs."""
    return {name: function(v) for name, v in values.items()} if isinstance(values, dict) else function(values)


@dataclass
class EagerBackend:
    """A `TrainingBackend` that shares nothing with TensorFlow's but Keras itself.

    Attributes:
        seen: the batches that it trained on, as `(epoch, inputs)`.
    """

    name: str = "eager"
    packages: tuple[str, ...] = ("keras",)
    seen: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def load(self) -> None:
        import keras  # noqa: F401

    def seed(self, seed: int) -> None:
        import keras

        keras.utils.set_random_seed(seed)

    def devices(self) -> Sequence[str]:
        return ["python:0"]

    def batches(self, samples: Samples, order: Order, epoch: int) -> Iterable[tuple[Values, ...]]:
        parts = [part for part in (samples.inputs, samples.targets, samples.weights) if part is not None]
        first = next(iter(parts[0].values())) if isinstance(parts[0], dict) else parts[0]
        indices = sample_order(len(first), order.seed, epoch) if order.is_shuffled else np.arange(len(first))
        for start in range(0, len(indices), order.batch_size):
            chosen = indices[start : start + order.batch_size]
            batch = tuple(each(lambda array, chosen=chosen: np.asarray(array)[chosen], part) for part in parts)
            yield batch if samples.change is None else samples.change(batch, chosen, epoch)

    def fit(
        self,
        model: KerasModel,
        samples: Samples,
        order: Order,
        *,
        epochs: range,
        first_step: int = 0,
        validation: Samples | None = None,
        callbacks: Sequence[KerasCallback] = (),
    ) -> None:
        import keras

        model.run_eagerly = True
        model.stop_training = False
        told = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs.stop)
        told.on_train_begin()
        for epoch in epochs:
            told.on_epoch_begin(epoch)
            total: dict[str, float] = {}
            count = 0
            for number, batch in enumerate(self.batches(samples, order, epoch)):
                if epoch == epochs.start and number < first_step:
                    continue
                self.seen.append((epoch, batch[0]))
                told.on_train_batch_begin(number)
                found = model.train_on_batch(*batch, return_dict=True)  # of this batch alone
                told.on_train_batch_end(number, found)
                size = len(np.asarray(batch[1]))
                count += size
                total = {name: total.get(name, 0.0) + size * float(value) for name, value in found.items()}
            logs = {name: value / count for name, value in total.items()}
            if validation is not None:
                told.on_test_begin()
                found = model.evaluate(
                    validation.inputs, validation.targets, batch_size=order.batch_size, return_dict=True, verbose=0
                )
                told.on_test_end(found)
                logs = {**logs, **{f"val_{name}": value for name, value in found.items()}}
            told.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        told.on_train_end()

    def predict(self, model: KerasModel, inputs: Values, batch_size: int) -> Values:
        return model(inputs, training=False)

    def gradients(
        self, function: Differentiable, arrays: Mapping[str, np.ndarray], names: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        found = {}
        for name in names:
            found[name] = np.zeros(arrays[name].shape)
            for index in np.ndindex(arrays[name].shape):
                ends = []
                for sign in (-1, 1):
                    moved = arrays[name].copy()
                    moved[index] += sign * STEP
                    ends.append(float(function({**arrays, name: moved})[0]))
                found[name][index] = (ends[1] - ends[0]) / (2 * STEP)
        return np.asarray(function(arrays)[1]), found


EAGER = EagerBackend()
