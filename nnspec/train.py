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

from nnspec import catalogue
from nnspec.backends.keras import Compiled, as_model_inputs, build_model
from nnspec.backends.keras_targets import build_loss, build_metrics
from nnspec.data.load import Dataset, Split
from nnspec.diagnostics import Diagnostic, Fix, Span, SpecError
from nnspec.graph import Graph
from nnspec.progress import Progress

DEFAULTS: dict[str, Any] = {
    "optimizer": "Adam",
    "epochs": 10,
    "batch_size": 32,
    "seed": 0,
    "shuffle": True,
    "restore_best": True,
    "monitor": "val_loss",
    "class_weight": None,
    "callbacks": [],
}


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
        optimizer=catalogue.build("optimizers", settings["optimizer"]),
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
    from nnspec.train_callbacks import BestWeights, Checkpoint, NotANumber, Reporter, ResetStates

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
    checkpoint = Checkpoint(folder, compiled.model)
    start = checkpoint.restore() if resume else 0
    monitor = settings["monitor"] if validation is not None else settings["monitor"].removeprefix("val_")
    best = BestWeights(monitor, checkpoint) if settings["restore_best"] else None
    callbacks: list[Any] = [NotANumber(settings.span), *([ResetStates()] if stateful else [])]
    callbacks += [user_callback(value, folder) for value in settings["callbacks"]]
    callbacks += [c for c in (best, checkpoint) if c is not None]
    callbacks.append(Reporter(progress, settings["epochs"], start, checkpoint))
    alone = len(graph.outputs) == 1

    def targets(split: Split) -> Any:
        return split.y[next(iter(graph.outputs))] if alone else dict(split.y)

    compiled.model.fit(
        as_model_inputs(graph, training.x),
        targets(training),
        batch_size=batch,
        epochs=settings["epochs"],
        initial_epoch=start,
        shuffle=settings["shuffle"] and not stateful,
        validation_data=None if validation is None else (as_model_inputs(graph, validation.x), targets(validation)),
        class_weight=balanced_weights(graph, training) if settings["class_weight"] else None,
        callbacks=callbacks,
        verbose=0,
    )
    best_epoch = len(checkpoint.history)
    if best is not None:
        best_epoch = best.restore(compiled.model)
    return Trained(compiled, checkpoint.history, best_epoch)


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


def balanced_weights(graph: Graph, split: Split) -> dict[int, float]:
    """Class weights inverse to frequency, for the one classification output."""
    name = next(iter(graph.outputs))
    labels, counts = np.unique(split.y[name].astype(np.int64), return_counts=True)
    total = counts.sum()
    return {int(label): float(total / (len(labels) * count)) for label, count in zip(labels, counts, strict=True)}


_FILE_ARGUMENTS = ("filepath", "filename", "log_dir", "backup_dir")


def user_callback(value: Any, folder: Path) -> Any:
    """A callback of the spec; files that it writes go below `folder`.

    Raises:
        SpecError: NN510 where a path would leave it.
    """
    name, arguments = catalogue.canonical("callbacks", value)
    for key in _FILE_ARGUMENTS:
        if key in arguments:
            target = (folder / str(arguments[key])).resolve()
            if not target.is_relative_to(folder.resolve()):
                from nnspec.diagnostics import Source

                raise SpecError.single(
                    "NN510",
                    f"callback `{name}` would write `{arguments[key]}` outside the output directory",
                    Span(Source("training.callbacks", "")),
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            arguments = {**arguments, key: str(target)}
    if name == "TensorBoard" and "log_dir" not in arguments:
        arguments = {**arguments, "log_dir": str(folder / "logs")}
    return catalogue.build("callbacks", {name: arguments})


def not_a_number(span: Span, epoch: int, batch: int, loss: float) -> SpecError:
    return SpecError(
        [
            Diagnostic(
                "NN515",
                f"the loss became {loss} in epoch {epoch}, batch {batch}",
                span,
                path="training",
                notes=("nothing was exported",),
                fixes=(
                    Fix("lower the learning rate: `optimizer: {Adam: {learning_rate: 0.0001}}`"),
                    Fix("clip gradients: `optimizer: {Adam: {clipnorm: 1.0}}`"),
                    Fix("scale the data: `scale: standard`"),
                ),
            )
        ]
    )


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
