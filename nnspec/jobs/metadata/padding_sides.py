"""Where padding may stand in a deployed model's inputs: measured on the file, since only the whole network decides it.

A mask makes a recurrent layer skip padding on any side; a convolution or a position encoding sees where data stand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from nnspec.backends.base import ExportedModel, Session
from nnspec.verify.gate import Gate
from nnspec.verify.hostile_rows import Padding, paddings
from nnspec.verify.interface import deployed_order
from nnspec.verify.samples import random_inputs

Said = dict[str, dict[str, object]]  # by input
BATCH, STEPS = 4, 9
TOLERANCE = 1e-4  # relative to the largest magnitude of an output


def describe_padding(exported: ExportedModel, gate: Gate, padded_at_end: Collection[str]) -> Said:
    """By input that is padded: what padding is made of, its axis, and its `side`.

    `any`: data give the same on either side of their padding. `end`: they do not, and training had it at the end.
    `as in training`: they do not, and the data came with padding of their own.

    Args:
        padded_at_end: inputs whose rows the loader fills up.
    """
    transforms = {name: replace(t, pad_value=None) for name, t in gate.deployment.inputs.items()}
    bare = replace(gate.deployment, inputs=transforms)
    rows = random_inputs(gate.graph, bare, gate.fixed_batch or BATCH, STEPS, gate.weights_of)
    session = exported.open()
    found: Said = {}
    for name, ways in paddings(gate.graph, gate.deployment, gate.weights_of).items():
        way = ways[0]
        is_free = _is_free(session, gate, rows, name, way)
        side = "any" if is_free else "end" if name in padded_at_end else "as in training"
        axis = gate.graph.inputs[name].axes[way.step - 1].name
        found[name] = {"value": np.asarray(way.value).tolist(), "axis": axis, "side": side}
    return found


def _is_free(session: Session, gate: Gate, rows: Mapping[str, np.ndarray], name: str, way: Padding) -> bool:
    """Whether the same data behind their padding give what they give in front of it."""
    array = rows[name]
    size = array.shape[way.step]
    count = size // 3
    if not count:
        return False
    at_end = array.astype(object if array.dtype.kind == "U" else array.dtype)
    place = [slice(None)] * array.ndim
    place[way.step] = slice(size - count, None)
    at_end[tuple(place)] = np.broadcast_to(np.asarray(way.value, at_end.dtype), array.shape)[tuple(place)]
    at_front = np.roll(at_end, count, axis=way.step)
    answers = [session.run(gate.feed(session, {**rows, name: padded})) for padded in (at_end, at_front)]
    step = gate.graph.inputs[name].axes[way.step - 1]
    for output_name, output in gate.graph.outputs.items():
        order = deployed_order(gate.layout, output_name, ["batch", *(axis.name for axis in output.value.axes)])
        first, second = (answer[output_name] for answer in answers)
        if step.name in order:  # steps follow the data
            axis = order.index(step.name)
            if first.shape[axis] != size:
                return False
            kept = np.arange(size - count)
            first, second = np.take(first, kept, axis=axis), np.take(second, kept + count, axis=axis)
        if not _are_equal(first, second):
            return False
    return True


def _are_equal(first: np.ndarray, second: np.ndarray) -> bool:
    if first.dtype.kind not in "fiub":
        return bool(np.array_equal(first, second))
    scale = max(1.0, float(np.max(np.abs(first), initial=0.0)))
    difference = np.abs(first.astype(np.float64) - second.astype(np.float64))
    return bool(np.max(difference, initial=0.0) < TOLERANCE * scale)
