"""`training.distribute`: two workers of this machine give the losses of one process, and a killed one ends nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras  # noqa: F401  # on the engine of this process
import numpy as np
import pytest
import yaml

from nnspec import pipeline
from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.jobs.distribution.distributing import Processes, run_here, share_of
from nnspec.jobs.distribution.share import FAULT, Share, read_fault
from nnspec.jobs.distribution.worker import train_share
from nnspec.jobs.settings import settings_of
from nnspec.jobs.training import prepare_data
from nnspec.progress import Progress
from nnspec.training.train import train

EPOCHS = 40
SPEC: dict[str, Any] = {
    "nnspec": 1,
    "inputs": {"x": {"axes": {"feature": 3}}},
    "model": [{"Dense": {"units": 5, "activation": "tanh"}}, "BatchNormalization", {"Dense": {"units": 1}}],
    "outputs": {"y": {"task": "regression", "metrics": ["mae"]}},
    "data": {
        "source": {"csv": "rows.csv"},
        "split": {"train": 0.8, "validation": 0.2, "by": "order"},
        "inputs": {"x": {"columns": {"a": "standard", "b": "standard", "c": "number"}}},
        "outputs": {"y": {"columns": ["d"]}},
        "weight": "e",
    },
    # 29 training samples: the last batch of an epoch has five, which two workers cannot divide
    "training": {
        "backend": "jax",
        "distribute": {"workers": 2},
        "epochs": EPOCHS,
        "batch_size": 8,
        "optimizer": {"SGD": {"learning_rate": 0.02}},
        "checkpoint": {"steps": 3},
        "callbacks": [{"CSVLogger": {"filename": "log.csv"}}],
    },
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(37, 4)).round(4)
    weights = rng.integers(1, 4, size=37)
    lines = "".join(",".join(map(str, [*row, weight])) + "\n" for row, weight in zip(rows, weights, strict=True))
    (tmp_path / "rows.csv").write_text(f"a,b,c,d,e\n{lines}", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False), encoding="utf-8")
    return tmp_path / "spec.yaml"


def test_two_workers_give_the_losses_of_one_process(spec: Path, tmp_path: Path) -> None:
    """One of them is killed in the middle, and the run continues from the last checkpoint."""
    quiet, folder, alone = Progress(quiet=True), tmp_path / "build", tmp_path / "alone"
    checked = pipeline.check(spec)
    ready, dataset = prepare_data(checked, folder, quiet, resume=False)
    assert dataset.splits["train"].size % 8 % 2 == 1
    starts: list[list[int]] = []
    files = CheckpointFiles(folder / "checkpoint")
    killed_at: list[str] = []

    def kill(pid: int) -> None:
        while not files.names():
            time.sleep(0.01)
        killed_at.extend(files.names()[-1:])
        os.kill(pid, signal.SIGKILL)

    def started(processes: Processes) -> None:
        starts.append([process.pid for process in processes])
        if len(starts) == 1:
            threading.Thread(target=kill, args=(processes[1].pid,), daemon=True).start()

    run_here(share_of(ready, folder, 2), checked.root.span, quiet, started)
    assert len(starts) == 2
    assert killed_at[0] < f"{EPOCHS:06}"
    newest = files.newest()
    assert newest is not None
    assert newest.name == f"{EPOCHS:06}-000000000"
    settings = settings_of(checked)
    settings = replace(settings, values={**settings.values, "checkpoint": None})
    reference = train(ready.graph, dataset, settings, alone, quiet, backend="tensorflow").history
    history = newest.state["history"]
    assert len(history) == len(reference) == EPOCHS
    for name in reference[0]:
        np.testing.assert_allclose([row[name] for row in history], [row[name] for row in reference], rtol=0, atol=1e-4)
    assert (folder / "log.csv").read_text(encoding="utf-8").count("\n") == EPOCHS + 1
    assert not list(tmp_path.glob("*/log.csv.*"))


def test_what_is_wrong_is_told_by_the_first_worker(tmp_path: Path) -> None:
    """As a diagnostic, which starts nothing again: here that Keras has another engine in this process."""
    (tmp_path / "checkpoint").mkdir()
    share = Share(path="spec.yaml", text="", overrides={}, folder=str(tmp_path), fold=None, workers=2)
    for rank in (1, 0):
        train_share(share, rank, "127.0.0.1:1", Progress(quiet=True))
        assert (tmp_path / "checkpoint" / FAULT).is_file() == (rank == 0)
    (fault,) = read_fault(tmp_path / "checkpoint" / FAULT, Span(Source("spec.yaml", ""))).diagnostics
    assert fault.code == "NN610"
    assert "import keras after nnspec" in fault.fixes[0].message


def test_workers_that_end_at_once_are_not_started_forever(tmp_path: Path) -> None:
    """Here because the build's folder has nothing to begin with, and not even room for their log."""
    share = Share(path="", text="", overrides={}, folder=str(tmp_path), fold=None, workers=2)
    starts: list[Processes] = []
    with pytest.raises(SpecError) as caught:
        run_here(share, Span(Source("spec.yaml", "")), Progress(quiet=True), starts.append)
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN635"
    assert "with exit code 1" in fault.message
    assert len(starts) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"backend": "tensorflow"}, "NN615"),
        ({"backend": None}, "NN615"),
        ({"batch_size": 9}, "NN616"),
        ({"monitor": "validation.y.rmse"}, "NN616"),
        ({"distribute": {"workers": 1}, "backend": "tensorflow", "batch_size": 9}, None),
        ({"distribute": {"workers": 4, "ray": True}}, None),
        ({"backend": "auto"}, None),
    ],
)
def test_what_cannot_be_distributed_is_refused(spec: Path, changes: dict[str, object], code: str | None) -> None:
    training = {key: value for key, value in {**SPEC["training"], **changes}.items() if value is not None}
    spec.write_text(yaml.safe_dump({**SPEC, "training": training}, sort_keys=False), encoding="utf-8")
    found = {fault.code for fault in pipeline.diagnose(spec) if fault.is_error}
    assert found == ({code} if code is not None else set())


def test_states_are_not_shared(spec: Path) -> None:
    model = [{"insert": {"time": 1}}, {"permute": ["time", "feature"]}, {"LSTM": {"units": 2, "stateful": True}}]
    changed = {**SPEC, "model": [*model, {"Dense": {"units": 1}}]}
    spec.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    assert "NN616" in {fault.code for fault in pipeline.diagnose(spec)}
