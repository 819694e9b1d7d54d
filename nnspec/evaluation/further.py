"""Scores the forecasts of a file that feed on themselves, as a build scores those of its splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnspec.evaluation.past import history_of, past_ports
from nnspec.evaluation.targets import columns_port
from nnspec.runtime.errors import InputError
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.reading import read_samples
from nnspec.runtime.recursive import Recursion
from nnspec.runtime.samples import Samples
from nnspec.training.further import score_further
from nnspec.training.metrics.outcome import MetricValues

Array = np.ndarray


def score_further_of(predictor: Predictor, file: Path) -> dict[str, MetricValues]:
    """By output; empty of a model that forecasts its own horizon alone.

    Raises:
        InputError: where no series of the file has as many rows.
    """
    recursion = Recursion.from_metadata(predictor.metadata)
    if recursion is None:
        return {}
    horizon = range(1, recursion.rows + 1)
    metadata, described = recursion.metadata(predictor.metadata), predictor.metadata["evaluation"]
    ports: dict[str, dict[str, object]] = {}
    for name in recursion.outputs:
        ports[f"{name} ahead"] = columns_port(described[name], [1, recursion.rows])
        ports |= past_ports(name, described[name], horizon)
    read = read_samples(file, {**metadata, "inputs": {**metadata["inputs"], **ports}})
    taken: dict[str, list[Array]] = {port: [] for port in ports}
    given: dict[str, list[Array]] = {name: [] for name in recursion.outputs}
    inputs = Samples(
        read.count, lambda part: {name: values for name, values in read.take(part).items() if name not in ports}
    )
    for outputs, _ in predictor.forecasts(inputs):
        for name, values in outputs.items():
            given[name].append(values)
    for part in read.slices(1024):
        for port, array in read.take(part).items():
            if port in ports:
                taken[port].append(array)
    whole = {port: np.concatenate(arrays) for port, arrays in taken.items()}
    found: dict[str, MetricValues] = {}
    for name, forecast in recursion.outputs.items():
        truth = whole[f"{name} ahead"].astype(np.float64)
        past = history_of(name, described[name], predictor.metadata, whole, read.keys, horizon)
        known = np.asarray(np.isfinite(truth).reshape(len(truth), -1).all(axis=1))
        if past is None or not known.any():
            raise InputError(f"`{file.name}` has no {recursion.rows} rows in sequence with targets of `{name}`")
        guess = np.concatenate(given[name])
        found[name] = score_further(truth[known], guess[known], past[0].of(known), forecast.columns, past[1])
    return found
