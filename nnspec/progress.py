"""Progress output: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class Progress:
    """Reports progress on standard error, so that standard output only has results."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.is_terminal = not quiet and self.stream.isatty()

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=self.stream, flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A phase: its name, and how long it took."""
        started = time.monotonic()
        yield
        self.say(f"{text} ({time.monotonic() - started:.1f} s)")

    def epochs(self, total: int, done: int) -> EpochBar:
        return EpochBar(self, total, done)


class EpochBar:
    """Epochs of a training."""

    def __init__(self, progress: Progress, total: int, done: int) -> None:
        self.progress = progress
        self.total = total
        self.done = done
        self.bar: Any = None
        self.task: Any = None

    def start(self) -> None:
        if not self.progress.is_terminal:
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(file=self.progress.stream)
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        self.bar = Bar(*columns, console=console)
        self.bar.start()
        self.task = self.bar.add_task("training", total=self.total, completed=self.done, figures="")

    def advance(self, epoch: int, figures: dict[str, float]) -> None:
        text = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        if self.bar is not None:
            self.bar.update(self.task, completed=epoch, figures=text)
        else:
            self.progress.say(f"epoch {epoch}/{self.total}  {text}")

    def stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
