"""`interface.json`: what a consumer of a deployed model must know, beside the file.

The file carries the same in its metadata, which not every runtime gives to those who call it: a browser does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.backends.base import ExportedModel
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph
from nnspec.verify.gate import Gate

LARGEST_SAMPLE = 20_000  # values of all inputs and outputs
_KEPT = (
    "nnspec",
    "name",
    "description",
    "inputs",
    "outputs",
    "batch",
    "multiple_of",
    "window",
    "recursive",
    "missing",
    "order_by",
    "series",
)


def describe_interface(
    metadata: Mapping[str, object], exported: ExportedModel, gate: Gate, rows: Mapping[str, np.ndarray]
) -> dict[str, object]:
    """Inputs and outputs with their axes, how rows are read, and one sample with its answer.

    Args:
        rows: raw inputs that training never saw, axes `sample *input`; empty without data.
    """
    found = {key: metadata[key] for key in _KEPT if metadata.get(key) is not None}
    states = metadata.get("states")
    return {
        **found,
        "states": _states(gate.graph, states) if isinstance(states, dict) else {},
        "sample": _sample(exported, gate, rows),
    }


def _states(graph: Graph, renewed: Mapping[str, str]) -> dict[str, object]:
    """By the input that takes a state: the output that renews it, its axes in order, and that it starts with zeros."""
    axes = {}
    for node in graph.nodes:
        for port, own in node.layer.state_axes(node).items():
            axes[port] = [["batch", None], *([axis.name, ax.size_to_json(axis.size)] for axis in own)]
    return {
        name: {"renewed_by": output, "axes": axes.get(name), "dtype": "float32", "start": 0.0}
        for name, output in renewed.items()
    }


def _sample(exported: ExportedModel, gate: Gate, rows: Mapping[str, np.ndarray]) -> dict[str, object] | None:
    """The inputs of one sample, in the file's axis order and with a batch of one, and what the file says of it.

    A file of a fixed batch size gets as many. None where there are no rows, or a sample is large.
    """
    count = gate.fixed_batch or 1
    if not rows or any(len(values) < count for values in rows.values()):
        return None
    session = exported.open()
    feed = gate.feed(session, {name: values[:count] for name, values in rows.items()})
    answer = session.run(feed)
    if sum(values.size for values in (*feed.values(), *answer.values())) > LARGEST_SAMPLE:
        return None
    return {"inputs": _as_lists(feed), "outputs": _as_lists(answer)}


def _as_lists(arrays: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Arrays as nested lists; what JSON has no number for (NaN, infinities) as null."""
    return {name: _without_odd(values.tolist()) for name, values in arrays.items()}


def _without_odd(value: object) -> object:
    if isinstance(value, list):
        return [_without_odd(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
