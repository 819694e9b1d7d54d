"""Writes catalogue.json: Keras' initializers, optimizers, losses and the like, read off the installed Keras.

    python -m nnspec.catalogue.generate            # writes
    python -m nnspec.catalogue.generate --check    # compares; exit status 1 and a diff where they differ

Names, arguments, defaults and descriptions are Keras'. What introspection cannot see (ranges, choices, the type behind
a default of None) stands in the tables below; an argument whose type nothing tells stops the generator.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
from keras.src import constraints, initializers, losses, metrics, optimizers, regularizers

TARGET = Path(__file__).with_name("catalogue.json")

Schema = dict[str, Any]

MODULES: dict[str, ModuleType] = {
    "activations": keras.activations,
    "callbacks": keras.callbacks,
    "constraints": keras.constraints,
    "initializers": keras.initializers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "optimizers": keras.optimizers,
    "regularizers": keras.regularizers,
    "schedules": keras.optimizers.schedules,
}
# Where each `get` looks a string up; Keras does not export these tables.
LOOKUPS: dict[str, dict[str, Any]] = {
    "activations": keras.src.activations.ALL_OBJECTS_DICT,
    "constraints": constraints.ALL_OBJECTS_DICT,
    "initializers": initializers.ALL_OBJECTS_DICT,
    "losses": losses.ALL_OBJECTS_DICT,
    "metrics": metrics.ALL_OBJECTS_DICT,
    "optimizers": optimizers.ALL_OBJECTS_DICT,
    "regularizers": regularizers.ALL_OBJECTS_DICT,
}
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
        "OptimizerMap": ("is the table of a `MultiOptimizer`, which no spec has", "use one optimizer, such as `Muon`"),
    },
    "regularizers": {"Regularizer": (BASE, "name a concrete regularizer, such as `L2`")},
    "schedules": {"LearningRateSchedule": (BASE, "name a concrete schedule, such as `CosineDecay`")},
}
# `name` and `dtype` are the compiler's business, but for the names of metrics, which the history has; the others have
# no effect, or none from a spec.
OMITTED_ARGUMENTS = {"name", "dtype", "TensorBoard.write_graph"}
NAMED = ("metrics",)
# What a metric is built with to be asked for its name and direction.
ASKED: dict[str, Any] = {
    "num_classes": 2,
    "target_class_ids": [0],
    **dict.fromkeys(("precision", "recall", "sensitivity", "specificity"), 0.5),
}
# Counts, whose direction Keras does not tell.
RISES = {"FalseNegatives": False, "FalsePositives": False, "TrueNegatives": True, "TruePositives": True}


def number(low: float | None = None, high: float | None = None, **more: Any) -> Schema:
    bounds = {"minimum": low, "maximum": high}
    return {"type": "number", **{key: value for key, value in bounds.items() if value is not None}, **more}


def integer(low: int | None = None, **more: Any) -> Schema:
    return {"type": "integer", **({} if low is None else {"minimum": low}), **more}


def array(items: Schema, at_least: int = 1, **more: Any) -> Schema:
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
LIMIT = 300
# Argument docstrings begin with a type, which the schema says better.
KIND = "bool(ean)?|float(ing point)?|int(eger)?|string|scalar|number"
MORE = " value| or an? [\\w ]+| or `?None`?"


def plain(text: str) -> str:
    """Docstring text as one line, without links and without what the catalogue says elsewhere."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\[([^\]]+)\]\s*\(\s*https?:[^)]*\)", r"\1", text)
    text = re.sub(r",? ?\bdefaults to (`[^`]*`|-?[\w.-]*\w)", "", text, flags=re.IGNORECASE)
    text = re.sub(r"^\(?optional\)?[.:]? *", "", text, flags=re.IGNORECASE)
    text = re.sub(rf"^(an? )?(python )?({KIND})({MORE})*[.,:;] +(?!or |representing )", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\s+([.,])", r"\1", re.sub(r"\.( ?\.)+", ".", text)).strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")


def sentences(text: str, limit: int, count: int | None = None) -> str:
    """As many whole sentences as fit, at least one; a word's end and an ellipsis where the first is too long."""
    parts = re.split(r"(?<=[^.][.!?])(?<!e\.g\.)(?<!i\.e\.) (?=[A-Z`\"(])", text)[:count]
    result = parts[0]
    for part in parts[1:]:
        if len(result) + 1 + len(part) > limit:
            break
        result += f" {part}"
    return result if len(result) <= limit else result[: result.rindex(" ", 0, limit)].rstrip(",;:") + " …"


def summary(obj: Any) -> str:
    first = inspect.cleandoc(obj.__doc__).split("\n\n")[0]
    return sentences(plain(first), LIMIT, 2)


def documented_arguments(obj: Any) -> dict[str, str]:
    """The `Args:` section: name -> text."""
    match = re.search(r"^Args:\n((?:(?: .*)?\n?)*)", inspect.cleandoc(obj.__doc__), re.MULTILINE)
    result: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in (match.group(1) if match else "").splitlines():
        if entry := re.match(r" {4}(\w+): *(.*)", line):
            lines = result.setdefault(entry.group(1), [])
            lines.append(entry.group(2))
        elif "{{" in line:  # a template that Keras forgot to fill in
            lines = None
        elif lines is not None:
            lines.append(line)
    return {name: " ".join(parts) for name, parts in result.items()}


