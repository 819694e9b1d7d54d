"""What trains on several workers, tried: `python -m tests.tools.distributed_table [ROW …]`.

Rows of nnspec build a small network by one process and by two workers, and print the largest difference of a loss or
metric between the two; the others print what the framework said. `nnspec explain distribute` shows the table.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.jobs.distribution.distributing import free_port
from tests.support.ray_cluster import training_workers, two_nodes

EPOCHS = 60
STRATEGY = """
import json, os, sys
task = {"cluster": {"worker": sys.argv[2:]}, "task": {"type": "worker", "index": int(sys.argv[1])}}
os.environ["TF_CONFIG"] = json.dumps(task)
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
import keras, numpy
with strategy.scope():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
model.fit(numpy.ones((8, 3)), numpy.ones((8, 1)), batch_size=4, verbose=0)
"""
TRAINER = """
import os
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray.train import ScalingConfig
from ray.train.v2.jax import JaxTrainer

def loop():
    import jax
    assert jax.process_count() == 2, f"jax.process_count() is {jax.process_count()} on CPUs"

ray.init(include_dashboard=False, log_to_driver=False)
JaxTrainer(loop, scaling_config=ScalingConfig(num_workers=2)).fit()
"""


def written(folder: Path) -> Path:
    """A spec with dropout, statistics of batches, sample weights and a last batch that two workers cannot divide."""
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(size=(62, 4)).round(4), rng.integers(1, 4, size=(62, 1))], axis=1)
    np.savetxt(folder / "rows.csv", rows, delimiter=",", header="a,b,c,d,e", comments="", fmt="%.4f")
    layers = [{"Dense": {"units": 16, "activation": "tanh"}}, "BatchNormalization", {"Dropout": 0.3}]
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": 3}}},
        "model": [*layers, {"Dense": {"units": 1}}],
        "outputs": {"y": {"task": "regression", "metrics": ["mae"]}},
        "data": {
            "source": {"csv": "rows.csv"},
            "split": {"train": 0.8, "validation": 0.2},
            "inputs": {"x": {"columns": ["a", "b", "c"]}},
            "outputs": {"y": {"columns": ["d"]}},
            "weight": "e",
        },
        "training": {"backend": "jax", "epochs": EPOCHS, "batch_size": 8, "checkpoint": {"steps": 5}},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def built(distribute: str, *more: str, is_killed: bool = False, worker_killed: bool = False) -> np.ndarray:
    """The history of a build, axes `epoch metric`.

    Args:
        more: another `distribute`, that the build is resumed with.
        is_killed: whether the build is killed after its first checkpoint.
        worker_killed: whether a worker is.
    """
    with tempfile.TemporaryDirectory() as name:
        spec, out = written(Path(name)), Path(name) / "out"
        for i, workers in enumerate((distribute, *more)):
            command = [sys.executable, "-m", "nnspec.cli", "build", str(spec), "--out", str(out), "--quiet"]
            command += ["--set", f"training.distribute={workers}"] + (["--resume"] if i else [])
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            killed: list[int] = []
            if wants_kill := worker_killed or (is_killed and not i):
                arguments = (process, out.parent / f".{out.name}.building" / "checkpoint", worker_killed, killed)
                threading.Thread(target=_kill, args=arguments, daemon=True).start()
            said = process.communicate()[1]
            if process.returncode and not (is_killed and not i):
                raise RuntimeError(said.strip().splitlines()[-1])
            if wants_kill and not killed:
                raise RuntimeError("the build ended before anything was killed")
        with (out / "history.csv").open(encoding="utf-8") as file:
            return np.asarray([[float(value) for value in row.values()] for row in csv.DictReader(file)])


def _kill(build: subprocess.Popen[str], folder: Path, is_worker: bool, killed: list[int]) -> None:
    """Kills a build, or its last worker, as soon as there is a checkpoint, and notes which process that was."""
    while not CheckpointFiles(folder).names():
        time.sleep(0.01)
    children = Path(f"/proc/{build.pid}/task/{build.pid}/children").read_text(encoding="utf-8").split()
    workers = training_workers() or [int(child) for child in children]
    chosen = workers[-1] if is_worker else build.pid
    os.kill(chosen, signal.SIGKILL)
    killed.append(chosen)


def on_two_nodes(**options: bool) -> str:
    with two_nodes() as address:
        return compared(f"{{workers: 2, ray: '{address}'}}", **options)


def compared(*distribute: str, **options: bool) -> str:
    difference = np.abs(built(*distribute, **options) - built("{workers: 1}")).max()
    return f"works: losses and metrics of {EPOCHS} epochs within {difference:.0e} of one process"


def refused(code: str, *arguments: str, copies: int = 1) -> str:
    """What a script says where it fails, run in so many processes, whose first argument is their number."""
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen([*command, str(rank), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for rank in range(copies)
    ]
    said = [process.communicate()[0] for process in processes]
    if not any(process.returncode for process in processes):
        return "works"
    errors = [line.strip() for line in said[0].splitlines() if "Error" in line]
    return f"does not: {errors[-1] if errors else said[0].strip().splitlines()[-1]}"


def strategy() -> str:
    return refused(STRATEGY, *(f"127.0.0.1:{free_port()}" for _ in range(2)), copies=2)


ROWS: dict[str, tuple[str, Callable[[], str]]] = {
    "processes": ("JAX, processes of one machine", lambda: compared("{workers: 2}")),
    "killed": ("the same, a worker killed", lambda: compared("{workers: 2}", worker_killed=True)),
    "fewer": (
        "the same, killed and resumed by four workers",
        lambda: compared("{workers: 2}", "{workers: 4}", is_killed=True),
    ),
    "ray": ("JAX, Ray Train", lambda: compared("{workers: 2, ray: true}")),
    "nodes": ("the same on a cluster of two nodes, a worker killed", lambda: on_two_nodes(worker_killed=True)),
    "trainer": ("JAX, Ray's own `JaxTrainer`", lambda: refused(TRAINER)),
    "strategy": ("TensorFlow, `MultiWorkerMirroredStrategy`", strategy),
}


def main(*names: str) -> None:
    for name, (title, row) in ROWS.items():
        if not names or name in names:
            print(f"| {title} | {row()} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
