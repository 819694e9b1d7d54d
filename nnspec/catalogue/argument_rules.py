"""What introspection of Keras cannot see: ranges, choices, types behind a default of None, what no spec can name."""

from __future__ import annotations

from nnspec.document.types import JsonSchema

Schema = JsonSchema

# Words that are no class: `Model.compile` chooses one by the output's shape and the target's.
WORDS: dict[str, dict[str, str]] = {
    "losses": dict.fromkeys(
        ("ce", "crossentropy"), "Binary, categorical or sparse categorical crossentropy, whichever fits the output."
    ),
    "metrics": dict.fromkeys(
        ("acc", "accuracy"), "Binary, categorical or sparse categorical accuracy, whichever fits the output."
    ),
}
# What a spec cannot name: why (completes "`Callback` …"), and what to write instead.
BASE = "is an abstract base class"
EXCLUDED: dict[str, dict[str, tuple[str, str]]] = {
    "activations": {
        "glu": (
            "halves the last axis, which layers with an activation do not expect",
            "split a layer of twice the width in two, apply a sigmoid to one half, and join them with `Multiply`",
        ),
        "threshold": (
            "has required arguments, and an activation is written as a name",
            "use `relu`, or the layer `ReLU` with its `threshold`",
        ),
    },
    "callbacks": {
        "Callback": (BASE, "name a concrete callback, such as `EarlyStopping`"),
        "CallbackList": ("contains callbacks that are Python objects", "list the callbacks under `training.callbacks`"),
        "History": ("is part of every training", "remove it: the metrics of every epoch are in `history.csv`"),
        "LambdaCallback": (
            "contains Python code, but a spec is data and never runs code",
            "use one of Keras' other callbacks, or train with `spec.compile()` from Python",
        ),
        "LearningRateScheduler": (
            "takes a function, but a spec contains no code",
            "set a schedule in the optimizer, such as `learning_rate: {CosineDecay: {…}}`",
        ),
        "OrbaxCheckpoint": (
            "needs a package that nnspec does not depend on",
            "use `ModelCheckpoint`; an interrupted training can be continued with `--resume`",
        ),
        "ProgbarLogger": ("writes to the terminal", "remove it: the command line shows the progress"),
        "RemoteMonitor": ("sends results over the network, which no build does", "use `CSVLogger` or `TensorBoard`"),
    },
    "constraints": {"Constraint": (BASE, "name a concrete constraint, such as `MaxNorm`")},
    "initializers": {"Initializer": (BASE, "name a concrete initializer, such as `GlorotUniform`")},
    "losses": {"Loss": (BASE, "name a concrete loss, such as `Huber`")},
    "metrics": {
        "Accuracy": (
            "tests whether predictions equal targets exactly, which probabilities never do",
            "use `accuracy`, which fits the output",
        ),
        "Mean": (
            "averages one value, and would use the predictions of an output as weights",
            "use a metric of predictions and targets, such as `MeanAbsoluteError`",
        ),
        "MeanMetricWrapper": ("takes a function, but a spec contains no code", "use one of Keras' metrics by name"),
        "Metric": (BASE, "name a concrete metric, such as `accuracy`"),
        "Sum": (
            "sums one value, and would use the predictions of an output as weights",
            "use a metric of predictions and targets, such as `MeanAbsoluteError`",
        ),
    },
    "optimizers": {
        "MultiOptimizer": (
            "assigns single variables to several optimizers by their paths in Keras",
            "use `Muon`, which applies AdamW to the other weights, or freeze layers with `trainable: false`",
        ),
        "Optimizer": (BASE, "name a concrete optimizer, such as `Adam`"),
        "OptimizerMap": (
            "is the table of a `MultiOptimizer`, which specs do not support",
            "use one optimizer, such as `Muon`",
        ),
    },
    "regularizers": {"Regularizer": (BASE, "name a concrete regularizer, such as `L2`")},
    "schedules": {"LearningRateSchedule": (BASE, "name a concrete schedule, such as `CosineDecay`")},
}
# `name` and `dtype` are the compiler's business, but for the names of metrics, which the history has; the others have
# no effect, or none from a spec.
OMITTED_ARGUMENTS = {"name", "dtype", "TensorBoard.write_graph"}
NAMED = ("metrics",)
# What a metric is built with to be asked for its name and direction.
ASKED: dict[str, object] = {
    "num_classes": 2,
    "target_class_ids": [0],
    **dict.fromkeys(("precision", "recall", "sensitivity", "specificity"), 0.5),
}
# Counts, whose direction Keras does not tell.
HIGHER_IS_BETTER = {"FalseNegatives": False, "FalsePositives": False, "TrueNegatives": True, "TruePositives": True}


