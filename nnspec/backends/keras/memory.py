"""The state of a training besides its weights: callbacks, random numbers, averages, and files that it writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.backends.types import KerasCallback, KerasModel

# What Keras' callbacks count and compare, which they forget at the beginning of each `fit`.
_COUNTERS = (
    "best",
    "best_epoch",
    "wait",
    "stopped_epoch",
    "cooldown_counter",
    "_batches_seen_since_last_saving",
    "_last_batch_seen",
    "_ema_weights_in_model",
)


def read_memory(callback: KerasCallback) -> dict[str, Any]:
    """What a callback remembers, as JSON, but for weights."""
    found: dict[str, Any] = {"kind": type(callback).__name__}
    for name in _COUNTERS:
        if hasattr(callback, name):
            value = getattr(callback, name)
            found[name] = value if value is None or isinstance(value, bool | int) else float(value)
    return found


def restore_memory(callback: KerasCallback, memory: Mapping[str, Any], weights: list[np.ndarray] | None) -> None:
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


def rewind(callback: KerasCallback, epochs: int) -> None:
    """Brings what a callback wrote back to the end of an epoch: the checkpoint may be older."""
    kind = type(callback).__name__
    if kind == "CSVLogger":
        path = Path(callback.filename)
        if path.is_file():
            head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
            path.write_text(head + "".join(rows[:epochs]), encoding="utf-8")
        callback.append = True
    elif kind == "BackupAndRestore":  # the checkpoint is what goes on; two of them would disagree
        shutil.rmtree(callback.backup_dir, ignore_errors=True)


def release(callback: KerasCallback) -> None:
    """Closes the file that an interrupted callback leaves open."""
    file = getattr(callback, "csv_file", None)
    if file is not None:
        file.close()


def random_states(model: KerasModel) -> list[Any]:
    """The states of the random numbers of dropout, noise and augmentation, which are no weights."""
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.variables if id(v) not in weights and v.path.rpartition("/")[2] == "seed_generator_state"]


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
