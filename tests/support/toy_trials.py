"""A trial that is a formula: quick, and in no need of a framework, so that engines can be tested by themselves."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from nnspec.search.pruning import is_pruned
from nnspec.search.trials import COMPLETE, FAILED, PRUNED, Outcome, Task, Tell

EPOCHS = 4


def run_toy(task: Task, tell: Tell) -> Outcome:
    """Less is better at 9 units; a trial of 13 units has no value. Each process that runs a trial is written down."""
    folder = Path(task.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "processes").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    units = float(json.loads(task.overrides["vars.units"]))
    values: list[float] = []
    for epoch in range(1, EPOCHS + 1):
        time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
        values.append(abs(units - 9) + 4 / epoch)
        tell(epoch, EPOCHS, values[-1])
        if is_pruned(values, task.limits, is_maximized=task.is_maximized):
            return Outcome(number=task.number, state=PRUNED, epochs=tuple(values), reason="pruned")
    if units == 13:
        return Outcome(number=task.number, state=FAILED, epochs=tuple(values), reason="unlucky")
    return Outcome(number=task.number, state=COMPLETE, value=values[-1], epochs=tuple(values))


def die(task: Task, tell: Tell) -> Outcome:
    """Ends its process."""
    os.kill(os.getpid(), 9)
    raise AssertionError
