"""`training.backend: auto`: measures each engine that is installed on the spec's own batches, and chooses one.

What was chosen is written down with the checkpoint, so that a build that is resumed keeps it, and replaces `auto` in
the resolved spec, so that the model's file says it: `nnspec rebuild` trains on the same engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from nnspec import pipeline
from nnspec.backends.registry import AUTO, TRAINING
from nnspec.diagnostics import Source, SpecError
from nnspec.document import Mapping as MappingNode
from nnspec.document.types import JsonObject
from nnspec.expansion.overrides import apply_overrides
from nnspec.pipeline import Checked
from nnspec.progress import Progress

FILE = "engine.json"
KEY = "training.backend"
TURNS = 4  # of each engine, one after the other
CLOSE = 0.97  # of the speed of the fastest: the default is not left for less


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An engine, and why.

    Attributes:
        seconds: of a step of each engine that was measured, the least of its turns.
        reasons: why the others were not, by engine.
    """

    engine: str
    seconds: Mapping[str, float]
    reasons: Mapping[str, str]

    def to_json(self) -> JsonObject:
        """As manifest.json has it."""
        steps = {name: round(1 / seconds, 2) for name, seconds in self.seconds.items()}
        return {"engine": self.engine, "steps_per_second": steps, "not_measured": dict(self.reasons)}

    def say(self) -> str:
        """In words."""
        steps = ", ".join(f"{name} {1 / seconds:,.4g} steps/s" for name, seconds in self.seconds.items())
        left = "".join(f"; {name} is left out: {reason}" for name, reason in self.reasons.items())
        return f"backend auto: {self.engine} ({steps or 'nothing was measured'}{left})"


def is_open(checked: Checked) -> bool:
    """Whether a spec leaves the engine to be chosen."""
    return checked.section("training").get("backend") == AUTO


def with_engine(
    checked: Checked, folder: Path, progress: Progress, *, resume: bool = False
) -> tuple[Checked, JsonObject]:
    """The spec with the engine that was chosen in place of `auto`, and what manifest.json says of it.

    Args:
        folder: where the choice is kept.
        resume: keeps the choice that is there.
    """
    if not is_open(checked):
        return checked, {}
    path = folder / FILE
    if resume and path.is_file():
        said = json.loads(path.read_text(encoding="utf-8"))
        progress.say(f"backend auto: {said['engine']}, as before the interruption")
    else:
        with progress.step("measuring backends"):
            choice = choose_engine(checked)
        progress.say(choice.say())
        said = choice.to_json()
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(said), encoding="utf-8")
        os.replace(beside, path)
    root = apply_overrides(checked.root, {KEY: said["engine"]})
    assert isinstance(root, MappingNode)
    return replace(checked, root=root), {"auto": said}


def choose_engine(checked: Checked) -> Choice:
    """The fastest of the engines that a spec can be trained on; a single one is not measured."""
    names, reasons = candidates(checked)
    if len(names) < 2:
        return Choice(engine=names[0] if names else next(iter(TRAINING)), seconds={}, reasons=reasons)
    seconds, failures = measure_engines(checked, names)
    if not seconds:
        return Choice(engine=names[0], seconds={}, reasons={**reasons, **failures})
    best = min(seconds.values())
    chosen = next(name for name in seconds if best / seconds[name] >= CLOSE)
    return Choice(engine=chosen, seconds=seconds, reasons={**reasons, **failures})


def candidates(checked: Checked) -> tuple[list[str], dict[str, str]]:
    """The engines that are installed and have what the spec uses, and why the others are none."""
    found, reasons = [], {}
    loaded = sys.modules["keras"].backend.backend() if "keras" in sys.modules else None
    for name in TRAINING:
        if loaded is not None and name != loaded:
            reasons[name] = f"Keras runs on {loaded} in this process"
        elif find_spec(name) is None:
            reasons[name] = "it is not installed"
        elif (fault := _fault(checked, name)) is not None:
            reasons[name] = fault
        else:
            found.append(name)
    return found, reasons


def _fault(checked: Checked, name: str) -> str | None:
    """What keeps a spec from an engine."""
    source, overrides = Source(checked.path.name, checked.text), {**checked.overrides, KEY: name}
    try:
        pipeline.check(checked.path, overrides, allow_outside=True, without_search=True, source=source)
    except SpecError as error:
        return next(fault.message for fault in error.diagnostics if fault.is_error)
    return None


def measure_engines(checked: Checked, names: Sequence[str]) -> tuple[dict[str, float], dict[str, str]]:
    """Seconds of a step of each engine, compilation apart, and why some have none.

    All are loaded and compiled one after the other, and then asked in turn, so that what else the machine does meets
    all of them. The least of an engine's turns counts.
    """
    seconds: dict[str, list[float]] = {}
    failures: dict[str, str] = {}
    with ExitStack() as stack:
        processes: dict[str, subprocess.Popen[str]] = {}
        for name in names:
            processes[name] = stack.enter_context(_start_process(checked, name))
            stack.callback(processes[name].kill)
            _await(name, processes[name], seconds, failures)
        for _ in range(TURNS):
            for name in [name for name in names if name not in failures]:
                _write(processes[name], "turn\n")
                _await(name, processes[name], seconds, failures)
    return {name: min(turns) for name, turns in seconds.items() if name not in failures}, failures


def _start_process(checked: Checked, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nnspec.jobs.engine_speed"]
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    overrides = {key: value for key, value in checked.overrides.items() if key != KEY}
    given = {"path": str(checked.path.absolute()), "text": checked.text, "overrides": overrides, "engine": name}
    _write(process, json.dumps(given) + "\n")
    return process


def _write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except OSError:  # it has ended, as its answer will say
        pass


def _await(
    name: str, process: subprocess.Popen[str], seconds: dict[str, list[float]], failures: dict[str, str]
) -> None:
    """Reads what a process says until it waits for the next turn."""
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if "seconds" in said:
            seconds.setdefault(name, []).append(said["seconds"])
        elif "failure" in said:
            failures[name] = said["failure"]
            return
        else:
            return
    failures[name] = "its process ended"
