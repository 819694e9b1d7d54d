"""Losses and metrics of an output as Keras objects, adapted to the targets that nnspec passes.

The targets of a classification are class indices, axes `batch *output` without the class axis. Half of Keras' losses
and metrics want them one-hot, some metrics want indices predicted, most the classes along the last axis, and a few two
axes. So each object is Keras' own, with its arguments, and what it is called with is brought to its form first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.keras.training.pinball import build_pinball
from nnspec.catalogue import keras_objects
from nnspec.catalogue.losses import ALONG_CLASSES, DECISIONS, PINBALL, Measure, at_threshold, loss_of, measures
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Output
from nnspec.ir.levels import middle

if TYPE_CHECKING:
    from nnspec.backends.types import KerasLoss, KerasMetric, KerasTensor

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
_CORRELATIONS = frozenset({"PearsonCorrelation", "ConcordanceCorrelation"})
_OF_WHOLE_WEIGHTS = frozenset({"IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"})  # each value weighs 0 or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How an object wants to be called.

    Attributes:
        class_axis: the classes' position, batch included, in the predictions; None where there are no classes.
        is_moved: whether the class axis goes last.
        targets, predictions: `indices` or `shares` of a classification; None leaves them.
        link: the function that makes probabilities of scores, where they are wanted.
        has_two_axes: whether all axes but the last become one.
        counts: which targets count, as `Output` says; those that do not hold what `marked` puts there.
        fill: what a prediction is taken for whose target does not count, so that its loss, times 0, is 0.
        taken: of quantiles, the axis of the levels, batch included, and the level that stands for all of them.
        is_ramp: whether what stands there must differ along the last axis: a correlation divides by its deviation.
    """

    class_axis: int | None = None
    is_moved: bool = False
    targets: str | None = None
    predictions: str | None = None
    link: str | None = None
    has_two_axes: bool = False
    counts: str = "all"
    fill: float = 0.5
    is_ramp: bool = False
    taken: tuple[int, int] | None = None

    @property
    def changes_nothing(self) -> bool:
        if self.taken is not None:
            return False
        is_plain = self.targets != "shares" and self.predictions != "indices" and self.counts == "all"
        return is_plain and not self.is_moved and self.link is None and not self.has_two_axes

    def read(
        self, truth: KerasTensor, predicted: KerasTensor, weights: KerasTensor | None = None
    ) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Targets and predictions in this form, and which count: None, or 1 and 0 with the axes that a loss gives.

        With `weights`, axes as the targets, these take the place of 1. A mask of the predictions goes along where all
        targets count and weigh the same.
        """
        from keras import activations, ops
        from keras.src.backend import get_keras_mask, set_keras_mask

        mask = None if predicted is None else get_keras_mask(predicted)
        if self.taken is not None:
            axis, index = self.taken
            predicted = ops.take(predicted, index, axis=axis)
        counted = None
        if self.counts != "all":
            truth, predicted, counted = self.counted(truth, predicted)
        if weights is not None:
            counted = self._weighted(weights, counted)
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
        if counted is not None and not self.fill:  # after the link function, and one-hot; of losses alone
            kept = counted if self.class_axis is None else ops.expand_dims(counted, self.class_axis)
            truth, predicted = truth * kept, predicted * kept
        if self.has_two_axes:
            width = predicted.shape[-1] if len(predicted.shape) > 1 else 1
            truth, predicted = (ops.reshape(array, (-1, width)) for array in (truth, predicted))
            counted = None if counted is None else ops.reshape(counted, (-1,))
        elif mask is not None and predicted is not None and counted is None:
            set_keras_mask(predicted, mask)
        return truth, predicted, counted

    def _weighted(self, weights: KerasTensor, counted: KerasTensor | None) -> KerasTensor:
        """What each value of a loss counts, where each target has a weight."""
        is_each = self.class_axis is not None or self.counts == "values" or len(weights.shape) < 2
        own = weights if is_each else weights[..., 0]
        return own if counted is None else own * counted

    def counted(self, truth: KerasTensor, predicted: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Targets and predictions, harmless numbers where they do not count, and 1 where they do."""
        from keras import ops

        if self.class_axis is not None:
            is_counted = truth >= 0
            truth = ops.where(is_counted, truth, ops.zeros_like(truth))
            shown = ops.expand_dims(is_counted, self.class_axis)
        else:
            is_counted = ops.equal(truth, truth)  # a NaN equals nothing
            truth = ops.where(is_counted, truth, ops.zeros_like(truth))
            shown = is_counted
        fill = ops.cast(self.fill, predicted.dtype)
        if self.is_ramp:
            fill = ops.arange(predicted.shape[-1], dtype=predicted.dtype)
            truth = ops.where(shown, truth, ops.cast(fill, truth.dtype))
        predicted = ops.where(shown, predicted, fill)
        if self.class_axis is None and self.counts == "values":
            truth, predicted = ops.expand_dims(truth, -1), ops.expand_dims(predicted, -1)
        elif self.class_axis is None:
            is_counted = is_counted[..., 0] if self.fill else is_counted
        return truth, predicted, ops.cast(is_counted, predicted.dtype)


