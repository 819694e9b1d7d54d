"""Training: the compiled model fitted to the data, repeatably, with the best epoch's weights kept.

The same spec on the same machine gives the same weights: every seed is set and TensorFlow's operations are made
deterministic. An interrupted training can go on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.backends.keras.losses import build_loss, build_metrics
from nnspec.backends.keras.model import Compiled, as_model_inputs, build_model
from nnspec.catalogue import keras_objects
from nnspec.catalogue.losses import figures
from nnspec.data.dataset import Dataset, Split
from nnspec.diagnostics import CompilerBug, Span, SpecError
from nnspec.ir.graph import Graph
from nnspec.progress import Progress
from nnspec.training.batches import Order, batches
from nnspec.training.plan import DEFAULTS, Planned, inside, optimizer_arguments, planned


@dataclass(frozen=True)
class Settings:
    """The `training` section with defaults."""

    values: Mapping[str, Any]
    span: Span

    @classmethod
    def from_section(cls, section: Mapping[str, Any], span: Span) -> Settings:
        return cls({**DEFAULTS, **section}, span)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


@dataclass
class Trained:
    """A fitted model.

    Attributes:
        history: one row an epoch: figure name -> value.
        best_epoch: from 1; its weights are the model's.
    """

    compiled: Compiled
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0


def set_seed(seed: int) -> None:
    """Seeds Python, NumPy and the backend, and makes operations deterministic."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fixed_batches(graph: Graph, settings: Settings) -> dict[str, int | None]:
    """The batch size that each input is built with: only stateful layers need one."""
    stateful = any(node.is_stateful for node in graph.nodes)
    declared = dict(graph.batches)
    return {name: declared.get(name) or (settings["batch_size"] if stateful else None) for name in graph.inputs}


def compile_model(graph: Graph, settings: Settings) -> Compiled:
    """The Keras model with seeded weights, optimizer, losses and metrics."""
    set_seed(settings["seed"])
    compiled = build_model(graph, batches=fixed_batches(graph, settings))
    losses, metrics, weights = {}, {}, {}
    for name, output in graph.outputs.items():
        losses[name], metrics[name] = build_loss(output), build_metrics(output)
        weights[name] = output.weight
    alone = len(graph.outputs) == 1
    only = next(iter(graph.outputs))
    compiled.model.compile(
        optimizer=keras_objects.build("optimizers", settings["optimizer"]),
        loss=losses[only] if alone else losses,
        metrics=metrics[only] if alone else metrics,
        loss_weights=None if alone else weights,
    )
    return compiled


def adapt_layers(compiled: Compiled, graph: Graph, x: Mapping[str, np.ndarray]) -> None:
    """Shows the layers that take what they know from the data (Keras' `adapt`) what they read in training."""
    import keras

    for node in graph.nodes:
        if not node.layer.adapts(node):
            continue
        value = node.inputs[0]
        key = value.node if value.port == "output" else f"{value.node}.{value.port}"
        probe = keras.Model(compiled.model.input, compiled.tensors[key])
        compiled.layers[node.name].adapt(probe.predict(as_model_inputs(graph, x), verbose=0))


def train(
    graph: Graph, dataset: Dataset, settings: Settings, folder: Path, progress: Progress, *, resume: bool = False
) -> Trained:
    """Fits the model to the training split.

    Args:
        folder: where checkpoints and callbacks write.
        resume: goes on from the checkpoint in `folder`, if there is one.

    Raises:
        SpecError: NN515 where the loss is not a number, NN517 where there is nothing to train on.
    """
    from nnspec.training.callbacks import BestWeights, Checkpoint, NewEpoch, NotANumber, Reporter, ResetStates

    compiled = compile_model(graph, settings)
    training = dataset.splits["train"]
    batch = settings["batch_size"]
    stateful = any(node.is_stateful for node in graph.nodes)
    if stateful:
        training = trimmed(training, batch, settings.span)
    validation = dataset.splits.get("validation")
    if validation is not None and stateful:
        validation = trimmed(validation, batch, settings.span)
    adapt_layers(compiled, graph, training.x)
    known = figures(graph, is_validated=validation is not None)
    chosen = user_callbacks(settings, known, folder)
    checkpoint = Checkpoint(folder, compiled.model, chosen)
    start = checkpoint.restore() if resume else 0
    monitor = settings["monitor"] if validation is not None else settings["monitor"].removeprefix("val_")
    best = BestWeights(monitor, checkpoint, rises=bool(known.get(monitor))) if settings["restore_best"] else None
    epoch = NewEpoch()
    callbacks: list[Any] = [epoch, NotANumber(settings.span), *([ResetStates()] if stateful else []), *chosen]
    callbacks += [c for c in (best, checkpoint) if c is not None]
    callbacks.append(Reporter(progress, settings["epochs"], start, checkpoint))
    order = Order(batch, settings["seed"], epoch.number if settings["shuffle"] and not stateful else None)
    if not checkpoint.is_stopped:
        _fit(compiled, graph, settings, order, (training, validation), callbacks, start)
    best_epoch = len(checkpoint.history)
    if best is not None:
        best_epoch = best.restore(compiled.model)
    return Trained(compiled, checkpoint.history, best_epoch)


