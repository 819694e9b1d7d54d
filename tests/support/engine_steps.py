"""What an engine makes of specs and of layers: initial weights, and losses of the first steps. A process an engine.

    python -m tests.support.engine_steps jax found.npz specs/mnist_cnn.yaml case:Conv1D case:LSTM-masked

`moved:` and a spec begins with initial weights that are one rounding away: what that alone does to the losses.
`double:` and a spec takes the means and variances of each BatchNormalization in float64.
`case:` names cases of tests/layers by label, or several by a pattern (`case:LSTM*`). The archive has, by what was asked
for, `NAME/losses` and `NAME/weights`, all weights one behind the other, or `NAME/failure`; of `feature:` and a feature
of `tests.tools.engine_features` the history of its training as JSON, `NAME/history`.
On JAX there is no TensorFlow.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import pipeline
from nnspec.backends.base import Order, Samples, TrainingBackend
from nnspec.backends.registry import training_backend
from nnspec.progress import Progress
from nnspec.unused_packages import claim_process
from tests.support.without_tensorflow import refuse_tensorflow
from tests.tools.engine_features import histories

STEPS = 20
RATES = ("rate", "dropout", "recurrent_dropout", "stddev")  # `stddev`: of noise


def steps_of_spec(path: Path, engine: TrainingBackend, *, is_moved: bool = False) -> dict[str, np.ndarray]:
    """Initial weights, and the loss of each of the first steps as training takes them, without dropout.

    Args:
        is_moved: whether each initial weight is replaced by a float32 beside it, up or down at random.
    """
    from nnspec.jobs.dataset import prepare_data
    from nnspec.jobs.settings import settings_of
    from nnspec.training.adapting import adapt_layers, padding_of
    from nnspec.training.class_weights import class_weights
    from nnspec.training.targets import as_samples, trim_to_batches
    from nnspec.training.train import compile_model

    with tempfile.TemporaryDirectory() as folder:
        checked, dataset = prepare_data(pipeline.check(path), Path(folder), Progress(quiet=True), resume=False)
    graph, settings = checked.graph, settings_of(checked)
    compiled = compile_model(graph, settings, engine)
    without_dropout(compiled.model)
    training, batch = dataset.splits["train"], settings["batch_size"]
    is_stateful = any(node.is_stateful for node in graph.nodes)
    if is_stateful:
        training = trim_to_batches(training, batch, settings.span)
    adapt_layers(compiled, graph, dataset.splits["train"].x, padding_of(dataset))
    if is_moved:
        rng = np.random.default_rng(0)
        for variable in compiled.model.trainable_variables:
            values = np.asarray(variable, np.float32)
            way = np.where(rng.random(values.shape) < 0.5, -np.inf, np.inf).astype(np.float32)
            variable.assign(np.nextafter(values, way))
    by_class = class_weights(graph, training, settings, dataset.deployment)
    samples = as_samples(graph, training, by_class=by_class)
    order = Order(batch, settings["seed"], is_shuffled=settings["shuffle"] and not is_stateful)
    return steps_of(compiled.trained, samples, order, engine)


def steps_of_case(label: str, engine: TrainingBackend) -> dict[str, np.ndarray]:
    """Of a layer at work, on random samples, with its initial weights as they are drawn."""
    import keras

    from nnspec.backends.keras.model import as_model_inputs, build_model, predict
    from tests.support.argument_cases import case_of
    from tests.support.layer_cases import arrays_for, checked

    case = case_of(label)
    with tempfile.TemporaryDirectory() as folder:
        graph = checked(case, Path(folder)).graph
    engine.seed(3)
    model = build_model(graph).model
    without_dropout(model)
    arrays = arrays_for(case, graph, 12, 6)
    shapes = model.output_shape
    shape = (shapes["y"] if isinstance(shapes, dict) else shapes)[1:]
    if None in shape:  # only as they are computed, which costs a third of all that is done here
        shape = predict(model, graph, {name: array[:4] for name, array in arrays.items()})["y"].shape[1:]
    target = np.random.default_rng(1).normal(size=(12, *shape)).astype(np.float32)
    model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
    samples = Samples(inputs=as_model_inputs(graph, arrays), targets=target)
    return steps_of(model, samples, Order(4, 5), engine)


def steps_of(model: Any, samples: Samples, order: Order, engine: TrainingBackend) -> dict[str, np.ndarray]:
    import keras

    weights = [np.asarray(variable, np.float64).reshape(-1) for variable in model.weights]
    losses: list[float] = []

    class Losses(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            losses.append(float(logs["loss"]))
            if len(losses) == STEPS:
                self.model.stop_training = True

    engine.fit(model, samples, order, epochs=range(STEPS), callbacks=[Losses()])
    return {"losses": np.asarray(losses[:STEPS]), "weights": np.concatenate([np.zeros(0), *weights])}


@contextmanager
def moments_in_double() -> Iterator[None]:
    """Statistics without float32's rounding: over 25,000 positions TensorFlow's variance is 3e-05 off, JAX' 1e-07."""
    from keras import layers, ops

    def moments(layer: Any, inputs: Any, mask: Any) -> tuple[Any, Any]:
        values, axes = ops.cast(inputs, "float64"), layer._reduction_axes
        counted = ops.ones_like(values) if mask is None else ops.cast(ops.expand_dims(mask, -1), "float64")
        counted = ops.broadcast_to(counted, ops.shape(values))
        count = ops.sum(counted, axes)
        mean = ops.sum(counted * values, axes) / count
        variance = ops.sum(counted * ops.square(values - mean), axes) / count
        return ops.cast(mean, inputs.dtype), ops.cast(variance, inputs.dtype)

    before = layers.BatchNormalization._moments
    layers.BatchNormalization._moments = moments
    try:
        yield
    finally:
        layers.BatchNormalization._moments = before


