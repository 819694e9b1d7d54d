"""Keras callbacks of nnspec's own: NaN, best weights, checkpoints, progress. Imported only by training."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from keras.callbacks import Callback  # noqa: TID253 - a Keras subclass; this module is loaded only where Keras is

from nnspec.backends.keras import reset_states
from nnspec.diagnostics import Span
from nnspec.progress import Progress


class NotANumber(Callback):  # type: ignore[misc]
    """Ends the training with a diagnostic as soon as the loss is not finite."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        from nnspec.train import not_a_number

        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise not_a_number(self.span, self.epoch + 1, batch + 1, loss)


class ResetStates(Callback):  # type: ignore[misc]
    """Stateful layers forget at the beginning of each epoch and of each validation, as the series begins anew."""

    def reset(self) -> None:
        reset_states(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.reset()

    def on_test_begin(self, logs: Any = None) -> None:
        self.reset()


class Checkpoint(Callback):  # type: ignore[misc]
    """Everything needed to go on after an interruption: weights, optimizer, history and the best epoch so far.

    Written after the first epoch and then whenever `interval` seconds have passed, since quick epochs would otherwise
    spend their time on writing.
    """

    interval = 5.0

    def __init__(self, folder: Path, model: Any) -> None:
        super().__init__()
        self.folder = folder / "checkpoint"
        self.trained = model
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Any] = {}
        self.best_weights: list[Any] | None = None
        self.written = float("-inf")

    def restore(self) -> int:
        """Puts weights and optimizer back; the number of epochs that are done."""
        state = self.folder / "state.json"
        if not state.is_file():
            return 0
        saved = json.loads(state.read_text(encoding="utf-8"))
        self.history, self.best = saved["history"], saved["best"]
        self.trained.optimizer.build(self.trained.trainable_variables)
        if self.best:
            self.trained.load_weights(self.folder / saved["best_weights"])
            self.best_weights = self.trained.get_weights()
        self.trained.load_weights(self.folder / saved["weights"])
        return len(self.history)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        if time.monotonic() - self.written >= self.interval:
            self.write(epoch % 2)
            self.written = time.monotonic()

    def write(self, turn: int) -> None:
        """Writes beside the checkpoint before, whose state file then points here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {"weights": f"{turn}.weights.h5", "history": self.history, "best": self.best}
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
    """Keeps the weights of the epoch whose monitored figure is best."""

    def __init__(self, monitor: str, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.monitor = monitor
        self.checkpoint = checkpoint
        upwards = ("acc", "auc", "precision", "recall", "f1", "r2", "iou")
        self.sign = -1.0 if any(word in monitor.lower() for word in upwards) else 1.0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        best = self.checkpoint.best.get("value")
        if best is None or self.sign * float(value) < self.sign * best:
            self.checkpoint.best = {"value": float(value), "epoch": epoch + 1}
            self.checkpoint.best_weights = self.model.get_weights()

    def restore(self, model: Any) -> int:
        """Puts the best weights back; which epoch they are of (from 1)."""
        if self.checkpoint.best_weights is not None:
            model.set_weights(self.checkpoint.best_weights)
            return int(self.checkpoint.best["epoch"])
        return len(self.checkpoint.history)


class Reporter(Callback):  # type: ignore[misc]
    """Tells the progress of epochs."""

    def __init__(self, progress: Progress, total: int, done: int, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.bar = progress.epochs(total, done)

    def on_train_begin(self, logs: Any = None) -> None:
        self.bar.start()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.bar.advance(epoch + 1, {name: float(value) for name, value in (logs or {}).items()})

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.stop()
