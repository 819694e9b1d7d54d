"""The state of a training: variables, what callbacks remember, averages, and the files that callbacks write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nnspec.backends.types import KerasCallback, KerasModel, KerasVariable

# What Keras' callbacks count and compare, which they forget at the beginning of each `fit`.
_COUNTERS = (
    "best",
    "best_epoch",
    "wait",
    "stopped_epoch",
    "cooldown_counter",
    "_current_epoch",
    "_batches_seen_since_last_saving",
    "_last_batch_seen",
    "_ema_weights_in_model",
    "_global_train_batch",
    "_global_test_batch",
    "_should_write_train_graph",
)
_ASIDE = ".aside"


def read_memory(callback: KerasCallback) -> dict[str, object]:
    """What a callback remembers, as JSON, but for weights."""
    found: dict[str, object] = {"kind": type(callback).__name__}
    for name in _COUNTERS:
        if hasattr(callback, name):
            value = getattr(callback, name)
            found[name] = value if value is None or isinstance(value, bool | int) else float(value)
    return found


def restore_memory(callback: KerasCallback, memory: Mapping[str, object], weights: list[np.ndarray] | None) -> None:
    """Puts back what `read_memory` gave, and the weights of `kept_weights`."""
    if memory["kind"] != type(callback).__name__:  # the spec has other callbacks now
        return
    for name, value in memory.items():
        if name != "kind":
            setattr(callback, name, value)
    if weights is not None:
        callback.best_weights = weights


def kept_weights(callback: KerasCallback) -> list[np.ndarray] | None:
    """The best weights that a callback keeps, if it does."""
    found: list[np.ndarray] | None = getattr(callback, "best_weights", None)
    return found


def written_files(callback: KerasCallback, folder: Path) -> dict[str, int]:
    """The files that a callback goes on writing to, by their paths below a folder, and how many bytes they have now."""
    kind = type(callback).__name__
    if kind == "CSVLogger":
        paths = [Path(callback.filename)]
    elif kind == "TensorBoard":
        for writer in callback._writers.values():
            writer.flush()
        paths = sorted(Path(callback.log_dir).rglob("*"))
    else:
        paths = []
    return {os.path.relpath(path, folder): path.stat().st_size for path in paths if path.is_file()}


def rewind(callback: KerasCallback, folder: Path, sizes: Mapping[str, int]) -> None:
    """Brings the files that a callback wrote back to what `written_files` gave: they may be newer than a checkpoint."""
    kind = type(callback).__name__
    if kind in ("CSVLogger", "TensorBoard"):
        for name in written_files(callback, folder):
            if name in sizes:
                os.truncate(folder / name, sizes[name])
            else:
                (folder / name).unlink()
    if kind == "CSVLogger":
        callback.append = True
    elif kind == "BackupAndRestore":  # the checkpoint is what goes on; two of them would disagree
        kept, aside = Path(callback.backup_dir), Path(f"{callback.backup_dir}{_ASIDE}")
        if kept.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
            kept.rename(aside)


def put_back_files(callback: KerasCallback) -> None:
    """Gives a `BackupAndRestore` its files back that `rewind` hid while it looked for some to begin with."""
    aside = Path(f"{getattr(callback, 'backup_dir', '')}{_ASIDE}")
    if type(callback).__name__ == "BackupAndRestore" and aside.is_dir():
        aside.rename(callback.backup_dir)


def release(callback: KerasCallback) -> None:
    """Closes the file that an interrupted callback leaves open."""
    file = getattr(callback, "csv_file", None)
    if file is not None:
        file.close()


def synchronize(model: KerasModel) -> None:
    """Brings the variables up to date: on JAX the steps of an epoch have their values, and leave them behind."""
    bring = getattr(model, "jax_state_sync", None)
    if bring is not None:
        bring()


def trained_variables(model: KerasModel) -> list[KerasVariable]:
    """Everything that a step of the training changes, but for metrics: weights, random states, optimizer, states.

    Keras counts the states of stateful layers among no layer's variables.
    """
    from keras import tree

    states = [
        state
        for layer in model._flatten_layers()
        if getattr(layer, "stateful", False) and getattr(layer, "states", None) is not None
        for state in tree.flatten(layer.states)
    ]
    metrics = {id(variable) for variable in model.metrics_variables}
    found = {id(variable): variable for variable in [*model.variables, *model.optimizer.variables, *states]}
    return [variable for variable in found.values() if id(variable) not in metrics]


def metric_variables(model: KerasModel) -> list[KerasVariable]:
    """The running sums of losses and metrics, in order; those of a model that has seen a batch."""
    return list({id(variable): variable for variable in model.metrics_variables}.values())


def averaged_weights(model: KerasModel, callbacks: Iterable[KerasCallback]) -> list[np.ndarray]:
    """The model's weights, those that the optimizer averages by their averages.

    Where `SwapEMAWeights` has the averages in the model at this moment, they are its weights.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not getattr(optimizer, "use_ema", False) or any(getattr(c, "_ema_weights_in_model", False) for c in callbacks):
        weights: list[np.ndarray] = model.get_weights()
        return weights
    pairs = zip(optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True)
    averages = {id(variable): average for variable, average in pairs}
    return [np.asarray(averages.get(id(variable), variable)) for variable in model.weights]