def mark_uncounted(output: Output, targets: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    """Targets as the losses and metrics of `build_loss` and `build_metrics` read them, where some do not count."""
    if counted is None:
        return targets
    return np.where(counted, targets, -1 if output.task == "classification" else np.float32(np.nan))


def weighs_steps(output: Output) -> bool:
    """Whether an output's loss takes a weight for each of its targets; the others sum over all of them."""
    return loss_of(output)[0] not in _WITH_AXES_IN_PLACE


def _form(output: Output, kind: str, arguments: Args, *, is_metric: bool) -> _Form:
    link = None
    if is_metric and output.gives_scores and kind in _OF_PROBABILITIES and not _reads_scores(arguments):
        link = "softmax" if output.task == "classification" else "sigmoid"
    has_two_axes = is_metric and (kind in _OF_TWO_AXES or bool(arguments.get("multi_label")))
    fill = 0.0 if kind in _WITH_AXES_IN_PLACE else 0.5
    if output.task != "classification":
        is_ramp = kind in _CORRELATIONS
        taken = None if output.level_axis is None else (output.level_axis + 1, middle(output.levels))
        return _Form(
            link=link, has_two_axes=has_two_axes, counts=output.counts, fill=fill, is_ramp=is_ramp, taken=taken
        )
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
        counts=output.counts,
        fill=fill,
    )


def _reads_scores(arguments: Args) -> bool:
    """Whether the spec says that the metric takes the scores as they are: a threshold of 0 is one of scores."""
    return bool(arguments.get("from_logits")) or arguments.get("threshold") == 0


def _keras_arguments(output: Output, kind: str, arguments: Args) -> Args:
    """The arguments, less an `axis` that says where the classes are, for they go last.

    Keras takes no other than the last in most places, and `MeanIoU` fails on a positive one.
    """
    is_class_axis = output.task == "classification" and kind in ALONG_CLASSES and arguments.get("axis") != -1
    return {key: value for key, value in arguments.items() if not (is_class_axis and key == "axis")}


def build_loss(output: Output) -> KerasLoss:
    """The loss of an output."""
    kind, arguments = loss_of(output)
    if kind == PINBALL:
        return build_pinball(output)
    form = _form(output, kind, arguments, is_metric=False)
    loss = keras_objects.build("losses", {kind: _keras_arguments(output, kind, arguments)})
    if not form.changes_nothing:
        plain = loss.call
        loss.call = lambda y_true, y_pred: plain(*form.read(y_true, y_pred)[:2])
    return loss


def build_metrics(output: Output, threshold: float | None = None, *, is_weighted: bool = False) -> list[KerasMetric]:
    """The metrics of an output, or those of its task.

    Args:
        threshold: the probability at which yes begins, for metrics that name no other; default: Keras' own.
        is_weighted: those that count samples by their weights; `sample_weight` has axes as the targets then.
    """
    asked = measures(output, is_weighted=is_weighted)
    return [_build_metric(output, at_threshold(measure, threshold), is_weighted=is_weighted) for measure in asked]


def _build_metric(output: Output, measure: Measure, *, is_weighted: bool = False) -> KerasMetric:
    form = _form(output, measure.kind, measure.arguments, is_metric=True)
    arguments = {**_keras_arguments(output, measure.kind, measure.arguments), "name": measure.name}
    metric = keras_objects.build("metrics", {measure.kind: arguments})
    if is_weighted and measure.kind in _OF_WHOLE_WEIGHTS:  # Keras counts these in integers, to which it rounds weights
        metric = type(metric).from_config({**metric.get_config(), "dtype": "float32"})
    if is_weighted or not form.changes_nothing:
        plain = metric.update_state

        def update_state(
            y_true: KerasTensor, y_pred: KerasTensor, sample_weight: KerasTensor | None = None
        ) -> KerasTensor:
            truth, predicted, counted = form.read(y_true, y_pred, sample_weight if is_weighted else None)
            if counted is not None and measure.kind in _OF_WHOLE_WEIGHTS:
                counted = _expand_weights(truth, counted, metric.dtype, is_each=form.class_axis is None)
            return plain(truth, predicted, sample_weight=sample_weight if counted is None else counted)

        metric.update_state = update_state
    if measure.kind == "R2Score" and metric.num_regressors:
        _adjust_in_graph(metric)
    return metric


def _expand_weights(truth: KerasTensor, counted: KerasTensor, dtype: str, *, is_each: bool) -> KerasTensor:
    """Weights as Keras' confusion matrices take them: in their dtype, for each value or for each class index."""
    from keras import ops

    wide = ops.broadcast_to(ops.expand_dims(counted, -1), ops.shape(truth)) if is_each else counted
    return ops.cast(wide, dtype)


def _adjust_in_graph(metric: KerasMetric) -> None:
    """R² adjusted for the number of regressors: Keras' own asks a tensor for its truth, which a graph has not.

    Formula: 1 - (1 - R²)·(n - 1) / (n - p - 1), for n values and p regressors; R² itself where n ≤ p + 1.
    """
    from keras import ops

    plain, regressors = metric.result, metric.num_regressors

    def result() -> KerasTensor:
        metric.num_regressors = 0
        score = plain()
        metric.num_regressors = regressors
        free = ops.cast(metric.num_samples, score.dtype) - regressors - 1
        return ops.where(free > 0, 1 - (1 - score) * (free + regressors) / ops.maximum(free, 1), score)

    metric.result = result
