"""A trial of a search: trains a point of the space by the job of `nnspec train`, watched epoch by epoch.

A trial that was interrupted goes on from its checkpoint. The metrics of its epochs are written down beside it; if those
of an epoch that the checkpoint has are missing, as after a kill between the two, the trial starts again: the result is
the same, and pruning decides on the same numbers.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from nnspec import pipeline
from nnspec.diagnostics import SpecError
from nnspec.progress import EpochBar, Progress
from nnspec.search.goals import find_metric
from nnspec.search.locking import lock_file
from nnspec.search.pruning import is_pruned
from nnspec.search.trials import COMPLETE, FAILED, PRUNED, FreshProcessNeeded, Outcome, Task, Tell

RESULT, EPOCHS, RUN = "result.json", "epochs.jsonl", "run"


class _Pruned(Exception):
    """The trial is worse than others were after as many epochs."""


class _EpochsMissing(Exception):
    """The checkpoint is further than what was written down of the epochs."""


def run_trial(task: Task, tell: Tell) -> Outcome:
    """Runs a trial, or goes on with it; what an earlier attempt finished is read.

    Raises:
        FreshProcessNeeded: where this process has loaded another engine than the trial trains on.
    """
    folder = Path(task.folder)
    with lock_file(folder / "lock", waits=True):  # of a process that is just ending
        known = _known(task, folder)
        if known is not None:
            return known
        outcome = _run(task, folder, tell)
        (folder / RUN / "model.keras").unlink(missing_ok=True)  # the winner is built again, exported and verified
        _write(folder / RESULT, {"overrides": task.overrides, "outcome": json.loads(outcome.to_json())})
        return outcome


def _known(task: Task, folder: Path) -> Outcome | None:
    """What a finished attempt found; what is left of a trial of other values is removed."""
    path = folder / RESULT
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Outcome.from_json(json.dumps(found["outcome"])) if found["overrides"] == task.overrides else None


def _run(task: Task, folder: Path, tell: Tell) -> Outcome:
    from nnspec.jobs.training import run_training

    watch = _Watch(task, folder / EPOCHS, tell)
    state, reason, value = FAILED, "", None
    try:
        checked = pipeline.check(task.spec, task.overrides, allow_outside=task.allow_outside, without_search=True)
        try:
            run = run_training(checked, folder / RUN, watch, resume=True, is_logged=False)
        except (_EpochsMissing, SpecError) as error:
            if isinstance(error, SpecError) and all(d.code != "NN522" for d in error.diagnostics):
                raise
            watch.forget()
            run = run_training(checked, folder / RUN, watch, resume=False, is_logged=False)
        value = find_metric(run.metrics, task.goal)
        state = FAILED if value is None else COMPLETE
        reason = f"{task.goal} is not a number" if value is None else ""
    except _Pruned:
        state, reason = PRUNED, f"worse than the median after epoch {len(watch.values)}"
    except SpecError as error:
        if any(d.code == "NN610" for d in error.diagnostics):
            raise FreshProcessNeeded from None
        reason = "; ".join(f"{d.code}: {d.message}" for d in error.diagnostics if d.is_error)
    finally:
        _clear()
    shutil.rmtree(folder / f".{RUN}.building", ignore_errors=True)
    return Outcome(number=task.number, state=state, value=value, epochs=tuple(watch.values), reason=reason)


class _Watch(Progress):
    """Hears of every epoch: writes its metric down, tells it, and ends a trial that is pruned."""

    def __init__(self, task: Task, path: Path, tell: Tell) -> None:
        super().__init__(quiet=True)
        self.task, self.path, self.tell = task, path, tell
        self.values = [] if not path.is_file() else _whole_lines(path)

    def forget(self) -> None:
        self.values = []
        self.path.unlink(missing_ok=True)

    def lacks_epochs(self, done: int) -> bool:
        """Whether less is known of the epochs than a checkpoint has; what is known beyond it is forgotten."""
        if len(self.values) < done and self.task.monitor is not None:
            return True
        del self.values[done:]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(f"{json.dumps(value)}\n" for value in self.values), encoding="utf-8")
        return False

    def epochs(self, total: int, done: int) -> EpochBar:
        return _Heard(self, total, done)

    def hear(self, epoch: int, total: int, metrics: dict[str, float]) -> None:
        """Of an epoch that is done, from 1."""
        task, value = self.task, metrics.get(self.task.monitor or "")
        if value is not None:
            self.values.append(task.sign * value)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(self.values[-1])}\n")
        self.tell(epoch, total, value)
        self.prune()

    def prune(self) -> None:
        """Ends the trial if it is worse than the trials before.

        Raises:
            _Pruned
        """
        if is_pruned(self.values, self.task.limits, is_maximized=self.task.is_maximized):
            raise _Pruned


class _Heard(EpochBar):
    def __init__(self, watch: _Watch, total: int, done: int) -> None:
        super().__init__(watch, total, done)
        self.watch = watch
        if watch.lacks_epochs(done):
            raise _EpochsMissing
        watch.prune()  # a kill may have come between the last epoch and its consequence

    def advance(self, epoch: int, metrics: dict[str, float]) -> None:
        self.watch.hear(epoch, self.total, metrics)


def _whole_lines(path: Path) -> list[float]:
    """The metrics of the epochs so far; a line that was not written to its end is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [float(json.loads(line)) for line in lines]


def _clear() -> None:
    """Frees what Keras keeps of the models of a process."""
    import gc
    import sys

    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
    gc.collect()


def _write(path: Path, body: object) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(body) + "\n", encoding="utf-8")
    os.replace(beside, path)
