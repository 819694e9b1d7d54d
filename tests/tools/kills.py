"""Kills builds at random moments and continues them: `python -m tests.tools.kills [--kills 100] [--spec SPEC]`.

Every build that was killed, as often as chance wants, and continued by `--resume` must end in the files of an
undisturbed one, byte for byte, and none may train again once its training was done. A kill is a SIGKILL, half of them
at a random time and half at a random file operation in the build directory, so that every moment between two writes is
met. A process with the frameworks loaded forks a process for each build, which saves the seconds of importing them.

It prints where the kills were and exits with 1 if a file differs.
"""

from __future__ import annotations

import argparse
import collections
import gc
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.support.forked import forked

ROWS = 120
SPEC = {
    "nnspec": 1,
    "name": "killed",
    "data": {
        "source": {"csv": "rows.csv"},
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "inputs": {"x": {"columns": ["a", "b"], "scale": "standard"}},
        "outputs": {"kind": {"columns": ["kind"]}},
    },
    "inputs": {"x": {"axes": {"feature": 2}}},
    "model": [
        {"Dense": {"units": 6, "activation": "tanh"}},
        "BatchNormalization",
        {"Dropout": {"rate": 0.3}},
        {"Dense": {"units": 3, "activation": "softmax", "as": "class"}},
    ],
    "outputs": {"kind": {"task": "classification", "metrics": ["accuracy"]}},
    "training": {
        "epochs": 6,
        "batch_size": 8,
        "checkpoint": {"steps": 4},
        "optimizer": {"Adam": {"learning_rate": 0.01, "use_ema": True, "gradient_accumulation_steps": 2}},
        "callbacks": [
            {"CSVLogger": {"filename": "log.csv"}},
            {"EarlyStopping": {"monitor": "val_loss", "patience": 3}},
            {"ModelCheckpoint": {"filepath": "kept/{epoch}.weights.h5", "save_weights_only": True}},
        ],
    },
}
# What two undisturbed builds differ in: when it was made, and archives with times in them.
OWN_TIMES = ("manifest.json", "model.keras", "report.html")
PHASES = (
    ("report (", "the end"),
    ("verification (", "report"),
    ("export (", "verification"),
    ("training (", "evaluation and export"),
)
# What each build would import; loaded before the forks. Nothing is computed, which would start threads.
LOADED = (
    "keras",
    "matplotlib.backends.backend_svg",
    "nnspec.backends.onnx.export",
    "nnspec.jobs.building",
    "nnspec.jobs.training",
    "nnspec.report.page",
    "nnspec.report.plots",
    "nnspec.verify.gate",
    "onnxruntime",
    "sklearn.metrics",
)
OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")