def number(low: float | None = None, high: float | None = None, **more: object) -> Schema:
    bounds = {"minimum": low, "maximum": high}
    return {"type": "number", **{key: value for key, value in bounds.items() if value is not None}, **more}


def integer(low: int | None = None, **more: object) -> Schema:
    return {"type": "integer", **({} if low is None else {"minimum": low}), **more}


def array(items: Schema, at_least: int = 1, **more: object) -> Schema:
    return {"type": "array", "items": items, "minItems": at_least, **more}


def either(*schemas: Schema) -> Schema:
    """Any of some types. Keywords of the one say nothing about values of the other, so they can stand together."""
    merged = {key: value for schema in schemas for key, value in schema.items()}
    return {**merged, "type": [schema["type"] for schema in schemas]}


def or_null(schema: Schema) -> Schema:
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"]}


def choice(*options: str) -> Schema:
    return {"enum": list(options)}


def word_or(other: Schema, *words: str) -> Schema:
    return {**either({"type": "string"}, other), "if": {"type": "string"}, "then": {"enum": list(words)}}


POSITIVE = number(exclusiveMinimum=0)
FRACTION = number(0, 1)
BELOW_ONE = number(0, exclusiveMaximum=1)
AXES = either(integer(), array(integer(), uniqueItems=True))
FREQUENCY = word_or(integer(1), "epoch")
PATH: Schema = {"type": "string", "minLength": 1}
# As scipy.signal.get_window names them; the ones that need no parameter.
WINDOWS = (
    "barthann", "bartlett", "blackman", "blackmanharris", "bohman", "boxcar", "cosine", "exponential", "flattop",
    "hamming", "hann", "lanczos", "nuttall", "parzen", "taylor", "triang", "tukey",
)  # fmt: skip

