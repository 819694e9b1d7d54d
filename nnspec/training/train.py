"""Fits the compiled model to the data, reproducibly, and keeps the weights of the best epoch.

The same spec on the same machine gives the same weights: every seed is set and the backend's operations are made
deterministic. An interrupted training can go on where it stopped. The engine is a `TrainingBackend`; here is what all
of them share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nnspec.backends.base import Order, TrainingBackend
from nnspec.backends.keras.model import Compiled, build_model
from nnspec.backends.keras.precision import copy_weights
from nnspec.backends.keras.training.losses import build_loss, build_metrics
from nnspec.backends.keras.training.optimizers import build_optimizer
from nnspec.backends.keras.training.state import release
from nnspec.backends.registry import training_backend
from nnspec.backends.types import KerasCallback
from nnspec.catalogue.losses import epoch_metrics
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.ir.precision import FLOAT32
from nnspec.progress import Progress
from nnspec.training.adapting import adapt_layers, padding_of
from nnspec.training.augmenting import augment_samples
from nnspec.training.class_weights import class_weights
from nnspec.training.faults import not_a_number
from nnspec.training.restoring import restore
from nnspec.training.settings import Settings, fixed_batches
from nnspec.training.spec_callbacks import user_callbacks
from nnspec.training.targets import as_samples, trained_outputs, trim_to_batches
from nnspec.training.watched import evaluated_metrics, watched_metrics
from nnspec.training.watching import measure_watched


@dataclass
class Trained:
    """A fitted model.

    Attributes:
        history: one row an epoch: metric name -> value.
        best_epoch: from 1; its weights are the model's.
        deployment: what the deployed model does around the network; empty until that is known.
    """

    compiled: Compiled
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    deployment: Deployment = field(default_factory=Deployment)


def compile_model(
    graph: Graph, settings: Settings, backend: str | TrainingBackend = "tensorflow", *, precision: str | None = None
) -> Compiled:
    """The Keras model with seeded weights, optimizer, losses and metrics.

    Args:
        precision: what its layers compute in; default that of the settings.
    """
    precision = precision or settings["precision"]
    training_backend(backend).seed(settings["seed"])
    compiled = build_model(graph, batches=fixed_batches(graph, settings), precision=precision)
    losses, metrics, weights = {}, {}, {}
    trained = trained_outputs(graph)
    for name, output in trained.items():
        losses[name], metrics[name] = build_loss(output), build_metrics(output)
        weights[name] = output.weight
    alone = len(trained) == 1
    only = next(iter(trained))
    compiled.trained.compile(
        optimizer=build_optimizer(settings["optimizer"], precision=precision, accumulate=settings["accumulate"]),
        loss=losses[only] if alone else losses,
        metrics=metrics[only] if alone else metrics,
        loss_weights=None if alone else weights,
    )
    return compiled


def train(
    graph: Graph,
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    progress: Progress,
    *,
    resume: bool = False,
    backend: str | TrainingBackend = "tensorflow",
    initial: Callable[[Compiled], None] | None = None,
    log: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Trained:
    """Fits the model to the training split.

    Args:
        folder: where checkpoints and callbacks write.
        resume: goes on from the checkpoint in `folder`, if there is one.
        backend: the engine, or its name.
        initial: puts trained weights into the model, where it does not start anew.
        log: is told of each epoch, from 1, and its metrics.

    Raises:
        SpecError: NN515 where the loss is not a number, NN517 where there is nothing to train on, NN537 where no
            checkpoint is whole.
    """
    engine = training_backend(backend)
    compiled = compile_model(graph, settings, engine)
    from nnspec.backends.keras.training.accumulation import Epoch, Realign, accumulate
    from nnspec.backends.keras.training.callbacks import BestWeights, NotANumber, Reporter, ResetStates
    from nnspec.backends.keras.training.checkpoint import Checkpoint
    from nnspec.backends.keras.training.evaluated_metrics import Watch
    from nnspec.backends.keras.training.logging import Log

    training, validation = dataset.splits["train"], dataset.splits.get("validation")
    batch = settings["batch_size"]
    is_stateful = any(node.is_stateful for node in graph.nodes)
    if is_stateful:
        training = trim_to_batches(training, batch, settings.span)
        validation = None if validation is None else trim_to_batches(validation, batch, settings.span)
    adapt_layers(compiled, graph, dataset.splits["train"].x, padding_of(dataset))
    if initial is not None:
        initial(compiled)
    known = epoch_metrics(graph, is_validated=validation is not None)
    names = watched_metrics(settings["monitor"], settings["callbacks"]) if validation is not None else []
    known |= {name: is_higher_better for name, is_higher_better in evaluated_metrics(graph).items() if name in names}
    chosen = user_callbacks(settings, known, folder)
    epochs, steps = settings["epochs"], -(-training.size // batch)
    every = (settings["checkpoint"] or {}).get("steps")
    checkpoint = Checkpoint(folder, compiled.trained, chosen, epochs=epochs, steps=steps, every=every)
    start = restore(checkpoint, settings.span, progress) if resume else 0
    monitor = settings["monitor"] if validation is not None else settings["monitor"].removeprefix("val_")
    best = (
        BestWeights(monitor, checkpoint, is_higher_better=bool(known.get(monitor)))
        if settings["restore_best"]
        else None
    )
    callbacks: list[KerasCallback] = [NotANumber(partial(not_a_number, settings.span))]
    if settings["accumulate"] > 1:
        epoch = Epoch(training.size, batch, settings["accumulate"])
        accumulate(compiled.trained.optimizer, epoch)
        callbacks.append(Realign(epoch))
    if validation is not None and names:
        state = batch if is_stateful else 0
        measure = partial(measure_watched, compiled, graph, dataset, validation, names, engine, settings.span, state)
        callbacks.append(Watch(measure, chosen))
    callbacks += [*([ResetStates()] if is_stateful else []), *chosen, *([best] if best is not None else [])]
    reporter = Reporter(progress, epochs, start, checkpoint)
    callbacks += [checkpoint, reporter, *([Log(log)] if log is not None else [])]
    by_class = class_weights(graph, training, settings, dataset.deployment)
    drawn = as_samples(graph, training, by_class=by_class)
    samples = augment_samples(graph, drawn, dataset.augmentation, settings["seed"])
    order = Order(batch, settings["seed"], is_shuffled=settings["shuffle"] and not is_stateful)
    if checkpoint.first_step:
        compiled.trained.test_on_batch(
            *next(iter(engine.batches(samples, order, start)))
        )  # makes the metrics' variables
    try:
        engine.fit(
            compiled.trained,
            samples,
            order,
            # none is left of a training that was interrupted behind its last, but callbacks still do what ends it
            epochs=range(start, start if checkpoint.is_stopped else max(start, epochs)),
            first_step=checkpoint.first_step,
            validation=None if validation is None else as_samples(graph, validation),
            callbacks=callbacks,
        )
    finally:
        reporter.bar.stop()  # Keras tells no callback of a failure
        for callback in callbacks:
            release(callback)
    best_epoch = len(checkpoint.history) if best is None else best.restore(compiled.trained)
    if settings["precision"] != FLOAT32:
        mixed, compiled = compiled, compile_model(graph, settings, engine, precision=FLOAT32)
        copy_weights(mixed.model, compiled.model)
        compiled.trained.optimizer.build(compiled.trained.trainable_variables)  # Keras loads no archive without them
    return Trained(compiled, checkpoint.history, best_epoch)


def history_rows(history: list[dict[str, float]]) -> str:
    """The history as CSV."""
    names = list(dict.fromkeys(name for row in history for name in row))
    lines = [",".join(["epoch", *names])]
    lines += [
        ",".join([str(i), *(f"{row[n]:.8g}" if n in row else "" for n in names)]) for i, row in enumerate(history, 1)
    ]
    return "\n".join(lines) + "\n"
