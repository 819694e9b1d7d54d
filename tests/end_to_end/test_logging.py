"""Trainings logged to a real MLflow server and a real TensorBoard, read back by HTTP."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnspec import api
from nnspec.backends.keras.training.logging import Log
from nnspec.diagnostics import SpecError
from nnspec.jobs import Run

SPEC = """
nnspec: 1
name: sums
description: The sum of two numbers.
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs: {row: {columns: [a, b]}}
  outputs: {y: {columns: [sum]}}
vars: {units: 4}
inputs: {row: {axes: {feature: 2}}}
model: [{Dense: {units: $units}}, {Dense: {units: 1, as: target}}]
outputs: {y: {task: regression}}
training:
  epochs: 4
  optimizer: {Adam: {learning_rate: 0.01}}
  log: {tensorboard: runs, mlflow: "SERVER"}
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def read(url: str, body: object = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


@contextmanager
def served(command: list[str], url: str) -> Iterator[str]:
    """A server as a process, from when it answers."""
    alone = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # half of what starting it costs
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=alone) as process:
        try:
            for _ in range(1200):
                try:
                    read(url)
                    break
                except (urllib.error.URLError, OSError):
                    assert process.poll() is None
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("logged")
    with (found / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "sum"], *([i % 7, i % 5, i % 7 + i % 5] for i in range(60))])
    return found


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "stored"),
    ]  # fmt: skip
    with served(command, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def built(folder: Path, server: str) -> Run:
    """A build that is interrupted behind its second epoch, and goes on."""
    path = folder / "spec.yaml"
    path.write_text(SPEC.replace("SERVER", server), encoding="utf-8")
    told = Log.on_epoch_end

    def interrupted(self: Log, epoch: int, logs: dict[str, float] | None = None) -> None:
        told(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Log, "on_epoch_end", interrupted)
        with pytest.raises(KeyboardInterrupt):
            api.load(path, allow_outside=True).build(folder / "out")
    (run,) = runs_of(server)
    assert run["info"]["status"] == "KILLED"
    assert {metric["key"]: metric["step"] for metric in run["data"]["metrics"]}["loss"] == 2
    return api.load(path, allow_outside=True).build(folder / "out", resume=True)


def runs_of(server: str) -> list[dict[str, dict[str, object]]]:
    name = urllib.parse.quote("sums")
    found = json.loads(read(f"{server}/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}"))
    body = {"experiment_ids": [found["experiment"]["experiment_id"]]}
    return list(json.loads(read(f"{server}/api/2.0/mlflow/runs/search", body))["runs"])


def history_of(run: Run) -> dict[str, list[float]]:
    with (run.folder / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "epoch"}


def test_mlflow_has_one_run_with_every_epoch(built: Run, server: str) -> None:
    (run,) = runs_of(server)
    number = run["info"]["run_id"]
    assert run["info"]["status"] == "FINISHED"
    history = history_of(built)
    assert {"loss", "val_loss"} <= set(history)
    for name, values in history.items():
        url = f"{server}/api/2.0/mlflow/metrics/get-history?run_id={number}&metric_key={name}"
        logged = sorted((each["step"], each["value"]) for each in json.loads(read(url))["metrics"])
        assert [step for step, _ in logged] == [1, 2, 3, 4]
        assert [value for _, value in logged] == pytest.approx(values, rel=1e-6)
    parameters = {each["key"]: each["value"] for each in run["data"]["params"]}  # type: ignore[attr-defined]
    assert parameters["training.optimizer.Adam.learning_rate"] == "0.01"
    assert parameters["vars.units"] == "4"
    metrics = {each["key"]: each["value"] for each in run["data"]["metrics"]}  # type: ignore[attr-defined]
    assert metrics["test.y.rmse"] == pytest.approx(built.metrics["test"]["y"]["rmse"])
    tags = {each["key"]: each["value"] for each in run["data"]["tags"]}  # type: ignore[attr-defined]
    manifest = json.loads((built.folder / "manifest.json").read_text(encoding="utf-8"))
    assert tags["spec_sha256"] == manifest["spec_sha256"]
    assert tags["data rows.csv"] == manifest["data"]["files"]["rows.csv"]
    assert tags["version keras"] == manifest["versions"]["keras"]
    assert tags["mlflow.note.content"] == "The sum of two numbers."
    for name in ("model.onnx", "report.html", "MODEL_CARD.md", "manifest.json"):
        assert read(f"{server}/get-artifact?run_uuid={number}&path={name}") == (built.folder / name).read_bytes()


def test_tensorboard_shows_training_and_validation(built: Run, folder: Path) -> None:
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["out"]
    port = free_port()
    url = f"http://127.0.0.1:{port}/data/plugin/scalars/"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder / "runs"), "--port", str(port)]
    command += ["--host", "127.0.0.1", "--load_fast", "false"]
    with served(command, f"{url}tags"):
        for _ in range(300):
            tags = json.loads(read(f"{url}tags"))
            if len(tags) == 2:
                break
            time.sleep(0.1)
        history = history_of(built)
        for part, name in (("out", "loss"), ("out/validation", "val_loss")):
            query = urllib.parse.urlencode({"run": part, "tag": "epoch/loss"})
            points = json.loads(read(f"{url}scalars?{query}"))
            assert [step for _, step, _ in points] == [1, 2, 3, 4]
            assert [value for _, _, value in points] == pytest.approx(history[name], rel=1e-6)
        query = urllib.parse.urlencode({"run": "out", "tag": "metrics/test/y/rmse"})
        ((_, _, value),) = json.loads(read(f"{url}scalars?{query}"))
        assert value == pytest.approx(built.metrics["test"]["y"]["rmse"], rel=1e-6)


def test_a_folder_is_a_place_too(folder: Path) -> None:
    """Without a server; the run is read back by MLflow."""
    from mlflow.tracking import MlflowClient

    from nnspec.progress import Progress
    from nnspec.training.logs.about import About
    from nnspec.training.logs.place import LogPlace
    from nnspec.training.logs.run_log import log_of

    span = api.load(folder / "spec.yaml", allow_outside=True).checked.root.span
    log = log_of([LogPlace("mlflow", "mlruns")], folder, Progress(quiet=True), span)
    log.begin(About("alone", "out", "", {"training.epochs": "2"}, {"seed": "7"}), folder / "alone", resume=False)
    log.epoch(1, {"loss": 0.5})
    log.end({"test": {"y": {"rmse": 0.25, "by_class": {"a b": {"f1": 1.0}}}}}, [folder / "rows.csv"])
    client = MlflowClient(tracking_uri=(folder / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("alone")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"loss": 0.5, "test.y.rmse": 0.25, "test.y.by_class.a b.f1": 1.0}
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["rows.csv"]


def test_a_server_that_is_not_there_is_told_before_the_training(folder: Path) -> None:
    path = folder / "nowhere.yaml"
    path.write_text(SPEC.replace("SERVER", f"http://127.0.0.1:{free_port()}"), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        api.load(path, allow_outside=True).train(folder / "nowhere")
    assert [found.code for found in caught.value.diagnostics] == ["NN627"]
