"""What training is made of, on JAX against TensorFlow: `python -m tests.tools.engine_options [PATTERN …]`.

Every loss and metric of each task, optimizer, schedule, initializer, constraint, regularizer and activation of the
catalogue, as it is and with its arguments at other values. A pattern is of the names that are printed, such as
`losses-*` or `optimizers-Adam*`. Losses, metrics, constraints, regularizers and activations are heads of one network
that share nothing, so that one step trains them all. Printed are those whose losses or metrics of 20 steps, or initial
weights, differ by more than 1e-4 of their size, and a line with how many there are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import pipeline
from nnspec.backends.base import Order, Samples
from nnspec.backends.registry import training_backend
from nnspec.catalogue import keras_objects
from nnspec.catalogue.losses import FRACTIONS, LOSSES, METRICS, SHARES
from nnspec.unused_packages import claim_process
from tests.support.paths import ROOT
from tests.support.training_arguments import others
from tests.support.without_tensorflow import refuse_tensorflow

MOST = 1e-4
STEPS, BATCH, FEATURES = 20, 6, 5
TASKS = ("regression", "classification", "binary", "multilabel")
HEADS = {"regression": "softplus", "classification": "softmax", "binary": "sigmoid", "multilabel": "sigmoid"}
WIDTHS = {"regression": 3, "classification": 3, "binary": 1, "multilabel": 3}
ALONE = ("use_ema", "nesterov", "amsgrad", "centered", "scale_parameter", "relative_step", "clipnorm", "clipvalue")
Found = dict[str, Any]


def spec(heads: dict[str, Any], outputs: dict[str, Any], optimizer: Any = None) -> Found:
    """A network with a dense layer for each output, none of which share weights."""
    return {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": FEATURES}}},
        "model": [{"Dense": {"from": "x", "as": "class", "name": f"head_{n}", **body}} for n, body in heads.items()],
        "outputs": {n: {"from": f"head_{n}", **body} for n, body in outputs.items()},
        "training": {"optimizer": optimizer or {"Adam": {"learning_rate": 0.01}}},
    }


def given_for(width: int) -> Found:
    """Values of arguments that must fit the output."""
    return {
        "num_classes": 3, "target_class_ids": [1], "axis": -1, "k": 2, "top_k": min(2, width), "class_id": width - 1,
        "num_labels": width, "label_weights": [0.5] * width, "ignore_class": 1, "from_sorted_ids": False,
        "from_logits": False, "thresholds": [0.2, 0.6, 0.7], "threshold": 0.4, "name": None, "alpha": 0.4,
        "gain": 0.5,
    }  # fmt: skip


def variants(family: str, name: str, given: Found, without: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """An object as it is, with each argument of words or yes and no at each value, and with all at other values."""
    required = {key: given.get(key, 0.5) for key in keras_objects.required_arguments(family, name)}
    yield "", dict(required)
    for key in keras_objects.argument_names(family, name):
        about = keras_objects.argument(family, name, key)
        options = about["schema"].get("enum") or ([True, False] if about["schema"].get("type") == "boolean" else [])
        for option in options:
            if option != about.get("default") and key not in given and key not in without:
                yield f"-{key}-{option}", {**required, key: option}
    yield "-all", {**required, **others(family, name, given, without=without)}


def head(task: str, loss: str = "", arguments: Any = None) -> Found:
    activation = HEADS[task]
    if task == "regression":
        activation = (
            "softmax" if loss in SHARES else "sigmoid" if loss in FRACTIONS | {"Dice", "Tversky"} else "softplus"
        )
    return {"units": WIDTHS[task], "activation": "linear" if (arguments or {}).get("from_logits") else activation}


def targets_of(task: str) -> np.ndarray:
    rng, count = np.random.default_rng(4), STEPS * BATCH
    if task == "classification":
        return rng.permutation(np.arange(count) % 3)
    if task == "regression":
        values = rng.random((count, WIDTHS[task])).astype("float32") + 0.01
        return np.asarray(values / values.sum(-1, keepdims=True))
    return rng.integers(0, 2, (count, WIDTHS[task])).astype("float32")


def many() -> Iterator[tuple[str, Found]]:
    """Networks whose heads differ in one thing each, by name."""
    for task in TASKS:
        width = WIDTHS[task]
        heads, outputs = {}, {}
        for name in sorted(LOSSES[task]):
            is_per_class = task == "classification" and name == "CategoricalFocalCrossentropy"
            given = {"alpha": [0.2, 0.3, 0.5] if is_per_class else 0.4, "axis": -1}
            for label, body in variants("losses", name, given):
                key = f"{name}{label}".replace("-", "_")
                heads[key], outputs[key] = head(task, name, body), {"task": task, "loss": {name: body}}
        yield f"losses-{task}", spec(heads, outputs)
        without = {"Precision": ("thresholds",), "Recall": ("thresholds",), "AUC": ("num_thresholds",)}
        measures = []
        for name in sorted(METRICS[task]):
            for label, body in variants("metrics", name, given_for(width), without.get(name, ())):
                measures.append({name: {**body, "name": f"{name}{label}".replace("-", "_")}})
        yield f"metrics-{task}", spec({"y": head(task)}, {"y": {"task": task, "metrics": measures}})
    for family, argument in (("constraints", "kernel_constraint"), ("regularizers", "kernel_regularizer")):
        heads = {
            f"{name}{label}".replace("-", "_"): {"units": 3, argument: {name: body}}
            for name in keras_objects.names(family)
            for label, body in variants(family, name, {"axis": 1})
        }
        yield family, spec(heads, {key: {"task": "regression"} for key in heads})
    heads = {name: {"units": 3, "activation": name} for name in keras_objects.names("activations")}
    yield "activations", spec(heads, {key: {"task": "regression"} for key in heads})
    heads = {
        f"{name}{label}".replace("-", "_"): {"units": FEATURES, "kernel_initializer": {name: body}}
        for name in keras_objects.names("initializers")
        if name != "STFT"
        for label, body in variants("initializers", name, {"seed": 5})
    }
    yield "initializers", spec(heads, {key: {"task": "regression"} for key in heads})


def single() -> Iterator[tuple[str, Found]]:
    """An optimizer or a schedule each."""
    heads, outputs = {"y": {"units": 3, "activation": "tanh"}}, {"y": {"task": "regression"}}
    for name in keras_objects.names("schedules"):
        for label, body in variants("schedules", name, {}):
            schedule = {**others("schedules", name, without=tuple(body)), **body} if label == "" else body
            optimizer = {"SGD": {"learning_rate": {name: schedule}, "momentum": 0.5}}
            yield f"schedules-{name}{label}", spec(heads, outputs, optimizer)
    clips = ("clipnorm", "clipvalue", "global_clipnorm")
    weak = dict.fromkeys(("l1_regularization_strength", "l2_regularization_strength"), 0.001)
    for number, name in enumerate(keras_objects.names("optimizers")):
        yield f"optimizers-{name}", spec(heads, outputs, {name: {}} if name != "LossScaleOptimizer" else None)
        if name == "LossScaleOptimizer":
            continue
        for key in keras_objects.argument_names("optimizers", name):
            if key in ALONE:
                value = others("optimizers", name)[key]
                more = {"momentum": 0.5} if key == "nesterov" and name == "SGD" else {}
                yield f"optimizers-{name}-{key}", spec(heads, outputs, {name: {key: value, **more}})
        clip = clips[number % 3]
        body = others("optimizers", name, weak, without=(*(c for c in clips if c != clip), "exclude_layers"))
        yield f"optimizers-{name}-all", spec(heads, outputs, {name: body})


def found_of(body: Found, engine: Any) -> dict[str, list[float]]:
    """What each output's loss and metrics are after each step, and the weights of each layer before."""
    import keras

    from nnspec.jobs import settings_of
    from nnspec.training.train import compile_model

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(json.dumps(body), encoding="utf-8")
        checked = pipeline.check(path)
    model = compile_model(checked.graph, settings_of(checked), engine).trained
    model.run_eagerly = engine.name == "tensorflow"  # 20 steps of many heads take a tenth of the time of their trace
    found: dict[str, list[float]] = {
        f"weights of {variable.path}": np.asarray(variable, np.float64).reshape(-1).tolist()
        for variable in model.trainable_variables
    }
    rng = np.random.default_rng(1)
    tasks = {name: output["task"] for name, output in body["outputs"].items()}
    targets: Any = {name: targets_of(task) for name, task in tasks.items()}
    targets = targets if len(targets) > 1 else next(iter(targets.values()))
    samples = Samples(inputs=rng.normal(size=(STEPS * BATCH, FEATURES)).astype("float32"), targets=targets)

    class Logs(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            for key, value in logs.items():
                found.setdefault(key, []).extend(np.asarray(value, np.float64).reshape(-1).tolist())

    engine.fit(model, samples, Order(BATCH, 5), epochs=range(1), callbacks=[Logs()])
    return found


def one_by_one(name: str, body: Found) -> Iterator[tuple[str, Found]]:
    """A network's heads or metrics, each in a network of its own."""
    if name.startswith("metrics"):
        for measure in body["outputs"]["y"]["metrics"]:
            yield name, {**body, "outputs": {"y": {**body["outputs"]["y"], "metrics": [measure]}}}
        return
    for item, (key, output) in zip(body["model"], body["outputs"].items(), strict=True):
        yield f"{name}-{key}", {**body, "model": [item], "outputs": {key: output}}


def run(name: str, patterns: list[str], out: Path) -> None:
    """All that is asked for, by one engine."""
    if name == "jax":
        refuse_tensorflow()
    engine = training_backend(name)
    engine.load()
    import keras

    found: dict[str, Any] = {}
    for makers in (many, single):
        for label, body in makers():
            if not any(fnmatchcase(label, pattern) for pattern in patterns):
                continue
            parts: list[tuple[str, Found]] = [(label, body)]
            while parts:
                key, part = parts.pop(0)
                try:
                    found.setdefault(key, {}).update(found_of(part, engine))
                except Exception as error:  # of an engine, or of a head among many: which one
                    several = len(part["outputs"]) > 1 or len(part["outputs"].get("y", {}).get("metrics", "-")) > 1
                    if makers is many and several:
                        parts += one_by_one(key, part)
                    else:
                        what = next(iter(part["outputs"].values())).get("metrics", "")
                        found[f"{key} {what}"] = {"failure": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
                keras.utils.clear_session()
            print(f"{name}: {label}", file=sys.stderr, flush=True)
    out.write_text(json.dumps(found), encoding="utf-8")


def main(patterns: list[str]) -> None:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for engine in ("jax", "tensorflow"):
            out = Path(folder) / f"{engine}.json"
            command = [sys.executable, "-m", "tests.tools.engine_options", "--engine", engine, "--out", str(out)]
            subprocess.run([*command, *patterns], cwd=ROOT, check=True)
            found.append(json.loads(out.read_text(encoding="utf-8")))
    one, two = found
    count = worse = 0
    for name in sorted({*one, *two}):
        mine, other = one.get(name, {}), two.get(name, {})
        for key in sorted({*mine, *other}):
            count += 1
            text = difference(mine.get(key), other.get(key))
            if text:
                worse += 1
                print(f"{name} {key}: {text}", flush=True)
    print(f"{count} losses, metrics and weights: {worse} differ")
    sys.exit(1 if worse else 0)


def difference(one: Any, two: Any) -> str:
    """What is to be said of two series; nothing where they are equal within 1e-4 of their size."""
    if isinstance(one, str) or isinstance(two, str):
        return "" if one == two else f"jax: {one}; tensorflow: {two}"
    if one is None or two is None:
        return f"is on {'tensorflow' if one is None else 'jax'} alone"
    a, b = np.asarray(one), np.asarray(two)
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return f"{one} and {two}"
    away = (np.abs(a - b) / np.maximum(1.0, np.abs(b)))[np.isfinite(a)]
    return f"by {away.max():.1e} (first {away[0]:.1e})" if away.max(initial=0.0) > MOST else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("patterns", nargs="*", default=["*"], help="Of names, such as `losses-*`.")
    parser.add_argument("--engine", help="By this one alone, to a file.")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.engine:
        claim_process()
        run(asked.engine, asked.patterns, asked.out)
    else:
        main(asked.patterns)