# `Class.argument` goes before `family.argument`, that before `argument`, and all before the type of the default.
SCHEMAS: dict[str, Schema] = {
    # callbacks
    **dict.fromkeys(("backup_dir", "filepath", "log_dir", "CSVLogger.filename", "monitor"), PATH),
    **dict.fromkeys(("cooldown", "patience", "start_from_epoch", "histogram_freq", "embeddings_freq"), integer(0)),
    **dict.fromkeys(("baseline", "initial_value_threshold"), or_null(number())),
    "verbose": {"enum": [0, 1]},
    "callbacks.mode": choice("auto", "max", "min"),
    "min_delta": number(0),
    "min_lr": number(0),
    "ReduceLROnPlateau.factor": number(exclusiveMinimum=0, exclusiveMaximum=1),
    "separator": {"type": "string", "minLength": 1, "maxLength": 1},
    "save_freq": FREQUENCY,
    "update_freq": word_or(integer(1), "batch", "epoch"),
    "profile_batch": either(integer(0), array(integer(1), 2, maxItems=2)),
    "embeddings_metadata": or_null(either({"type": "string"}, {"type": "object", "additionalProperties": PATH})),
    # constraints
    "constraints.axis": AXES,
    **dict.fromkeys(("max_value", "min_value"), number(0)),
    "rate": FRACTION,
    # initializers
    "seed": or_null(integer(0)),
    **dict.fromkeys(("input_axes", "output_axes"), or_null(array(integer(), uniqueItems=True))),
    "stddev": number(0),
    "scale": POSITIVE,
    "VarianceScaling.mode": choice("fan_in", "fan_out", "fan_avg"),
    "distribution": choice("truncated_normal", "untruncated_normal", "uniform"),
    "side": choice("real", "imag"),
    "scaling": or_null(choice("density", "spectrum")),
    "window": or_null(word_or(array(number()), *WINDOWS)),
    # losses
    "reduction": choice("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"),
    "label_smoothing": FRACTION,
    "ignore_class": or_null(integer()),
    "gamma": number(0),
    "delta": POSITIVE,
    "q": number(exclusiveMinimum=0, exclusiveMaximum=1),
    "BinaryFocalCrossentropy.alpha": FRACTION,
    "CategoricalFocalCrossentropy.alpha": either(number(0), array(number(0))),
    **dict.fromkeys(("Tversky.alpha", "Tversky.beta"), number(0)),
    **dict.fromkeys(("Dice.axis", "Tversky.axis"), or_null(AXES)),
    # metrics
    "metrics.name": {"type": ["string", "null"], "pattern": "^[A-Za-z_][A-Za-z0-9_\\-]*$"},
    **dict.fromkeys(("ConcordanceCorrelation.axis", "PearsonCorrelation.axis"), AXES),
    "thresholds": or_null(either(FRACTION, array(FRACTION))),
    "AUC.thresholds": or_null(array(FRACTION)),
    "threshold": FRACTION,
    **dict.fromkeys(("F1Score.threshold", "FBetaScore.threshold"), or_null(number(high=1, exclusiveMinimum=0))),
    "curve": choice("ROC", "PR"),
    "summation_method": choice("interpolation", "minoring", "majoring"),
    "label_weights": or_null(array(number(0))),
    "num_labels": or_null(integer(1)),
    "num_thresholds": integer(1),
    "AUC.num_thresholds": integer(2),
    "average": or_null(choice("micro", "macro", "weighted")),
    "FBetaScore.beta": POSITIVE,
    "class_id": or_null(integer(0)),
    "top_k": or_null(integer(1)),
    "k": integer(1),
    "num_classes": integer(1),
    "target_class_ids": array(integer(0), uniqueItems=True),
    "num_regressors": integer(0),
    "class_aggregation": or_null(choice("uniform_average", "variance_weighted_average")),
    **dict.fromkeys(("precision", "recall", "sensitivity", "specificity"), FRACTION),
    # optimizers
    "learning_rate": {
        **either(POSITIVE, {"type": "object"}),
        "if": {"type": "object"},
        "then": {"$ref": "#/definitions/schedule"},
    },
    **dict.fromkeys(("beta_1", "beta_2", "adam_beta_1", "adam_beta_2"), BELOW_ONE),
    **dict.fromkeys(("Lion.beta_1", "Lion.beta_2"), number(high=1, exclusiveMinimum=0)),
    **dict.fromkeys(("momentum", "rho", "ema_momentum"), FRACTION),
    **dict.fromkeys(("epsilon", "epsilon_1", "epsilon_2", "initial_accumulator_value", "Ftrl.beta"), number(0)),
    **dict.fromkeys(("clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"), or_null(POSITIVE)),
    "weight_decay": or_null(number(0)),
    **dict.fromkeys(("AdamW.weight_decay", "adam_weight_decay"), number(0)),
    "inner_optimizer": {
        **either({"type": "string"}, {"type": "object"}),
        "if": {"type": ["string", "object"]},
        "then": {"$ref": "#/definitions/optimizer"},
    },
    "initial_scale": POSITIVE,
    "dynamic_growth_steps": integer(1),
    "ema_overwrite_frequency": or_null(integer(1)),
    "gradient_accumulation_steps": or_null(integer(2)),
    "clip_threshold": POSITIVE,
    "beta_2_decay": number(high=0),
    "learning_rate_power": number(high=0),
    "adam_lr_ratio": POSITIVE,
    "exclude_layers": or_null(array(PATH)),
    "ns_steps": integer(1),
    "rms_rate": or_null(POSITIVE),
    "warmup_steps": integer(0),
    # regularizers
    **dict.fromkeys(("l1", "l2", "OrthogonalRegularizer.factor"), number(0)),
    **{f"{kind}_regularization_strength": number(0) for kind in ("l1", "l2", "l2_shrinkage")},
    "OrthogonalRegularizer.mode": choice("rows", "columns"),
    # schedules
    **dict.fromkeys(("initial_learning_rate", "end_learning_rate"), number(0)),
    "warmup_target": or_null(number(0)),
    **dict.fromkeys(("decay_steps", "first_decay_steps"), integer(1)),
    **dict.fromkeys(("decay_rate", "power", "t_mul", "m_mul"), POSITIVE),
    "schedules.alpha": FRACTION,
    "boundaries": array(integer(0), uniqueItems=True),
    "values": array(number(0), 2),
}
NESTED = {"learning_rate": "schedules", "inner_optimizer": "optimizers"}
# Where Keras says nothing, or speaks of what a spec cannot hold (callables, tensors, generators).
DESCRIPTIONS: dict[str, str] = {
    "Dice.axis": "The axes over which one loss value is computed, 0 is batch; null: all axes.",
    "Tversky.axis": "The axes over which one loss value is computed, 0 is batch; null: all axes.",
    "OrthogonalRegularizer.factor": "Strength of the penalty.",
    "OrthogonalRegularizer.mode": "Whether rows or columns should be orthogonal to each other.",
    "adam_beta_1": "The exponential decay rate of the 1st moment estimates where AdamW's step is used.",
    "adam_beta_2": "The exponential decay rate of the 2nd moment estimates where AdamW's step is used.",
    "beta_1": "The exponential decay rate of the 1st moment estimates.",
    "beta_2": "The exponential decay rate of the 2nd moment estimates.",
    "callbacks.mode": "Whether a smaller (`min`) or larger (`max`) value is better; `auto` decides by its name.",
    "decay_steps": "The number of steps (batches) to decay over.",
    "epsilon": "A small constant for numerical stability.",
    "filepath": "The file that is written; it ends in `.keras`, or in `.weights.h5` with `save_weights_only`. "
    "`{epoch}` and names of metrics in braces are replaced.",
    "input_axes": "The axes of the weight that make up the fan-in; used only with `output_axes`.",
    "ignore_class": "A class whose samples are ignored, such as a void class of a segmentation.",
    "l1": "Factor of the sum of absolute values.",
    "l2": "Factor of the sum of squares.",
    "learning_rate": "The learning rate: a number, or a schedule.",
    "log_dir": "The directory that the log files are written to.",
    "metrics.name": "The name of the metric in the history; with the prefix `val_` for the validation split.",
    "monitor": "The monitored metric, such as `val_loss`.",
    "output_axes": "The axes of the weight that make up the fan-out; used only with `input_axes`.",
    "q": "The noise parameter: near 0 the loss behaves like crossentropy, near 1 like mean absolute error.",
    "reduction": "How the losses of the samples are combined: `sum_over_batch_size` and `mean` divide the sum by their "
    "number, `mean_with_sample_weight` by the sum of the sample weights.",
    "BackupAndRestore.save_freq": "`epoch` saves at the end of each epoch; a number saves after that many batches.",
    "seed": "Random seed; by default derived from the seed of the training.",
    "staircase": "Whether the rate decreases in steps, one every `decay_steps`, rather than continuously.",
    "window": "The name of a window in `scipy.signal`, its values, or null for no windowing.",
}
