"""JAX as the engine that trains. Nothing else of nnspec imports JAX, and nothing here imports TensorFlow."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.engine import KerasEngine
from nnspec.backends.sample_order import sample_order
from nnspec.backends.types import Differentiable, KerasCallback, KerasDataset, KerasLogs, KerasModel, Tensor, Values

BatchOf = Callable[[Samples, np.ndarray, int], tuple[Values, ...]]
DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


class JaxBackend(KerasEngine):
    """Keras on JAX: `fit` by its compiled training loop, batches gathered by NumPy."""

    name = "jax"
    packages = ("keras", "jax", "jaxlib")

    def load(self) -> None:
        super().load()
        from nnspec.backends.keras.jax.adaptive_windows import use_whole_numbers
        from nnspec.backends.keras.jax.logits import take_logits
        from nnspec.backends.keras.jax.lost_masks import lose_masks_of_inputs
        from nnspec.backends.keras.jax.resized_pictures import resize_as_tensorflow

        use_whole_numbers()
        resize_as_tensorflow()
        lose_masks_of_inputs()
        take_logits()

    def start(self) -> None:
        flags = os.environ.get("XLA_FLAGS", "")
        if "xla_gpu_deterministic_ops" not in flags:  # read once, as JAX first looks for devices
            os.environ["XLA_FLAGS"] = f"{flags} {DETERMINISTIC}".strip()
        from keras.src.utils.module_utils import tensorflow

        if "tensorflow" not in sys.modules:  # Keras seeds it and asks for its types, and would import it for that alone
            tensorflow._available = False
        super().start()

    def batches(self, samples: Samples, order: Order, epoch: int) -> Iterable[tuple[Values, ...]]:
        return batches(samples, order, epoch)

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
        from keras.callbacks import LambdaCallback

        from nnspec.backends.keras.training.partial_epoch import callbacks_of

        training = self.dataset(samples, order)
        training.begin(epochs.start, first_step)

        def begin(epoch: int, logs: KerasLogs) -> None:
            training.begin(epoch, first_step if epoch == epochs.start else 0)

        in_order = Order(order.batch_size, 0, is_shuffled=False)
        told = [LambdaCallback(on_epoch_begin=begin), *callbacks]
        model.fit(
            training,
            epochs=epochs.stop,
            initial_epoch=epochs.start,
            shuffle=False,  # the batches are in their order
            validation_data=None if validation is None else self.dataset(validation, in_order),
            callbacks=callbacks_of(told, model, epochs=epochs.stop, steps=len(training), first_step=first_step),
            verbose=0,
        )

    def dataset(self, samples: Samples, order: Order) -> KerasDataset:
        """The batches of `batches` as Keras takes them, of the epoch that `begin` was last told."""
        return dataset(samples, order, batch_of)

    def gradients(
        self, function: Differentiable, arrays: Mapping[str, np.ndarray], names: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        import jax

        fixed = {name: array for name, array in arrays.items() if name not in names}
        moved = {name: jax.numpy.asarray(arrays[name]) for name in names}

        def differentiated(some: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            return function({**fixed, **some})

        (_, value), found = jax.value_and_grad(differentiated, has_aux=True)(moved)
        return np.asarray(value), {name: np.asarray(gradient) for name, gradient in found.items()}


def batches(samples: Samples, order: Order, epoch: int) -> Iterator[tuple[Values, ...]]:
    """The batches of an epoch, `(inputs, targets)` with `weights` behind them where there are any."""
    rows = rows_of(samples, order, epoch)
    for start in range(0, len(rows), order.batch_size):
        yield batch_of(samples, rows[start : start + order.batch_size], epoch)


def rows_of(samples: Samples, order: Order, epoch: int) -> np.ndarray:
    """The samples of an epoch by number, in their order."""
    inputs = samples.inputs
    count = len(next(iter(inputs.values())) if isinstance(inputs, Mapping) else inputs)
    return sample_order(count, order.seed, epoch) if order.is_shuffled else np.arange(count)


def batch_of(samples: Samples, rows: np.ndarray, epoch: int) -> tuple[Values, ...]:
    """The batch of these samples: `(inputs, targets)`, with `weights` behind them where there are any."""
    parts = [part for part in (samples.inputs, samples.targets, samples.weights) if part is not None]
    batch = tuple(_gather_rows(part, rows) for part in parts)
    return batch if samples.change is None else samples.change(batch, rows, epoch)


def dataset(samples: Samples, order: Order, gather: BatchOf) -> KerasDataset:
    """Batches as Keras takes them, of the epoch that `begin` was last told.

    Args:
        gather: gives the batch of some samples in an epoch.
    """
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.begin(0)

        def begin(self, epoch: int, skipped: int = 0) -> None:
            """Batches are those of this epoch, less so many of the first ones."""
            self.rows, self.epoch, self.skipped = rows_of(samples, order, epoch), epoch, skipped

        def __len__(self) -> int:
            return -(-len(self.rows) // order.batch_size)

        def __getitem__(self, step: int) -> tuple[Values, ...]:
            step = min(step + self.skipped, len(self) - 1)  # Keras may look one ahead of the last
            start = step * order.batch_size
            return gather(samples, self.rows[start : start + order.batch_size], self.epoch)

    return Batches()


def _gather_rows(values: Values, rows: np.ndarray) -> Values:
    """The rows of one array, or of several by name."""
    if isinstance(values, Mapping):
        return {name: _gather_rows(value, rows) for name, value in values.items()}
    taken = np.asarray(values[rows])
    return taken.astype(np.float32) if taken.dtype == np.float64 else taken


JAX = JaxBackend()
