"""The mean loss of each of several outputs, over samples; Keras on TensorFlow takes it over batches.

Keras weighs the loss of each batch by the size of its outputs' first axis, which is not known as TensorFlow traces a
step. The last batch, which may have a single sample, counted as much as any other, and `val_NAME_loss` was another
number than the same losses under `val_loss`, and than on JAX.
"""

from __future__ import annotations

from types import MethodType

from nnspec.backends.types import KerasLoss, KerasMetric, KerasModel, Tensor, Values


def make_loss_variables(model: KerasModel, targets: Values) -> None:
    """Makes the means, which Keras makes as it first computes the loss, and has them weigh batches by their samples."""
    loss = model._compile_loss
    if loss is None or not isinstance(targets, dict):
        return
    outputs = model.output
    if not isinstance(outputs, dict) or targets.keys() != outputs.keys():
        return
    if not loss.built:  # it is where a training goes on within an epoch
        loss.build(dict.fromkeys(outputs), outputs)
    if "call" not in vars(loss):
        _weigh_batches(loss)


def _weigh_batches(loss: KerasLoss) -> None:
    sizes: list[Tensor] = []
    plain = loss.call

    def call(self: KerasLoss, y_true: Values, y_pred: dict[str, Tensor], sample_weight: Values | None = None) -> Tensor:
        import tensorflow as tf

        sizes[:] = [tf.shape(next(iter(y_pred.values())))[0]]
        return plain(y_true, y_pred, sample_weight)

    loss.call = MethodType(call, loss)
    for metric in loss.metrics:
        _weigh(metric, sizes)


def _weigh(metric: KerasMetric, sizes: list[Tensor]) -> None:
    plain = metric.update_state

    def update_state(self: KerasMetric, values: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return plain(values, sample_weight=sizes[0] if sample_weight is None else sample_weight)

    metric.update_state = MethodType(update_state, metric)
