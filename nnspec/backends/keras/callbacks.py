"""Keras callbacks of nnspec: NaN, best weights, checkpoints, progress. Imported only for training."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras.callbacks import Callback

from nnspec.backends.keras.memory import (
    averaged_weights,
    kept_weights,
    random_states,
    read_memory,
    restore_memory,
    rewind,
)
from nnspec.backends.keras.model import reset_states
from nnspec.backends.types import KerasCallback, KerasModel
from nnspec.progress import Progress

Logs = dict[str, Any] | None  # what Keras tells: metrics by name


class NotANumber(Callback):  # type: ignore[misc]
    """Ends the training as soon as the loss is not finite, by raising the fault of an epoch and batch (from 1)."""

    def __init__(self, fault: Callable[[int, int, float], Exception]) -> None:
        super().__init__()
        self.fault = fault
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise self.fault(self.epoch + 1, batch + 1, loss)


class ResetStates(Callback):  # type: ignore[misc]
    """Stateful layers forget at the beginning of each epoch and of each validation, as the series begins anew."""

    def reset(self) -> None:
        reset_states(self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.reset()

    def on_test_begin(self, logs: Logs = None) -> None:
        self.reset()


class Checkpoint(Callback):  # type: ignore[misc]
    """Everything needed to go on after an interruption as if there had been none.

    Weights, optimizer, the states of random numbers, what the spec's callbacks remember, history, and the best epoch so
    far. Written after the first epoch and then whenever `interval` seconds have passed, since quick epochs would
    otherwise spend their time on writing.
    """

    interval = 5.0

    def __init__(self, folder: Path, model: KerasModel, callbacks: Sequence[KerasCallback] = ()) -> None:
        super().__init__()
        self.folder = folder / "checkpoint"
        self.trained = model
        self.callbacks = callbacks
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Any] = {}
        self.best_weights: list[np.ndarray] | None = None
        self.is_stopped = False
        self.remembered: list[dict[str, Any]] = []  # what the spec's callbacks did when the training was interrupted
        self.recalled: dict[int, list[np.ndarray]] = {}  # and the weights that they kept
        self.written = float("-inf")

    def restore(self) -> int:
        """Puts weights and optimizer back; the number of epochs that are done."""
        state = self.folder / "state.json"
        if not state.is_file():
            return 0
        saved = json.loads(state.read_text(encoding="utf-8"))
        self.history, self.best, self.is_stopped = saved["history"], saved["best"], saved["is_stopped"]
        self.remembered = saved["callbacks"]
        self.trained.optimizer.build(self.trained.trainable_variables)
        if self.best:
            self.trained.load_weights(self.folder / saved["best_weights"])
            self.best_weights = self.trained.get_weights()
        self.trained.load_weights(self.folder / saved["weights"])
        with np.load(self.folder / saved["kept"]) as kept:
            for i in range(len(self.remembered)):
                names = [name for name in kept.files if name.startswith(f"{i}.")]
                if names:
                    self.recalled[i] = [kept[f"{i}.{j}"] for j in range(len(names))]
        for variable, value in zip(random_states(self.trained), saved["random"], strict=True):
            variable.assign(value)
        for callback in self.callbacks:
            rewind(callback, len(self.history))
        return len(self.history)

    def on_train_begin(self, logs: Logs = None) -> None:
        """The spec's callbacks began anew just now, as Keras' do: they remember."""
        for i, (callback, memory) in enumerate(zip(self.callbacks, self.remembered, strict=False)):
            restore_memory(callback, memory, self.recalled.get(i))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.history.append({name: _number(value) for name, value in (logs or {}).items()})
        self.is_stopped = bool(self.model.stop_training)
        if self.is_stopped or time.monotonic() - self.written >= self.interval:
            self.write(epoch % 2)
            self.written = time.monotonic()

    def write(self, turn: int) -> None:
        """Writes beside the checkpoint before, whose state file then points here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {
            "weights": f"{turn}.weights.h5",
            "history": self.history,
            "best": self.best,
            "is_stopped": self.is_stopped,
            "random": [variable.numpy().tolist() for variable in random_states(self.trained)],
            "callbacks": [read_memory(callback) for callback in self.callbacks],
            "kept": f"{turn}.kept.npz",
        }
        kept: dict[str, Any] = {
            f"{i}.{j}": w for i, c in enumerate(self.callbacks) for j, w in enumerate(kept_weights(c) or ())
        }
        np.savez(self.folder / state["kept"], **kept)
        self.trained.save_weights(self.folder / state["weights"], overwrite=True)
        if self.best_weights is not None:
            state["best_weights"] = f"{turn}.best.weights.h5"
            latest = self.trained.get_weights()
            self.trained.set_weights(self.best_weights)
            self.trained.save_weights(self.folder / state["best_weights"], overwrite=True)
            self.trained.set_weights(latest)
        beside = self.folder / "state.json.part"
        beside.write_text(json.dumps(state), encoding="utf-8")
        os.replace(beside, self.folder / "state.json")


class BestWeights(Callback):  # type: ignore[misc]
    """Keeps the weights of the epoch whose monitored figure is best: their averages where the optimizer keeps some."""

    def __init__(self, monitor: str, checkpoint: Checkpoint, *, rises: bool) -> None:
        super().__init__()
        self.monitor = monitor
        self.checkpoint = checkpoint
        self.sign = -1.0 if rises else 1.0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        best = self.checkpoint.best.get("value")
        if best is None or self.sign * _number(value) < self.sign * best:
            self.checkpoint.best = {"value": _number(value), "epoch": epoch + 1}
            self.checkpoint.best_weights = averaged_weights(self.model, self.checkpoint.callbacks)

    def restore(self, model: KerasModel) -> int:
        """Puts the best weights back; which epoch they are of (from 1)."""
        if self.checkpoint.best_weights is not None:
            model.set_weights(self.checkpoint.best_weights)
            return int(self.checkpoint.best["epoch"])
        return len(self.checkpoint.history)


class Reporter(Callback):  # type: ignore[misc]
    """Tells the progress of epochs and steps."""

    def __init__(self, progress: Progress, total: int, done: int, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.bar = progress.epochs(total, done)
        self.epoch = done

    def on_train_begin(self, logs: Logs = None) -> None:
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {}).get("loss", math.nan))
        self.bar.step(self.epoch + 1, batch + 1, (self.params or {}).get("steps"), loss)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.bar.advance(epoch + 1, {name: _number(value) for name, value in (logs or {}).items()})

    def on_train_end(self, logs: Logs = None) -> None:
        self.bar.stop()


def _number(value: Any) -> float:
    """A figure of an epoch; the mean of a metric that gives one for each class."""
    return float(np.mean(value))