@dataclass
class Campaign:
    """Builds of a spec into a folder, and what became of them.

    Attributes:
        expected: the files of the undisturbed build by their paths.
        seconds, operations: how long it took, and how many file operations it made.
        places: how often a build was killed in each phase.
        is_trained: whether the training of the present build is done.
    faults: what went wrong, in words.
    """

    spec: Path
    folder: Path
    expected: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0
    operations: int = 0
    places: collections.Counter[str] = field(default_factory=collections.Counter)
    builds: int = 0
    is_trained: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def measure(self) -> None:
        """Builds once without a kill."""
        started, counted = time.monotonic(), self.folder / "operations"
        code = self.run(lambda: _watch(self.folder, None, counted))
        self.seconds = time.monotonic() - started
        if code:
            raise SystemExit(f"the undisturbed build failed:\n{self.log.read_text(encoding='utf-8')}")
        self.operations = int(counted.read_text(encoding="utf-8"))
        self.expected = _contents(self.out)

    def kill(self, moments: random.Random) -> None:
        """Continues the build, or begins one, and kills it; compares what it left if it was quicker."""
        number, delay = moments.randint(1, self.operations), moments.uniform(0, self.seconds)
        if moments.random() < 0.5:
            code = self.run(lambda: _watch(self.folder, number, None))
        else:
            code = self.run(lambda: None, delay)
        text = self.log.read_text(encoding="utf-8")
        if self.is_trained and "\nepoch " in text:
            self.faults.append(f"it trained again:\n{text}")
        self.is_trained = self.is_trained or "\ntraining (" in text
        if code == -signal.SIGKILL:
            self.places[self.phase(text)] += 1
            if not sum(self.places.values()) % 10:
                print(f"{sum(self.places.values())} kills, {self.builds} builds", file=sys.stderr, flush=True)
            if "report (" in text and not (self.folder / ".out.building").exists():  # it had taken its place
                self.finish(0, is_killed=True)
        else:
            self.finish(code)

    def phase(self, text: str) -> str:
        """Where a build was, by what it had said."""
        for said, name in PHASES:
            if said in text:
                return name
        if "\nepoch " in text:
            return "epochs, and checkpoints between them"
        return "data and the first epoch" if "data (" in text else "the beginning"

    def finish(self, code: int | None = None, *, is_killed: bool = False) -> None:
        """Ends the build without a kill, and compares its files with the undisturbed ones.

        Args:
            code: that of a build that has ended.
            is_killed: whether it was killed when all was done: the next build tidies up.
        """
        code = self.run(lambda: None) if code is None else code
        text = self.log.read_text(encoding="utf-8")
        self.log.unlink()
        self.is_trained = False
        if code:
            self.faults.append(f"a build failed with {code}:\n{text}")
            shutil.rmtree(self.folder / ".out.building", ignore_errors=True)
            return
        self.builds += 1
        found = _contents(self.out)
        differing = sorted(name for name in {*found, *self.expected} if found.get(name) != self.expected.get(name))
        if differing:
            self.faults.append(f"{', '.join(differing)} differ in build {self.builds}")
        if not is_killed and (left := [path.name for path in self.folder.glob(".out.*")]):
            self.faults.append(f"{', '.join(left)} was left behind by build {self.builds}")
        if self.builds % 2:  # every other build takes the place of one that is there
            shutil.rmtree(self.out)

    def run(self, watch: Callable[[], None], delay: float | None = None) -> int:
        """A build in a process of its own, killed after a delay; its exit code, negative for a signal."""
        child = _build(self.spec, self.out, self.log, watch)
        if delay is None:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        end = time.monotonic() + delay
        while time.monotonic() < end:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(min(0.05, max(end - time.monotonic(), 0.0)))
        os.kill(child, signal.SIGKILL)  # of a process that has ended but was not waited for, this does nothing
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _build(spec: Path, out: Path, log: Path, watch: Callable[[], None]) -> int:
    """Starts `nnspec build --resume`; the process."""

    def work(stream: TextIO) -> None:
        from nnspec import jobs, pipeline
        from nnspec.progress import Progress

        watch()
        jobs.run_build(pipeline.check(spec), out, Progress(stream=stream), resume=True)

    return forked(log, work)


def _watch(folder: Path, number: int | None, counted: Path | None) -> None:
    """Kills this process before the file operation of a number, or writes down how many there are."""
    count, inside = 0, str(folder / ".out.")

    def on_event(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in OPERATIONS or not str(arguments[0]).startswith(inside):
            return
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(on_event)
    if counted is not None:
        exit_ = os._exit

        def write_and_exit(code: int) -> None:
            counted.write_text(str(count), encoding="utf-8")
            exit_(code)

        os._exit = write_and_exit  # type: ignore[assignment]


def _contents(out: Path) -> dict[str, bytes]:
    files = [path for path in out.rglob("*") if path.is_file() and path.name not in OWN_TIMES]
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.suffix != ".h5"}


def write_example(folder: Path, backend: str | None) -> Path:
    """A small spec with dropout, averages, accumulation and callbacks, and its data."""
    chance = random.Random(3)
    rows = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(ROWS)]
    lines = [f"{a:.4f},{b:.4f},{['no', 'maybe', 'yes'][(a > 0) + (b > 0.5)]}" for a, b in rows]
    (folder / "rows.csv").write_text("\n".join(["a,b,kind", *lines]) + "\n", encoding="utf-8")
    spec = json.loads(json.dumps(SPEC))
    if backend:
        spec["training"]["backend"] = backend
    (folder / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    return folder / "spec.yaml"


def main(arguments: list[str]) -> int:
    """Runs a campaign; 0 where every build ended in the undisturbed files."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--spec", type=Path, help="a spec in place of the small one")
    parser.add_argument("--backend", help="the engine that trains, as in `training.backend`")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args(arguments)
    os.environ["KERAS_BACKEND"] = given.backend or "tensorflow"
    from nnspec.backends.keras.startup_output import hold_standard_error

    with hold_standard_error():
        for module in LOADED:
            importlib.import_module(module)
    gc.freeze()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        campaign = Campaign(given.spec or write_example(folder, given.backend), folder)
        campaign.measure()
        print(f"undisturbed: {campaign.seconds:.1f} s, {campaign.operations} file operations", flush=True)
        moments = random.Random(given.seed)
        while sum(campaign.places.values()) < given.kills and not campaign.faults:
            campaign.kill(moments)
        if campaign.log.exists():
            campaign.finish()
    for place, count in campaign.places.most_common():
        print(f"{count:4} kills in {place}")
    print(f"{sum(campaign.places.values())} kills, {campaign.builds} builds continued to their end")
    for fault in campaign.faults:
        print(f"FAULT: {fault}")
    if not campaign.faults:
        print("every build ended in the files of the undisturbed one, byte for byte")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
