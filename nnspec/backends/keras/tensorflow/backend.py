"""TensorFlow as the engine that trains. Nothing else of nnspec imports TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.engine import KerasEngine
from nnspec.backends.keras.tensorflow.batches import batches, batches_of_epochs, steps_of
from nnspec.backends.keras.tensorflow.tracing import compiled_recurrence
from nnspec.backends.types import Differentiable, KerasCallback, KerasLogs, KerasModel, Tensor, Values


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

    def compiled(self, model: KerasModel, inputs: Values, *, is_once: bool) -> Callable[[Values], Values] | None:
        """Recurrent networks are traced, once for all lengths: one by one, the operations of each step take longer."""
        return compiled_recurrence(model, inputs, is_once=is_once)

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

        from nnspec.backends.keras.tensorflow.looked_up_rows import sum_repeated_rows
        from nnspec.backends.keras.tensorflow.losses import make_loss_variables
        from nnspec.backends.keras.tensorflow.statistics import sum_axis_by_axis
        from nnspec.backends.keras.training.partial_epoch import callbacks_of

        number, skipped = (tf.Variable(0, trainable=False, dtype=dtype) for dtype in (tf.int32, tf.int64))

        def begin(epoch: int, logs: KerasLogs) -> None:
            number.assign(epoch)
            skipped.assign(first_step if epoch == epochs.start else 0)

        sum_repeated_rows(model.optimizer)
        sum_axis_by_axis(model, order.batch_size)
        if model.trainable_variables:  # a step that makes variables as it is traced is traced once more without them
            model.optimizer.build(model.trainable_variables)
        make_loss_variables(model, samples.targets)
        steps, in_order = steps_of(samples, order), Order(order.batch_size, 0, is_shuffled=False)
        # With the length of all epochs, Keras goes on with the same iterator as an epoch begins; with that of one, or
        # with arrays for validation, it makes two iterators an epoch.
        taken = batches_of_epochs(samples, order, number, epochs.stop, skipped)
        told = [LambdaCallback(on_epoch_begin=begin), *callbacks]
        model.fit(
            taken.apply(tf.data.experimental.assert_cardinality(steps * len(epochs))),
            epochs=epochs.stop,
            initial_epoch=epochs.start,
            steps_per_epoch=steps,
            shuffle=False,  # the batches are in their order
            validation_data=None if validation is None else batches_of_epochs(validation, in_order, 0, 1),
            validation_steps=None if validation is None else steps_of(validation, in_order),
            callbacks=callbacks_of(told, model, epochs=epochs.stop, steps=steps, first_step=first_step),
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


TENSORFLOW = TensorFlowBackend()
