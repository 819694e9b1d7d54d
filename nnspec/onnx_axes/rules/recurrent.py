"""LSTM, GRU and RNN."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.onnx_axes.call import Call, Rule
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor


def recur(call: Call) -> Sequence[Tensor]:
    axes, recurrence = call[0].axes, call[2].axes
    count = len(call.node.outputs)
    if axes is None or len(axes) != 3 or recurrence is None or len(recurrence) != 3:
        return [UNKNOWN] * count
    units = call.units(recurrence[2].size, "unit")
    directions = call.new(recurrence[0].size, 1)
    if call.integer("layout", 0):
        batch, time = axes[0], axes[1]
        outputs = [[batch, time, directions, units], [batch, directions, units], [batch, directions, units]]
    else:
        time, batch = axes[0], axes[1]
        outputs = [[time, directions, batch, units], [directions, batch, units], [directions, batch, units]]
    return [call.tensor(found) for found in outputs[:count]]


RULES: dict[str, Rule] = {"GRU": recur, "LSTM": recur, "RNN": recur}