def _fit(
    compiled: Compiled,
    graph: Graph,
    settings: Settings,
    order: Order,
    splits: tuple[Split, Split | None],
    callbacks: list[Any],
    start: int,
) -> None:
    from nnspec.training.memory import release

    training, validation = splits
    weights = balanced_weights(graph, training) if settings["class_weight"] else None
    inputs = as_model_inputs(graph, training.x)
    held_out = None
    if validation is not None:
        held_out = (as_model_inputs(graph, validation.x), as_targets(graph, validation.y))
    try:
        compiled.model.fit(
            batches(inputs, as_targets(graph, training.y), as_targets(graph, weights), order),
            epochs=settings["epochs"],
            initial_epoch=start,
            shuffle=False,  # the batches are in their order
            validation_data=held_out,
            validation_batch_size=order.batch_size,
            callbacks=callbacks,
            verbose=0,
        )
    finally:
        for callback in callbacks:
            release(callback)


def as_targets(graph: Graph, arrays: Mapping[str, np.ndarray] | None) -> Any:
    """Arrays by output name as `fit` takes them: that of a single output stands alone."""
    if arrays is None or len(graph.outputs) > 1:
        return None if arrays is None else dict(arrays)
    return arrays[next(iter(graph.outputs))]


def trimmed(split: Split, batch: int, span: Span) -> Split:
    """The split without its last incomplete batch, which a stateful network cannot take."""
    count = split.size // batch * batch
    if not count:
        raise SpecError.single(
            "NN517",
            f"a stateful network reads whole batches of {batch}, but a split has only {split.size} samples",
            span,
        )
    cut = {
        name: {k: None if v is None else v[:count] for k, v in getattr(split, name).items()}
        for name in ("raw", "x", "y", "target", "last")
    }
    return Split(**cut, size=count, rows=split.rows[:count])  # type: ignore[arg-type]


def balanced_weights(graph: Graph, split: Split) -> dict[str, np.ndarray]:
    """The weight of every target: of classes inverse to their frequency, of other outputs 1.

    Formula: N / (K * n) for a class with n of the N targets, of K classes that there are.
    """
    found = {}
    for name, output in graph.outputs.items():
        targets = split.y[name]
        if output.task not in ("classification", "binary"):
            found[name] = np.ones(len(targets), np.float32)
            continue
        _, codes, counts = np.unique(targets.astype(np.int64), return_inverse=True, return_counts=True)
        weights = (targets.size / (len(counts) * counts))[codes.reshape(targets.shape)].astype(np.float32)
        # Losses of yes and no are means over the last axis.
        found[name] = weights.mean(axis=-1) if output.task == "binary" and weights.ndim > 1 else weights
    return found


def user_callbacks(settings: Settings, known: Mapping[str, bool | None], folder: Path) -> list[Any]:
    """The callbacks of the spec; files that they write go below `folder`.

    Where the optimizer averages the weights, the figures of validation are those of the averages, which are deployed.
    """
    found = planned(settings["callbacks"])
    optimizer = optimizer_arguments(settings["optimizer"])
    if optimizer.get("use_ema") and not any(callback.kind == "SwapEMAWeights" for callback in found):
        found.insert(0, Planned("SwapEMAWeights", {}))
    return [_user_callback(callback, known, folder) for callback in found]


def _user_callback(callback: Planned, known: Mapping[str, bool | None], folder: Path) -> Any:
    arguments = dict(callback.given)
    if callback.place is not None:
        key, path = callback.place
        below = inside(path)
        if below is None:
            raise CompilerBug(f"callback `{callback.kind}` would write `{path}`, which the checks let pass")
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        arguments[key] = str(target)
    rises = known.get(callback.arguments.get("monitor", ""))
    if (
        callback.arguments.get("mode") == "auto" and rises is not None
    ):  # Keras does not know figures of one of many outputs
        arguments["mode"] = "max" if rises else "min"
    return keras_objects.build("callbacks", {callback.kind: arguments})


def history_rows(history: list[dict[str, float]]) -> str:
    """The history as CSV."""
    names = list(dict.fromkeys(name for row in history for name in row))
    lines = [",".join(["epoch", *names])]
    lines += [
        ",".join([str(i), *(f"{row[n]:.8g}" if n in row else "" for n in names)]) for i, row in enumerate(history, 1)
    ]
    return "\n".join(lines) + "\n"


def dump_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
