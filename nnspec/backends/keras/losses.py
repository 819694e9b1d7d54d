"""Losses and metrics of an output as Keras objects that read the targets that nnspec has.

The targets of a classification are class indices, axes `batch *output` without the class axis. Half of Keras' losses
and metrics want them one-hot, some metrics want indices predicted, most the classes along the last axis, and a few two
axes. So each object is Keras' own, with its arguments, and what it is called with is brought to its form first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.catalogue.losses import ALONG_CLASSES, DECISIONS, Measure, loss_of, measures
from nnspec.ir import axes as ax
from nnspec.ir.graph import Output

Read = Callable[[Any, Any], tuple[Any, Any]]

_OF_INDICES = frozenset(
    {
        "SparseCategoricalCrossentropy",
        "CategoricalGeneralizedCrossEntropy",
        "SparseCategoricalAccuracy",
        "SparseTopKCategoricalAccuracy",
    }
)
_OF_PROBABILITIES = DECISIONS | {
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "KLDivergence",
    "MeanSquaredError",
    "MeanAbsoluteError",
    "RootMeanSquaredError",
    "LogCoshError",
    "CosineSimilarity",
    "Poisson",
}
_OF_TWO_AXES = frozenset({"F1Score", "FBetaScore", "R2Score"})
_WITH_AXES_IN_PLACE = frozenset({"Dice", "Tversky"})  # their `axis` says which axes of the output they sum over


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How an object wants to be called.

    Attributes:
        class_axis: the classes' position, batch included, in the predictions; None where there are no classes.
        is_moved: whether the class axis goes last.
        targets, predictions: `indices` or `shares` of a classification; None leaves them.
        link: the function that makes probabilities of scores, where they are wanted.
        has_two_axes: whether all axes but the last become one.
    """

    class_axis: int | None = None
    is_moved: bool = False
    targets: str | None = None
    predictions: str | None = None
    link: str | None = None
    has_two_axes: bool = False

    @property
    def changes_nothing(self) -> bool:
        is_plain = self.targets != "shares" and self.predictions != "indices"
        return is_plain and not self.is_moved and self.link is None and not self.has_two_axes

    def read(self, truth: Any, predicted: Any) -> tuple[Any, Any]:
        """Targets and predictions in this form; a mask of the predictions goes along."""
        from keras import activations, ops

        mask = getattr(predicted, "_keras_mask", None)
        if self.class_axis is not None:
            size, place = predicted.shape[self.class_axis], self.class_axis
            if self.is_moved:
                predicted, place = ops.moveaxis(predicted, self.class_axis, -1), -1
            if self.link is not None:
                predicted = activations.softmax(predicted, axis=place)
            if self.targets == "shares":
                truth = ops.one_hot(ops.cast(truth, "int32"), size, axis=place, dtype=predicted.dtype)
            if self.predictions == "indices":
                predicted = ops.argmax(predicted, axis=place)
        elif self.link is not None:
            predicted = activations.sigmoid(predicted)
        if self.has_two_axes:
            width = predicted.shape[-1] if len(predicted.shape) > 1 else 1
            truth, predicted = (ops.reshape(array, (-1, width)) for array in (truth, predicted))
        elif mask is not None and predicted is not None:
            predicted._keras_mask = mask
        return truth, predicted


def _form(output: Output, kind: str, arguments: Mapping[str, Any], *, is_metric: bool) -> _Form:
    link = None
    if is_metric and output.gives_scores and kind in _OF_PROBABILITIES and not _reads_scores(arguments):
        link = "softmax" if output.task == "classification" else "sigmoid"
    has_two_axes = is_metric and (kind in _OF_TWO_AXES or bool(arguments.get("multi_label")))
    if output.task != "classification":
        return _Form(link=link, has_two_axes=has_two_axes)
    count = len(output.value.axes)
    position = ax.index_of(output.value.axes, output.class_axis or "")
    place = count if position is None else position + 1
    targets = "indices" if kind in _OF_INDICES else "shares"
    predictions = None
    if kind in ("IoU", "MeanIoU"):
        targets = "indices" if arguments.get("sparse_y_true", True) else "shares"
        predictions = "indices" if arguments.get("sparse_y_pred", True) else None
    elif kind in ("OneHotIoU", "OneHotMeanIoU"):
        predictions = "indices" if arguments.get("sparse_y_pred", False) else None
    is_moved = place != count and kind not in _WITH_AXES_IN_PLACE
    return _Form(
        class_axis=place,
        is_moved=is_moved,
        targets=targets,
        predictions=predictions,
        link=link,
        has_two_axes=has_two_axes,
    )


def _reads_scores(arguments: Mapping[str, Any]) -> bool:
    """Whether the spec says that the metric takes the scores as they are: a threshold of 0 is one of scores."""
    return bool(arguments.get("from_logits")) or arguments.get("threshold") == 0


def _keras_arguments(output: Output, kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, less an `axis` that says where the classes are, for they go last.

    Keras takes no other than the last in most places, and `MeanIoU` fails on a positive one.
    """
    is_class_axis = output.task == "classification" and kind in ALONG_CLASSES and arguments.get("axis") != -1
    return {key: value for key, value in arguments.items() if not (is_class_axis and key == "axis")}


def build_loss(output: Output) -> Any:
    """The loss of an output."""
    kind, arguments = loss_of(output)
    form = _form(output, kind, arguments, is_metric=False)
    loss = keras_objects.build("losses", {kind: _keras_arguments(output, kind, arguments)})
    if not form.changes_nothing:
        plain = loss.call
        loss.call = lambda y_true, y_pred: plain(*form.read(y_true, y_pred))
    return loss


def build_metrics(output: Output) -> list[Any]:
    """The metrics of an output, or those of its task."""
    return [_build_metric(output, measure) for measure in measures(output)]


def _build_metric(output: Output, measure: Measure) -> Any:
    form = _form(output, measure.kind, measure.arguments, is_metric=True)
    arguments = {**_keras_arguments(output, measure.kind, measure.arguments), "name": measure.name}
    metric = keras_objects.build("metrics", {measure.kind: arguments})
    if not form.changes_nothing:
        plain = metric.update_state

        def update_state(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            return plain(*form.read(y_true, y_pred), sample_weight=sample_weight)

        metric.update_state = update_state
    if measure.kind == "R2Score" and metric.num_regressors:
        _adjust_in_graph(metric)
    return metric


def _adjust_in_graph(metric: Any) -> None:
    """R² adjusted for the number of regressors: Keras' own asks a tensor for its truth, which a graph has not.

    Formula: 1 - (1 - R²)·(n - 1) / (n - p - 1), for n values and p regressors; R² itself where n ≤ p + 1.
    """
    from keras import ops

    plain, regressors = metric.result, metric.num_regressors

    def result() -> Any:
        metric.num_regressors = 0
        score = plain()
        metric.num_regressors = regressors
        free = ops.cast(metric.num_samples, score.dtype) - regressors - 1
        return ops.where(free > 0, 1 - (1 - score) * (free + regressors) / ops.maximum(free, 1), score)

    metric.result = result