def without_dropout(model: Any) -> None:
    """Dropout that drops nothing, pictures that stay as they are: each engine draws its own numbers."""
    for layer in model._flatten_layers():
        if hasattr(layer, "get_random_transformation"):
            layer.call = partial(_unchanged, layer.call)
        for name in RATES:
            if isinstance(vars(layer).get(name), float):
                setattr(layer, name, 0.0)


def _unchanged(call: Callable[..., Any], pictures: Any, training: bool = True) -> Any:
    return call(pictures, training=False)


def main(name: str, out: str, *asked: str) -> None:
    warnings.simplefilter("ignore")
    if name == "jax":
        refuse_tensorflow()
    engine = training_backend(name)
    engine.load()
    import keras

    from tests.support.argument_cases import MARK, argument_cases
    from tests.support.case_files import CASES

    found: dict[str, np.ndarray] = {}
    for what in asked:
        if what.startswith("feature:"):
            feature = what.removeprefix("feature:")
            found[f"{feature}/history"] = np.asarray(json.dumps(histories(name, [feature])[feature]))
            continue
        if what.startswith(("moved:", "double:")):
            changed, _, path = what.partition(":")
            with moments_in_double() if changed == "double" else nullcontext():
                results = steps_of_spec(Path(path), engine, is_moved=changed == "moved")
            found |= {f"{what}/{key}": value for key, value in results.items()}
            continue
        is_case = what.startswith("case:")
        pattern = what.removeprefix("case:")
        known = [*CASES, *argument_cases()] if MARK in pattern else CASES
        for one in [c.label for c in known if fnmatchcase(c.label, pattern)] if is_case else [what]:
            try:
                results = steps_of_case(one, engine) if is_case else steps_of_spec(Path(one), engine)
            except Exception as error:
                results = {"failure": np.asarray(f"{type(error).__name__}: {error}")}
            found |= {f"{one}/{key}": value for key, value in results.items()}
            keras.utils.clear_session()  # of many cases the graphs would stay
    np.savez(out, **found)


if __name__ == "__main__":
    claim_process()
    main(*sys.argv[1:])
