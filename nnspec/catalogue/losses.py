"""The loss and metrics of an output, with the defaults of its task.

Names alone, no framework: the checks, the training and the messages speak of the same metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.ir.graph import Args, Graph, Output
from nnspec.lazy import dataclass

PINBALL = "Pinball"  # no class of Keras: `nnspec.backends.keras.training.pinball` has it
DEFAULT_LOSS = {
    "regression": "MeanSquaredError",
    "quantiles": PINBALL,
    "classification": "SparseCategoricalCrossentropy",
    "binary": "BinaryCrossentropy",
    "multilabel": "BinaryCrossentropy",
}
DEFAULT_METRICS: dict[str, tuple[str, ...]] = {
    "regression": ("mae",),
    "quantiles": ("mae",),  # of the level nearest the median
    "classification": ("accuracy",),
    "binary": ("accuracy",),
    "multilabel": ("binary_accuracy",),
}
# What the words `crossentropy` and `accuracy` mean. `Model.compile` guesses by shapes, and takes the values of a
# multilabel for shares of one whole.
_ACCURACY = {
    "regression": "CategoricalAccuracy",
    "quantiles": "CategoricalAccuracy",
    "classification": "SparseCategoricalAccuracy",
    "binary": "BinaryAccuracy",
    "multilabel": "BinaryAccuracy",
}
# Losses of targets that are shares of one whole, and of targets between 0 and 1.
SHARES = frozenset({"KLDivergence", "CategoricalCrossentropy", "CategoricalFocalCrossentropy"})
FRACTIONS = frozenset({"BinaryCrossentropy", "BinaryFocalCrossentropy"})
# Losses of scores whose sign decides, without a sigmoid or softmax.
LOGARITHMS = frozenset({"Poisson"})  # of the output itself
SCORE_LOSSES = frozenset({"Hinge", "SquaredHinge", "CategoricalHinge"})

_OF_VALUES = frozenset({"MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh", "Poisson", "Dice", "Tversky"})
_OF_YES_AND_NO = _OF_VALUES | FRACTIONS | {"Hinge", "SquaredHinge"}
LOSSES: Mapping[str, frozenset[str]] = {
    "regression": _OF_VALUES
    | SHARES
    | FRACTIONS
    | {"MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "CosineSimilarity"},
    "classification": _OF_VALUES
    | SHARES
    | {
        "SparseCategoricalCrossentropy",
        "CategoricalGeneralizedCrossEntropy",
        "CategoricalHinge",
        "CosineSimilarity",
    },
    "quantiles": frozenset(),
    "binary": _OF_YES_AND_NO,
    "multilabel": _OF_YES_AND_NO | {"CosineSimilarity"},
}

# Losses and metrics whose `axis` is the class axis.
ALONG_CLASSES = frozenset(
    {
        "SparseCategoricalCrossentropy",
        "CategoricalCrossentropy",
        "CategoricalFocalCrossentropy",
        "IoU",
        "MeanIoU",
        "OneHotIoU",
        "OneHotMeanIoU",
    }
)

_ERRORS = frozenset({"MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError", "LogCoshError", "Poisson"})
# Metrics that count hits above a threshold.
DECISIONS = frozenset(
    {
        "AUC", "Precision", "Recall", "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity",
        "SpecificityAtSensitivity", "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "F1Score",
        "FBetaScore",
    }
)  # fmt: skip
# The argument that says where yes begins.
_THRESHOLDS = {
    **dict.fromkeys(("Precision", "Recall"), "thresholds"),
    **dict.fromkeys(("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"), "thresholds"),
    **dict.fromkeys(("BinaryAccuracy", "BinaryIoU", "F1Score", "FBetaScore"), "threshold"),
}
_YES_AND_NO = frozenset({"BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "Hinge", "SquaredHinge"})
_SHARES = frozenset(
    {"KLDivergence", "CategoricalCrossentropy", "CategoricalAccuracy", "TopKCategoricalAccuracy", "CosineSimilarity"}
)
_OF_NUMBERS = _ERRORS | {
    "CosineSimilarity", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "R2Score",
    "PearsonCorrelation", "ConcordanceCorrelation",
}  # fmt: skip
METRICS: Mapping[str, frozenset[str]] = {
    "regression": _OF_NUMBERS,
    "quantiles": _OF_NUMBERS,
    "classification": _ERRORS
    | DECISIONS
    | _SHARES
    | {
        "CategoricalHinge", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
        "SparseCategoricalCrossentropy", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU",
    },
    "binary": _ERRORS | DECISIONS | _YES_AND_NO,
    "multilabel": _ERRORS | DECISIONS | _YES_AND_NO | {"CosineSimilarity"},
}  # fmt: skip


def loss_of(output: Output) -> tuple[str, dict[str, Any]]:
    """Class and arguments of an output's loss: the one that the spec names, else that of the task."""
    if output.loss is None and output.task == "quantiles":
        return PINBALL, {}
    if not output.is_trained:
        return "", {}
    name, arguments = keras_objects.canonical(
        "losses", output.loss if output.loss is not None else DEFAULT_LOSS[output.task]
    )
    return (DEFAULT_LOSS[output.task] if name in keras_objects.words("losses") else name), arguments


