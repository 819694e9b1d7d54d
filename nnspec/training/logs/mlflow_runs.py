"""Runs of MLflow, on a server or in a folder, by its own client."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.training.logs.about import About

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

# What MLflow waits for a server that does not answer, unless the user's environment says otherwise.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
_QUIET = {"MLFLOW_ALLOW_FILE_STORE": "true"}
_MOST = 100  # values that one request may have
_LONGEST = 500  # letters of a value


class MlflowLogger:
    """One run of an experiment that is called like the network."""

    def __init__(self, uri: str) -> None:
        self.run = ""
        self.client = client_of(uri)

    def begin(self, about: About, known: str | None) -> str:
        from mlflow.entities import Param

        if known is not None:
            self.client.update_run(known, status="RUNNING")
            self.run = known
            return known
        experiment = self.client.get_experiment_by_name(about.name)
        number = experiment.experiment_id if experiment is not None else self.client.create_experiment(about.name)
        tags = {**about.tags, "mlflow.source.name": "nnspec", "mlflow.note.content": about.description}
        self.run = self.client.create_run(number, run_name=about.run, tags=tags).info.run_id
        parameters = [Param(_named(name), value[:_LONGEST]) for name, value in about.parameters.items()]
        for start in range(0, len(parameters), _MOST):
            self.client.log_batch(self.run, params=parameters[start : start + _MOST])
        return self.run

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        self._log(values, number)

    def end(self, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        self._log(metrics, 0)
        for path in files:
            self.client.log_artifact(self.run, str(path))
        self.client.set_terminated(self.run, "FINISHED")

    def fail(self) -> None:
        self.client.set_terminated(self.run, "KILLED")

    def _log(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_named(name), value, now, step) for name, value in values.items()]
        for start in range(0, len(metrics), _MOST):
            self.client.log_batch(self.run, metrics=metrics[start : start + _MOST])


def client_of(uri: str) -> MlflowClient:
    """MLflow's client, which does not wait long for a server that does not answer."""
    for name, value in {**_PATIENCE, **_QUIET}.items():
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _named(name: str) -> str:
    """A name with no other characters than MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", name)
