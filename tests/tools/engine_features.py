"""What a training may ask for, on JAX against TensorFlow: `python -m tests.tools.engine_features [FEATURE …]`.

Each feature is a small spec on random rows, trained by the job of `nnspec train` in a process for each engine. Printed
is the largest difference of a loss or metric of an epoch, relative to its size, or what refuses the spec.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

Spec = dict[str, Any]
ENGINES = ("tensorflow", "jax")
ROWS = 53  # the last of seven batches has five samples


def table(**more: Any) -> Spec:
    """A regression of random rows."""
    spec: Spec = {
        "inputs": {"x": {"axes": {"feature": 3}}},
        "model": [{"Dense": {"units": 6, "activation": "tanh"}}, {"Dense": {"units": 1}}],
        "outputs": {"y": {"task": "regression", "metrics": ["mae"]}},
        "data": {"inputs": {"x": {"columns": ["a", "b", "c"]}}, "outputs": {"y": {"columns": ["d"]}}},
        "training": {},
    }
    return {**spec, **more}


def classes(**more: Any) -> Spec:
    """A classification of random rows, of unequal classes."""
    spec = table(
        model=[{"Dense": {"units": 6, "activation": "tanh"}}, {"Dense": {"units": 2, "activation": "softmax"}}],
        outputs={"y": {"task": "classification", "classes": ["few", "many"]}},
    )
    spec["data"] = {"inputs": {"x": {"columns": ["a", "b", "c"]}}, "outputs": {"y": {"columns": ["kind"]}}}
    return {**spec, **more}


def series(layers: list[Any], **more: Any) -> Spec:
    """A forecast of a random series."""
    spec = table(inputs={"x": {"axes": {"time": 4, "feature": 3}}}, model=[*layers, {"Dense": {"units": 1}}])
    spec["data"] = {**spec["data"], "window": {"lookback": 4, "horizon": 1}}
    return {**spec, **more}


def pictures(**data: Any) -> Spec:
    model: list[Any] = [{"Conv2D": {"filters": 3, "kernel_size": 3}}, "Flatten", {"Dense": {"units": 1}}]
    spec = table(inputs={"x": {"axes": {"height": 6, "width": 7, "channel": 3}}}, model=model)
    body = {"source": {"npz": "rows.npz"}, "inputs": {"x": {"array": "x"}}, "outputs": {"y": {"array": "y"}}}
    return {**spec, "data": {**body, **data}}


BODY = {"body": {"model": [{"Dense": {"units": 6, "activation": "tanh"}}, "BatchNormalization"]}}
ANOMALY = table(
    model=[{"Dense": {"units": 2}}, {"Dense": {"units": 3, "name": "decoded"}}],
    outputs={
        "reconstruction": {"task": "regression", "from": "decoded"},
        "score": {"task": "anomaly", "of": "reconstruction"},
    },
    data={"inputs": {"x": {"columns": ["a", "b", "c"]}}, "outputs": {"reconstruction": {"of": "x"}}},
)
MOVED = {"Adam": {"learning_rate": {"CosineDecay": {"initial_learning_rate": 0.0, "decay_steps": 20,
         "warmup_target": 0.01, "warmup_steps": 5}}, "use_ema": True, "clipnorm": 1.0}}  # fmt: skip
FEATURES: dict[str, Spec] = {
    "mixed_bfloat16": table(training={"precision": "mixed_bfloat16"}),
    "mixed_float16": table(training={"precision": "mixed_float16"}),
    "accumulate": table(training={"accumulate": 3}),
    "accumulated embedding": table(
        inputs={"x": {"axes": {"word": 2}, "dtype": "int32"}},
        model=[{"Embedding": {"input_dim": 9, "output_dim": 3}}, "Flatten", {"Dense": {"units": 1}}],
        data={"inputs": {"x": {"columns": ["i", "j"]}}, "outputs": {"y": {"columns": ["d"]}}},
        training={"accumulate": 2},
    ),
    "embedding": table(
        inputs={"x": {"axes": {"word": 2}, "dtype": "int32"}},
        model=[{"Embedding": {"input_dim": 9, "output_dim": 3}}, "Flatten", {"Dense": {"units": 1}}],
        data={"inputs": {"x": {"columns": ["i", "j"]}}, "outputs": {"y": {"columns": ["d"]}}},
    ),
    "augment": pictures(augment=[{"RandomFlip": "horizontal"}, {"RandomRotation": 0.1}]),
    "anomaly": ANOMALY,
    "frozen block": table(
        blocks=BODY, model=[{"block": {"use": "body", "trainable": False}}, {"Dense": {"units": 1}}]
    ),
    "class weights": classes(training={"class_weight": {"few": 5, "many": 1}}),
    "balanced": classes(training={"class_weight": "balanced"}),
    "sample weights": table(
        data={"inputs": {"x": {"columns": ["a", "b", "c"]}}, "outputs": {"y": {"columns": ["d"]}}, "weight": "e"}
    ),
    "masks": series([{"Masking": {"mask_value": 0}}, {"LSTM": {"units": 3}}]),
    "masked GRU both ways": series(
        [{"Masking": {"mask_value": 0}}, {"Bidirectional": {"layer": {"GRU": {"units": 3}}}}]
    ),
    "stateful": series(
        [{"LSTM": {"units": 3, "stateful": True}}], training={"shuffle": False, "batch_size": 5}
    ),
    "saturated": classes(  # confident and often wrong
        model=[{"Rescaling": {"scale": 100}}, {"Dense": {"units": 2, "activation": "softmax"}}]
    ),
    "quantiles": table(
        model=[{"Dense": {"units": 3, "as": "level"}}], outputs={"y": {"task": "quantiles", "levels": [0.1, 0.5, 0.9]}}
    ),
    "schedule, averages, clipping": table(training={"optimizer": MOVED}),
    "watched metric": table(training={"monitor": "validation.y.rmse"}),
    "checkpoints of steps": table(training={"checkpoint": {"steps": 2}}),
}  # fmt: skip


def write(folder: Path, name: str, engine: str) -> Path:
    rng = np.random.default_rng(5)
    numbers = rng.normal(size=(ROWS, 4)).round(3)
    numbers[rng.random(ROWS) < 0.2, :3] = 0  # steps that are masked
    more = rng.integers(0, 9, size=(ROWS, 2))
    kinds, weights = np.where(rng.random(ROWS) < 0.3, "few", "many"), rng.integers(1, 4, size=ROWS)
    lines = [
        ",".join(map(str, [*row, *ids, kind, weight]))
        for row, ids, kind, weight in zip(numbers, more, kinds, weights, strict=True)
    ]
    (folder / "rows.csv").write_text("a,b,c,d,i,j,kind,e\n" + "\n".join(lines) + "\n", encoding="utf-8")
    np.savez(folder / "rows.npz", x=rng.random((ROWS, 6, 7, 3), np.float32), y=rng.random((ROWS, 1), np.float32))
    spec = {"nnspec": 1, **FEATURES[name]}
    split = {"train": 0.75, "validation": 0.25, "by": "order"}
    spec["data"] = {"source": {"csv": "rows.csv"}, "split": split, **spec["data"]}
    spec["training"] = {"backend": engine, "epochs": 3, "batch_size": 6, "seed": 2, **spec["training"]}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def histories(engine: str, names: list[str]) -> dict[str, Any]:
    """By feature the history of its training, or what went wrong."""
    from nnspec import pipeline
    from nnspec.diagnostics import SpecError
    from nnspec.jobs import run_training
    from nnspec.progress import Progress

    found: dict[str, Any] = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                checked = pipeline.check(write(Path(folder), name, engine))
                found[name] = run_training(checked, Path(folder) / "out", Progress(quiet=True)).history
            except SpecError as error:
                fault = next(fault for fault in error.diagnostics if fault.is_error)
                found[name] = f"refused: {fault.code}, {fault.message}"
            except Exception as error:  # of an engine
                found[name] = f"FAILS: {type(error).__name__}: {str(error).splitlines()[0]}"
    return found


def difference(one: list[dict[str, float]], two: list[dict[str, float]]) -> float:
    """The largest, relative to the size of the values where that is above 1."""
    assert len(one) == len(two)
    assert all(row.keys() == other.keys() for row, other in zip(one, two, strict=True))
    pairs = [(row[name], other[name]) for row, other in zip(one, two, strict=True) for name in row]
    return max(abs(a - b) / max(1.0, abs(a)) for a, b in pairs)


def main(*names: str) -> None:
    chosen = list(names or FEATURES)
    found = {}
    for engine in ENGINES:
        command = [sys.executable, "-m", "tests.tools.engine_features", "--engine", engine, *chosen]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[engine] = json.loads(done.stdout.splitlines()[-1])
    print("| feature | JAX against TensorFlow |\n|---|---|")
    for name in chosen:
        one, two = (found[engine][name] for engine in ENGINES)
        texts = [text for text in (one, two) if isinstance(text, str)]
        print(f"| {name} | {'; '.join(texts) if texts else f'within {difference(one, two):.0e}'} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--engine"]:
        print(json.dumps(histories(sys.argv[2], sys.argv[3:])))
    else:
        main(*sys.argv[1:])