def measured_by(output: Output) -> frozenset[str]:
    """The metrics that can read an output: those of its task, and of a regression those that its loss tells of."""
    loss = loss_of(output)[0]
    if output.task != "regression":
        return METRICS[output.task]
    return METRICS["regression"] | (
        _SHARES if loss in SHARES else {"BinaryCrossentropy"} if loss in FRACTIONS else set()
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric of an output.

    Attributes:
        name: what the history calls it, the output left out.
        kind: Keras' class.
        is_higher_better: whether more is better; None where that depends on what it is asked for.
    """

    name: str
    kind: str
    arguments: Args
    is_higher_better: bool | None


def measures(output: Output, *, is_weighted: bool = False) -> list[Measure]:
    """The metrics of an output, or those of its task; metrics of one name are numbered, as `Model.compile` does.

    Args:
        is_weighted: those that count each sample by its weight instead; none but those that the spec names.
    """
    asked = output.weighted_metrics if is_weighted else output.metrics or DEFAULT_METRICS.get(output.task, ())
    found: list[Measure] = []
    counts: dict[str, int] = {}
    for value in asked:
        kind, arguments = keras_objects.canonical("metrics", value)
        if kind in keras_objects.words("metrics"):
            kind = _ACCURACY[output.task]
        name = arguments.pop("name", None) or (value if isinstance(value, str) else keras_objects.metric_name(kind))
        count = counts[name] = counts.get(name, 0) + 1
        found.append(
            Measure(
                name if count == 1 else f"{name}_{count - 1}", kind, arguments, keras_objects.is_higher_better(kind)
            )
        )
    return found


def at_threshold(measure: Measure, threshold: float | None) -> Measure:
    """The metric, deciding at this probability where its arguments name no threshold."""
    key = _THRESHOLDS.get(measure.kind)
    if threshold is None or key is None or {key, "top_k"} & {k for k, v in measure.arguments.items() if v is not None}:
        return measure
    return Measure(measure.name, measure.kind, {**measure.arguments, key: threshold}, measure.is_higher_better)


def epoch_metrics(graph: Graph, *, is_validated: bool) -> dict[str, bool | None]:
    """Every metric of an epoch by the name that the history has, and whether more is better.

    Keras' names: `loss`, of several outputs also `OUTPUT_loss`, the metrics as `OUTPUT_METRIC`; with `val_` before it
    what the validation split gave.
    """
    found: dict[str, bool | None] = {"loss": False}
    trained = {name: output for name, output in graph.outputs.items() if output.is_trained}
    is_alone = len(trained) == 1
    for name, output in trained.items():
        if not is_alone:
            found[f"{name}_loss"] = False
        for measure in measures(output):
            found[measure.name if is_alone else f"{name}_{measure.name}"] = measure.is_higher_better
    return found | (
        {f"val_{name}": is_higher_better for name, is_higher_better in found.items()} if is_validated else {}
    )
