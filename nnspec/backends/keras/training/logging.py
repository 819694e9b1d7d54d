"""Tells a log of each epoch's metrics as it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keras.callbacks import Callback

from nnspec.backends.types import KerasLogs as Logs


class Log(Callback):  # type: ignore[misc]
    """Stands last, so that it knows what other callbacks add to the metrics."""

    def __init__(self, tell: Callable[[int, Mapping[str, float]], None]) -> None:
        super().__init__()
        self.tell = tell

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.tell(epoch + 1, {name: float(value) for name, value in (logs or {}).items()})
