"""TensorFlow as the engine that trains. Nothing else of nnspec imports TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.engine import KerasEngine
from nnspec.backends.keras.streaming import flat, is_streamed, parts_of
from nnspec.backends.keras.tensorflow_stream import streamed
from nnspec.backends.sample_order import MANY
from nnspec.backends.types import Differentiable, KerasCallback, KerasLogs, KerasModel, Tensor, Values

if TYPE_CHECKING:
    from nnspec.backends.types import KerasTensor


class TensorFlowBackend(KerasEngine):
    """Keras on TensorFlow: `fit` by its compiled training loop, batches by `tf.data`."""

    name = "tensorflow"
    # Measured as it has been imported: 1,766 MiB, of which it can do without some; 2,195 with scikit-learn, and 2,453
    # where Keras finds JAX and imports it too: with less, OpenBLAS tries for ever to get its buffers.
    least_addresses = 1500 * 2**20
    least_with_unused = (2400 if find_spec("jax") is not None else 2150) * 2**20
    packages = ("keras", "tensorflow")
    unused = (*KerasEngine.unused, "jax", "scipy")

    def start(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        # oneDNN has the convolutions that TensorFlow's own kernels refuse on a CPU: channels first, dilated transposed
        # ones, unequal strides. By itself TensorFlow uses it only on processors with instructions for networks.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        super().start()

    def seed(self, seed: int) -> None:
        """Seeds Python, NumPy and TensorFlow, and makes operations deterministic."""
        super().seed(seed)
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()

    def batches(self, samples: Samples, order: Order, epoch: int) -> Iterable[tuple[Values, ...]]:
        return batches(samples, order, epoch)  # type: ignore[no-any-return]

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
        import tensorflow as tf
        from keras.callbacks import LambdaCallback

        from nnspec.backends.keras.partial_epoch import callbacks_of
        from nnspec.backends.keras.tensorflow_rows import sum_repeated_rows

        number, skipped = (tf.Variable(0, trainable=False, dtype=dtype) for dtype in (tf.int32, tf.int64))

        def begin(epoch: int, logs: KerasLogs) -> None:
            number.assign(epoch)
            skipped.assign(first_step if epoch == epochs.start else 0)

        sum_repeated_rows(model.optimizer)
        if model.trainable_variables:  # a step that makes variables as it is traced is traced once more without them
            model.optimizer.build(model.trainable_variables)
        taken = batches(samples, order, number, skipped)
        told = [LambdaCallback(on_epoch_begin=begin), *callbacks]
        model.fit(
            taken,
            epochs=epochs.stop,
            initial_epoch=epochs.start,
            shuffle=False,  # the batches are in their order
            validation_data=None if validation is None else _whole(validation, order.batch_size),
            validation_batch_size=order.batch_size,
            callbacks=callbacks_of(told, model, epochs=epochs.stop, steps=len(taken), first_step=first_step),
            verbose=0,
        )

    def gradients(
        self, function: Differentiable, arrays: Mapping[str, np.ndarray], names: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        import tensorflow as tf

        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        with tf.GradientTape() as tape:
            for name in names:
                tape.watch(tensors[name])
            scalar, value = function(tensors)
        found = tape.gradient(scalar, {name: tensors[name] for name in names})
        return np.asarray(value), {
            name: np.zeros(arrays[name].shape) if gradient is None else np.asarray(gradient)
            for name, gradient in found.items()
        }

    def traced(
        self, function: Callable[..., Tensor], signature: Sequence[tuple[Sequence[int | None], str]]
    ) -> tuple[Callable[..., Tensor], list[Tensor]]:
        """A function of tensors as tf2onnx reads it: with its signature, an entry of shape and dtype a tensor."""
        import tensorflow as tf

        specs = [tf.TensorSpec(shape, dtype, name=f"input_{i}") for i, (shape, dtype) in enumerate(signature)]
        return tf.function(function, input_signature=specs), specs


def batches(samples: Samples, order: Order, epoch: int | Tensor, skipped: int | Tensor = 0) -> Tensor:
    """A `tf.data.Dataset` of batches `(inputs, targets)`, with `weights` behind them where there are any.

    Args:
        epoch: the number of the epoch, or a variable that has it when the dataset is iterated over anew.
        skipped: how many of the first batches are left out, or a variable likewise. `len` still counts them.
    """
    import tensorflow as tf

    known = len(flat(samples.inputs)[0])
    if is_streamed(samples) or (order.is_shuffled and known > MANY):
        return streamed(samples, order, epoch, skipped)
    data = tf.nest.map_structure(_as_tensor, parts_of(samples))
    count, size = len(tf.nest.flatten(data)[0]), order.batch_size
    whole, rest = count // size * size, count % size

    def indices(_: Tensor) -> Tensor:
        found = tf.range(count, dtype=tf.int64)
        if not order.is_shuffled:
            return found
        # what `sample_order` gives, by a kernel
        return tf.random.experimental.stateless_shuffle(found, seed=tf.stack([order.seed, epoch]))

    def cut(found: Tensor) -> Tensor:
        full = tf.data.Dataset.from_tensor_slices(tf.reshape(found[skipped * size : whole], (-1, size)))
        return full.concatenate(tf.data.Dataset.from_tensors(found[whole:])) if rest else full

    order_of_batches = tf.data.Dataset.range(1).map(indices).flat_map(cut)
    pairs = tf.data.Dataset.zip((order_of_batches, tf.data.Dataset.from_tensors(data).repeat()))
    taken = pairs.map(
        lambda chosen, all_of_it: tf.nest.map_structure(lambda array: tf.gather(array, chosen), all_of_it),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    if samples.change is not None:
        taken = tf.data.Dataset.zip((order_of_batches, taken)).map(
            lambda chosen, parts: _changed(samples, parts, chosen, epoch), num_parallel_calls=tf.data.AUTOTUNE
        )
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # they cost more than they bring here
    known = taken.apply(tf.data.experimental.assert_cardinality(whole // size + bool(rest)))
    return known.with_options(options).prefetch(tf.data.AUTOTUNE)


def _changed(samples: Samples, parts: tuple[Values, ...], chosen: Tensor, epoch: Tensor) -> tuple[Tensor, ...]:
    """A batch as `samples.change` turns it out; its arrays keep their dtypes."""
    import tensorflow as tf

    assert samples.change is not None
    flat = tf.nest.flatten(parts)

    def changed(chosen: np.ndarray, epoch: np.int32, *arrays: np.ndarray) -> list[np.ndarray]:
        assert samples.change is not None
        found = samples.change(tf.nest.pack_sequence_as(parts, list(arrays)), chosen, int(epoch))
        return [np.asarray(array) for array in tf.nest.flatten(found)]

    found = tf.numpy_function(changed, [chosen, epoch, *flat], [tensor.dtype for tensor in flat])
    first = samples.change(
        tf.nest.map_structure(lambda array: np.asarray(array[:1]), parts_of(samples)), np.zeros(1), 0
    )
    for tensor, array in zip(found, tf.nest.flatten(first), strict=True):
        tensor.set_shape((None, *np.shape(array)[1:]))
    packed: tuple[Tensor, ...] = tf.nest.pack_sequence_as(parts, found)
    return packed


def _whole(samples: Samples, batch_size: int) -> Tensor:
    """All samples as Keras takes them for validation: arrays, or batches where these are gathered."""
    if is_streamed(samples):
        return streamed(samples, Order(batch_size, 0, is_shuffled=False), 0)
    return parts_of(samples)


def _as_tensor(array: KerasTensor) -> Tensor:
    import tensorflow as tf

    if isinstance(array, np.ndarray) and array.dtype == np.float64:
        array = array.astype(np.float32)
    return tf.convert_to_tensor(array)


TENSORFLOW = TensorFlowBackend()