def lookup(table: dict[str, Any], family: str, class_name: str, argument: str) -> Any:
    for key in (f"{class_name}.{argument}", f"{family}.{argument}", argument):
        if key in table:
            return table[key]
    return None


def inferred(default: Any) -> Schema | None:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": kinds[type(default)]} if type(default) in kinds else None


def argument_entry(family: str, cls: type, parameter: inspect.Parameter) -> Schema:
    name = parameter.name
    schema = lookup(SCHEMAS, family, cls.__name__, name) or inferred(parameter.default)
    text = lookup(DESCRIPTIONS, family, cls.__name__, name)
    if text is None:
        # Muon leaves the arguments of the base class undocumented; SGD says the same of them.
        found = documented_arguments(cls).get(name) or documented_arguments(keras.optimizers.SGD).get(name, "")
        text = sentences(plain(found), LIMIT) if found else ""
    if schema is None or not text:
        raise SystemExit(f"{family}: {cls.__name__}.{name} needs {'a description' if schema else 'a schema'}")
    entry: Schema = {"schema": schema, "description": text}
    if name == "name":
        entry["default"] = None  # by its class, or the word that the spec says
    elif parameter.default is not parameter.empty:
        entry["default"] = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
    if name in NESTED:
        entry["family"] = NESTED[name]
    return entry


def is_taken(family: str, cls: type, argument: str) -> bool:
    """Whether a spec may say the argument."""
    if argument == "name":
        return family in NAMED
    return not {argument, f"{cls.__name__}.{argument}"} & OMITTED_ARGUMENTS


def class_entry(family: str, cls: type) -> Schema:
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    arguments = {
        p.name: argument_entry(family, cls, p)
        for p in parameters
        if p.kind is p.POSITIONAL_OR_KEYWORD and is_taken(family, cls, p.name)
    }
    entry = {"description": summary(cls), "arguments": arguments}
    return entry | (figure_of(cls) if family == "metrics" else {})


def figure_of(metric: type) -> Schema:
    """What a metric's figure is called, and whether more is better; null where that depends on what it is asked for."""
    required = {k: v for k, v in ASKED.items() if k in inspect.signature(metric).parameters}
    built = metric(**required)
    directions = {"up": True, "down": False}
    rises = RISES.get(metric.__name__, directions.get(getattr(built, "_direction", "")))
    return {"figure": re.sub(r"_\d+$", "", built.name), "rises": rises}


def public_objects(family: str) -> dict[str, Any]:
    """The family's classes (functions: activations) by their own name, without excluded ones."""
    wanted: Callable[[Any], bool] = inspect.isfunction if family == "activations" else inspect.isclass
    found = {obj.__name__: obj for obj in vars(MODULES[family]).values() if wanted(obj)}
    hidden = {*EXCLUDED[family], "deserialize", "get", "serialize"}
    return {name: found[name] for name in sorted(found) if name not in hidden}


def aliases(family: str, objects: dict[str, Any]) -> dict[str, str]:
    """Other strings that Keras takes for these objects."""
    names = {obj: name for name, obj in objects.items()}
    if family == "losses":
        names |= {cls().fn: name for name, cls in objects.items()}
    strings = {**vars(MODULES[family]), **LOOKUPS.get(family, {})}
    if family == "optimizers":  # Keras folds case here, but forgot to list Lamb.
        strings |= {name.lower(): obj for name, obj in objects.items()}
    hidden = {*objects, *WORDS.get(family, {})}
    pairs = {alias: obj for alias, obj in strings.items() if inspect.isclass(obj) or inspect.isfunction(obj)}
    return {a: names[pairs[a]] for a in sorted(pairs) if a not in hidden and pairs[a] in names}


def family_entry(family: str) -> Schema:
    objects = public_objects(family)
    if family == "activations":
        classes = {name: {"description": summary(obj), "arguments": {}} for name, obj in objects.items()}
    else:
        classes = {name: class_entry(family, obj) for name, obj in objects.items()}
    refused = {name: {"reason": why, "instead": instead} for name, (why, instead) in EXCLUDED[family].items()}
    return {
        "aliases": aliases(family, objects),
        "words": WORDS.get(family, {}),
        "refused": refused,
        "classes": classes,
    }


def generate() -> str:
    """The text of catalogue.json. Arguments keep Keras' order; all else is sorted."""
    catalogue = {"keras": keras.__version__, "families": {family: family_entry(family) for family in MODULES}}
    return json.dumps(catalogue, indent=1, ensure_ascii=False) + "\n"


def difference() -> str:
    """A unified diff from the file to what Keras says now; empty where they agree."""
    old = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    sides = (old.splitlines(keepends=True), generate().splitlines(keepends=True))
    return "".join(difflib.unified_diff(*sides, "nnspec/catalogue/catalogue.json", f"keras {keras.__version__}"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Write nnspec/catalogue/catalogue.json from the installed Keras.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    if not parser.parse_args().check:
        TARGET.write_text(generate(), encoding="utf-8")
        return 0
    diff = difference()
    sys.stdout.write(diff)
    return 1 if diff else 0


if __name__ == "__main__":
    raise SystemExit(main())
