"""Event files of TensorBoard, written by its own writer: a folder a run, without TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.training.logs.about import About

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter


class TensorBoardLogger:
    """Runs below a folder, which `tensorboard --logdir FOLDER` shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, EventFileWriter] = {}
        self.run = ""

    def begin(self, about: About, known: str | None) -> str:
        from tensorboard.plugins.text.summary_v2 import text_pb

        self.run = known or _free(self.folder, about.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        if known is None:
            rows = [*about.parameters.items(), *about.tags.items()]
            table = "\n".join(["| what | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])
            writer = self._writer("")
            writer.add_event(_event(0, text_pb("about", f"{about.description}\n\n{table}")))
            writer.flush()
        return self.run

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Training and validation of a metric are two lines of one chart."""
        for name, value in values.items():
            is_held_out = name.startswith("val_")
            self._add("validation" if is_held_out else "", f"epoch/{name.removeprefix('val_')}", number, value)
        for writer in self.writers.values():
            writer.flush()

    def end(self, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        for name, value in metrics.items():
            self._add("", f"metrics/{name.replace('.', '/')}", 0, value)
        self._close()

    def fail(self) -> None:
        self._close()

    def _add(self, part: str, tag: str, step: int, value: float) -> None:
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        self._writer(part).add_event(_event(step, scalar_pb(tag, value)))

    def _writer(self, part: str) -> EventFileWriter:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if part not in self.writers:
            self.writers[part] = EventFileWriter(str(self.folder / self.run / part))
        return self.writers[part]

    def _close(self) -> None:
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()


def _event(step: int, summary: Summary) -> Event:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=time.time(), step=step, summary=summary)


def _free(folder: Path, name: str) -> str:
    """The run's name, with a number where one is called so already."""
    number = 1
    while (folder / (name if number == 1 else f"{name}_{number}")).exists():
        number += 1
    return name if number == 1 else f"{name}_{number}"
