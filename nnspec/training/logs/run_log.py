"""A training's log: begun before the first epoch, told of each, and ended with what was built.

A place that cannot be reached before the training is an error; one that fails later is told once and left, since the
training is worth more than its log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.progress import Progress
from nnspec.training.logs.about import About
from nnspec.training.logs.place import LogPlace

_FILE = "log.json"  # in the checkpoint's folder: which runs a resumed training goes on with


class Logger(Protocol):
    """One place."""

    def begin(self, about: About, known: str | None) -> str:
        """Begins a run, or goes on with one that is known: what it is known by."""

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Metrics of an epoch, from 1."""

    def end(self, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        """What came of it."""

    def fail(self) -> None:
        """The training was interrupted; it may go on later."""


@dataclass(kw_only=True)
class RunLog:
    """All places of a training."""

    loggers: dict[str, Logger]
    progress: Progress
    span: Span
    told: set[str] = field(default_factory=set)
    last: int = 0  # the last epoch that was told
    path: Path | None = None
    runs: dict[str, str] = field(default_factory=dict)

    def begin(self, about: About, folder: Path, *, resume: bool) -> None:
        """Begins a run at each place; a resumed training goes on with those that it began.

        Args:
            folder: the build's; it keeps what the runs are known by.

        Raises:
            SpecError: NN627 where a place cannot be reached.
        """
        path = folder / "checkpoint" / _FILE
        found = json.loads(path.read_text(encoding="utf-8")) if resume and path.is_file() else {}
        known: dict[str, str] = found.get("runs", {})
        self.last = int(found.get("epoch", 0))
        for kind, logger in self.loggers.items():
            try:
                known[kind] = logger.begin(about, known.get(kind))
            except Exception as error:
                raise SpecError([_unreachable(kind, error, self.span)]) from error
        if self.loggers:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path, self.runs = path, known
            self._keep()

    def _keep(self) -> None:
        if self.path is not None and self.path.parent.is_dir():
            self.path.write_text(json.dumps({"runs": self.runs, "epoch": self.last}), encoding="utf-8")

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Tells of an epoch, once: a resumed training gives the same metrics again behind its checkpoint."""
        if number <= self.last:
            return
        for kind, logger in self.loggers.items():
            with self._forgiving(kind):
                logger.epoch(number, values)
        self.last = number
        self._keep()

    def end(self, metrics: Mapping[str, object], files: Sequence[Path]) -> None:
        """Ends the runs.

        Args:
            metrics: as in metrics.json.
            files: what the build holds.
        """
        flat = flat_numbers(metrics)
        for kind, logger in self.loggers.items():
            with self._forgiving(kind):
                logger.end(flat, files)

    def fail(self) -> None:
        for kind, logger in self.loggers.items():
            with self._forgiving(kind):
                logger.fail()

    def _forgiving(self, kind: str) -> _Forgiving:
        return _Forgiving(self, kind)


@dataclass
class _Forgiving:
    """Tells of the first failure of a place, and goes on."""

    log: RunLog
    kind: str

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, Exception):
            return False
        if self.kind not in self.log.told:
            self.log.told.add(self.kind)
            self.log.progress.say(f"not logged to {self.kind}: {_first_line(error)}")
        return True


def log_of(places: Sequence[LogPlace], of_spec: Path, progress: Progress, span: Span) -> RunLog:
    """The log of a training; of none where the spec names no place."""
    loggers: dict[str, Logger] = {}
    for place in places:
        if place.kind == "tensorboard":
            from nnspec.training.logs.tensorboard import TensorBoardLogger

            loggers[place.kind] = TensorBoardLogger(place.folder(of_spec))
        else:
            from nnspec.training.logs.mlflow_runs import MlflowLogger

            loggers[place.kind] = MlflowLogger(place.text if place.is_server else place.folder(of_spec).as_uri())
    return RunLog(loggers=loggers, progress=progress, span=span)


def flat_numbers(values: Mapping[str, object], prefix: str = "") -> dict[str, float]:
    """Numbers within mappings by their path: `test.y.rmse`."""
    found: dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= flat_numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{prefix}{key}"] = float(value)
    return found


def _unreachable(kind: str, error: Exception, span: Span) -> Diagnostic:
    message = f"the training cannot be logged to {kind}: {_first_line(error)}"
    return Diagnostic("NN627", message, span, path=f"training.log.{kind}")


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__
