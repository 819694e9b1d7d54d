"""Progress output: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

WIDTH = 80  # columns that a bar and the line of an epoch take at most
_INTERVAL = 0.1  # seconds between two drawings


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
    """Epochs of a training: a line for each that is done and, on a terminal, a bar with the steps of the one below."""

    def __init__(self, progress: Progress, total: int, done: int) -> None:
        self.progress = progress
        self.total = total
        self.done = done
        self.bar: Bar | None = None
        self.drawn = 0.0

    def start(self) -> None:
        if not self.progress.is_terminal or self.bar is not None:
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(file=self.progress.stream)
        console.width = min(console.width, WIDTH)
        columns = (
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=24),
            TextColumn("step {task.fields[step]}/{task.fields[steps]}"),
            TextColumn("{task.fields[metrics]}"),
            TimeRemainingColumn(compact=True),
        )
        self.bar = Bar(*columns, console=console, transient=True)
        self.bar.start()
        self.bar.add_task(
            "training",
            total=float(self.total),
            completed=self.done,
            epoch=min(self.done + 1, self.total),
            epochs=self.total,
            step=0,
            steps="?",
            metrics="",
        )

    def step(self, epoch: int, step: int, steps: int | None, loss: float) -> None:
        """Tells of a step of an epoch, both from 1; drawn now and then, so that it costs nothing."""
        now = time.monotonic()
        if self.bar is None or (now - self.drawn < _INTERVAL and step != steps):
            return
        self.drawn = now
        completed = epoch - 1 + (step / steps if steps else 0.0)
        self.bar.update(
            self.bar.task_ids[0],
            completed=completed,
            epoch=epoch,
            step=step,
            steps=steps or "?",
            metrics=f"loss {loss:.4g}",
        )

    def advance(self, epoch: int, metrics: dict[str, float]) -> None:
        """Tells of an epoch that is done, from 1."""
        line = f"epoch {epoch}/{self.total}  " + "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        if self.bar is None:
            self.progress.say(line)
            return
        self.bar.console.print(line, markup=False, highlight=False, no_wrap=True, overflow="ellipsis")
        self.bar.update(self.bar.task_ids[0], completed=float(epoch))

    def stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
