"""Raw columns for verification: random ones of the kind that training had, and rows made difficult.

Gaps, unknown words, empty texts, texts in other letters, and numbers far from those of training are among them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.base import HOSTILE
from nnspec.data.prepare.encodings.columns import STEP, EncodedInput
from nnspec.data.prepare.transforms import InputTransform
from nnspec.ir.graph import Graph
from nnspec.verify.variant import Inputs, Variant, repeat_rows


def random_columns(
    encoded: EncodedInput, shape: tuple[int, ...], scale: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Random raw columns, by port.

    Args:
        shape: of the network's input, batch first.
        scale: of numbers, where training had 1.
    """
    steps = [size for size, kind in zip(shape[1:], encoded.axes, strict=True) if kind == STEP]
    return {port: one.draw((shape[0], *steps), scale, rng) for port, one in encoded.ports.items()}


def hostile_columns(columns: Mapping[str, EncodedInput], drawn: Inputs, rng: np.random.Generator) -> Variant | None:
    """The drawn rows, each with the columns of all inputs made difficult in one way; None where there are no columns.

    Whatever is no column stays as it is.
    """
    encodings = {port: one for encoded in columns.values() for port, one in encoded.ports.items()}
    if not encodings:
        return None
    inputs = {name: repeat_rows(array, len(HOSTILE)).copy() for name, array in drawn.items()}
    for port, encoding in encodings.items():
        for row, kind in enumerate(HOSTILE):
            inputs[port][row] = encoding.hostile(inputs[port][row], kind, rng)
    return Variant("raw columns", inputs, HOSTILE)


GAPS = ("none", "all missing", "all but one missing", "one missing", "every other missing", "missing by a marker")


def rows_with_gaps(deployment: Deployment, drawn: Inputs, rng: np.random.Generator) -> Variant | None:
    """The drawn rows with missing values, where the deployed graph fills some in; None where it fills in none."""
    filled = {
        name: transform
        for name, transform in deployment.inputs.items()
        if transform.fill is not None and name in drawn and drawn[name].dtype.kind in "fO"
    }
    if not filled:
        return None
    inputs = {name: repeat_rows(array, len(GAPS)).copy() for name, array in drawn.items()}
    for name, transform in filled.items():
        assert transform.fill is not None
        shape = inputs[name].shape[1:]
        gap = "" if transform.fills_texts else np.nan
        may_miss = np.broadcast_to(transform.may_miss, shape)
        count = int(np.prod(shape))
        one = (np.arange(count) == rng.integers(count)).reshape(shape)
        markers = np.broadcast_to(transform.markers[0] if transform.markers else gap, shape)
        missing = {
            "all missing": np.ones(shape, bool),
            "all but one missing": ~one,
            "one missing": one,
            "every other missing": (np.arange(count) % 2 == 0).reshape(shape),
        }
        for row, kind in enumerate(GAPS):
            if kind in missing:
                inputs[name][row] = np.where(missing[kind] & may_miss, gap, inputs[name][row])
            elif kind == "missing by a marker":
                inputs[name][row] = np.where(may_miss, markers, inputs[name][row])
    return Variant("gaps", inputs, GAPS)


def axis_size(raw: Inputs, name: str, axis: int, columns: Mapping[str, EncodedInput], graph: Graph) -> int:
    """The size of an axis of an input of the network, batch left out, in these raw inputs."""
    if name not in columns:
        return int(raw[name].shape[1 + axis])
    kind = columns[name].axes[axis]
    if kind == STEP:
        return int(raw[next(iter(columns[name].ports))].shape[1])
    size = graph.inputs[name].axes[axis].size
    return size if isinstance(size, int) else len(columns[name].features)


def with_gaps(values: np.ndarray, transform: InputTransform, rng: np.random.Generator) -> np.ndarray:
    """Raw values with some missing, where something stands in for them: axes `batch *input`."""
    if transform.fill is None:
        return values
    gap = "" if transform.fills_texts else np.nan
    return np.where((rng.random(values.shape) < 0.1) & transform.may_miss, gap, values)
