"""How fast an engine trains a spec: `python -m nnspec.jobs.engine_speed`, a process of its own for each engine.

Keras keeps the engine that it was imported on, so two of them cannot be measured in one process. Each process trains by
the job of `nnspec train`, on the spec's batches, in a folder that is removed. Behind the steps in which the engine
compiles it waits. Each line that it reads is a turn: a stretch of steps, whose seconds a step it writes. Whoever asks
several processes in turn compares them under the same load.

It reads the spec as one line of JSON, and ends when its standard input does.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from nnspec.document.types import JsonObject
from nnspec.progress import EpochBar, Progress
from nnspec.unused_packages import claim_process

COMPILING = 3  # steps at least, in which an engine traces and compiles
SHORT = 1.0  # seconds: of shorter epochs whole ones are measured, with their beginnings and validations
STRETCH = 0.5  # seconds that a turn measures at least
IDLE = 0.25  # seconds of steps in front of those, since batches were prepared while the process waited
EPOCHS = 1_000_000  # more than are measured


class Enough(Exception):
    """No more turns are asked for."""


class Stopwatch(Progress):
    """Hears of every step of a training, and stops it where a turn ends, until the next is asked for.

    Args:
        wait: returns when a turn is asked for, whether one was.
        tell: is told seconds a step.
    """

    def __init__(self, wait: Callable[[], bool], tell: Callable[[float], None]) -> None:
        super().__init__(quiet=True)
        self.wait, self.tell = wait, tell

    def epochs(self, total: int, done: int) -> EpochBar:
        return _Steps(self)


class _Steps(EpochBar):
    """The steps of a training, as they are done.

    Attributes:
        times: when each step was done since the last turn.
    """

    def __init__(self, watch: Stopwatch) -> None:
        super().__init__(watch, EPOCHS, 0)
        self.watch = watch
        self.times: list[float] = []
        self.is_compiled = False

    def step(self, epoch: int, step: int, steps: int | None, loss: float) -> None:
        self.times.append(time.perf_counter())
        count = steps or 1
        if not self.is_compiled:
            self._compile(epoch, count)
            return
        unit = self.unit(count)
        idle = unit if unit == count else min(len(self.times), max(1, math.ceil(IDLE / self.seconds)))
        if len(self.times) <= idle or (len(self.times) - 1 - idle) % unit:
            return
        spent, done = self.times[-1] - self.times[idle], len(self.times) - 1 - idle
        if done and spent >= STRETCH:
            self.watch.tell(spent / done)
            self._await()

    def _compile(self, epoch: int, count: int) -> None:
        """Steps that are not measured: the first ones, and of short epochs all of the first two."""
        done = len(self.times)
        if done <= COMPILING:
            return
        self.seconds = (self.times[-1] - self.times[COMPILING - 1]) / (done - COMPILING)
        if self.seconds * count > SHORT or epoch > 2:
            self.is_compiled = True
            self._await()

    def unit(self, count: int) -> int:
        """The steps that a turn is a multiple of."""
        return count if self.seconds * count <= SHORT else 1

    def _await(self) -> None:
        if not self.watch.wait():
            raise Enough
        self.times = [time.perf_counter()]


def measure(given: JsonObject, watch: Stopwatch) -> None:
    """Trains until no more turns are asked for.

    Args:
        given: `path`, `text` and `overrides` of the spec, and the name of the `engine`.

    Raises:
        Enough
    """
    from dataclasses import replace

    from nnspec import pipeline
    from nnspec.diagnostics import Source
    from nnspec.jobs.dataset import prepare_data
    from nnspec.jobs.folds import final_model
    from nnspec.jobs.settings import engine_of, settings_of
    from nnspec.jobs.start import weights_loader
    from nnspec.training.train import train

    overrides = {**given["overrides"], "training.backend": given["engine"]}
    source, path = Source(Path(given["path"]).name, given["text"]), Path(given["path"])
    # what its files may be was checked where the spec was
    checked = pipeline.check(path, overrides, allow_outside=True, without_search=True, source=source)
    engine = engine_of(checked)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ready, dataset = prepare_data(final_model(checked), folder, watch, resume=False)
        settings = settings_of(ready)
        kept = [callback for callback in settings["callbacks"] if not _ends(callback)]
        settings = replace(settings, values={**settings.values, "epochs": EPOCHS, "callbacks": kept})
        start = weights_loader(ready, watch.say)
        train(ready.graph, dataset, settings, folder, watch, backend=engine, initial=start)


def _ends(callback: object) -> bool:
    """Whether a callback may end a training, which a measurement goes on with."""
    name = callback if isinstance(callback, str) else next(iter(callback), "") if isinstance(callback, dict) else ""
    return name in ("EarlyStopping", "TerminateOnNaN")


def main(asked: TextIO, answers: TextIO) -> None:
    given = json.loads(asked.readline())

    def write(body: JsonObject) -> None:
        answers.write(json.dumps(body) + "\n")
        answers.flush()

    def wait() -> bool:
        write({"ready": True})
        return bool(asked.readline())

    from nnspec.diagnostics import SpecError

    try:
        measure(given, Stopwatch(wait, lambda seconds: write({"seconds": seconds})))
    except Enough:
        return
    except SpecError as error:
        write({"failure": error.diagnostics[0].message})
    except Exception as error:  # of an engine: it is left out, and the other trains
        write({"failure": f"{type(error).__name__}: {error}".splitlines()[0]})


if __name__ == "__main__":
    claim_process()
    answering = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    main(sys.stdin, answering)
