"""Checkpoints of a training: all that it needs to go on as if it had never been interrupted, at any batch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from keras import ops
from keras.callbacks import Callback

from nnspec.backends.checkpoint_files import CheckpointFiles, Saved, State
from nnspec.backends.keras.training.state import (
    kept_weights,
    metric_variables,
    put_back_files,
    read_memory,
    restore_memory,
    rewind,
    synchronize,
    trained_variables,
    written_files,
)
from nnspec.backends.types import KerasCallback, KerasModel, KerasVariable, Tensor
from nnspec.backends.types import KerasLogs as Logs


class Checkpoint(Callback):  # type: ignore[misc]
    """Everything needed to go on after an interruption as if there had been none.

    Weights, optimizer, the states of random numbers and of stateful layers, the running sums of metrics, what the
    spec's callbacks remember and how long their files are, history, and the best epoch so far. Written after the first
    epoch and then at the end of an epoch whenever `interval` seconds have passed, since quick epochs would otherwise
    spend their time on writing; after the last epoch; and after every `every` steps where that is given.

    Attributes:
        history: one row for each epoch that is done.
        best: the value and number (from 1) of the best of them.
        is_stopped: whether a callback ended the training.
    """

    interval = 5.0

    def __init__(
        self,
        folder: Path,
        model: KerasModel,
        callbacks: Sequence[KerasCallback] = (),
        *,
        epochs: int,
        steps: int,
        every: int | None = None,
    ) -> None:
        """A training of so many epochs of so many steps (batches)."""
        super().__init__()
        self.files = CheckpointFiles(folder / "checkpoint")
        self.folder = folder
        self.trained = model
        self.callbacks = callbacks
        self.epochs, self.steps, self.every = epochs, steps, every
        self.history: list[dict[str, float]] = []
        self.best: State = {}
        self.best_weights: list[np.ndarray] | None = None
        self.is_stopped = False
        self.found: Saved | None = None  # where the training was interrupted
        self.written = float("-inf")
        self.since = 0  # steps since the last one was written

    @property
    def first_step(self) -> int:
        """How many batches were done of the epoch in which the training was interrupted."""
        return int(self.found.state["step"]) if self.found is not None else 0

    def restore(self) -> int:
        """Puts everything back that is known before the training goes on; the number of epochs that are done.

        Raises:
            ValueError: where the checkpoint is of another network.
        """
        found = self.files.newest()
        if found is None:
            return 0
        state = found.state
        self.found, self.history, self.best = found, list(state["history"]), dict(state["best"])
        self.is_stopped = bool(state["is_stopped"])
        self.trained.optimizer.build(self.trained.trainable_variables)
        if self.best:
            self.best_weights = _arrays_of_kind(found, "best")
        self._assign("variable", trained_variables(self.trained))
        for callback, sizes in zip(self.callbacks, state["files"], strict=False):
            rewind(callback, self.folder, sizes)
        return len(self.history)

    def on_train_begin(self, logs: Logs = None) -> None:
        """The spec's callbacks began anew just now, as Keras' do: they remember."""
        for callback in self.callbacks:
            put_back_files(callback)
        self._remind()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """In the middle of an epoch, its beginning is undone: metrics and states are as the last batch left them."""
        if self.found is None:
            return
        if self.first_step:
            self._assign("variable", trained_variables(self.trained))
            self._assign("metric", metric_variables(self.trained))
            self._remind()
        self.found = None

    def _remind(self) -> None:
        if self.found is not None:
            remembered = self.found.state["callbacks"]
            for i, (callback, memory) in enumerate(zip(self.callbacks, remembered, strict=False)):
                restore_memory(callback, memory, _arrays_of_kind(self.found, f"kept.{i}") or None)

    def _assign(self, kind: str, variables: Sequence[KerasVariable]) -> None:
        assert self.found is not None
        values = _arrays_of_kind(self.found, kind)
        if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
            raise ValueError(
                f"it has {len(values)} variables, but the network has {len(variables)}, or their shapes differ"
            )
        for variable, value in zip(variables, values, strict=True):
            # NumPy files have no type for bfloat16, but its bytes
            variable.assign(value.view(ops.convert_to_numpy(variable).dtype) if value.dtype.kind == "V" else value)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.since += 1
        if self.every is not None and self.since >= self.every and batch + 1 < self.steps:
            self.write(batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.history.append({name: float(np.mean(value)) for name, value in (logs or {}).items()})
        self.is_stopped = bool(self.model.stop_training)
        is_due = time.monotonic() - self.written >= self.interval or (
            self.every is not None and self.since >= self.every
        )
        if self.is_stopped or is_due or epoch + 1 == self.epochs:
            self.write(0)

    def write(self, step: int) -> None:
        """Writes a checkpoint of this moment, so many batches into the epoch.

        Raises:
            OSError: where it cannot be written; the checkpoints before are as they were.
        """
        synchronize(self.trained)
        arrays = _arrays("variable", map(ops.convert_to_numpy, trained_variables(self.trained)))
        if step:
            arrays |= _arrays("metric", map(ops.convert_to_numpy, metric_variables(self.trained)))
        arrays |= _arrays("best", self.best_weights or ())
        for i, callback in enumerate(self.callbacks):
            arrays |= _arrays(f"kept.{i}", kept_weights(callback) or ())
        state: State = {
            "step": step,
            "history": self.history,
            "best": self.best,
            "is_stopped": self.is_stopped,
            "callbacks": [read_memory(callback) for callback in self.callbacks],
            "files": [written_files(callback, self.folder) for callback in self.callbacks],
        }
        self.files.write(f"{len(self.history):06}-{step:09}", state, arrays)
        self.written, self.since = time.monotonic(), 0


def _arrays(kind: str, values: Iterable[Tensor]) -> dict[str, np.ndarray]:
    return {f"{kind}.{i}": np.asarray(value) for i, value in enumerate(values)}


def _arrays_of_kind(saved: Saved, kind: str) -> list[np.ndarray]:
    """The arrays of a kind, in their order."""
    count = sum(name.rpartition(".")[0] == kind for name in saved.arrays)
    return [saved.arrays[f"{kind}.{i}"] for i in range(count)]
