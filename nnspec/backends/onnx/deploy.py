"""The parts of the deployed graph around the network: inputs filled and scaled, outputs scaled back or labelled.

The nodes compute what `nnspec.data.deployment` does in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnspec.backends.onnx.calibration import move_levels
from nnspec.backends.onnx.columns import encode_columns, undo_function
from nnspec.backends.onnx.lowering import Lowering
from nnspec.backends.onnx.view import View
from nnspec.data.deployment import Deployment, class_position, label_axes, label_name
from nnspec.data.prepare.transforms import Relative, Scaling
from nnspec.ir import axes as ax
from nnspec.ir.graph import ANOMALY, Graph, Output

Finished = dict[str, tuple[View, list[str]]]


def prepare_input(deployment: Deployment) -> Callable[[Lowering, str, Mapping[str, View]], View]:
    """What `export_graph` writes between its inputs and one of the network."""

    def before(lowering: Lowering, name: str, ports: Mapping[str, View]) -> View:
        if name in deployment.columns:
            return encode_columns(lowering, deployment.columns[name], ports)
        view, transform = ports[name], deployment.inputs.get(name)
        if transform is not None and transform.fill is not None:
            write = _fill_texts if transform.fills_texts else _fill
            view = write(lowering, view, transform.fill, transform.markers)
        if transform is None or transform.scaling is None:
            return view
        scaled = _scale_columns(lowering, view, transform.scaling, invert=False)
        if transform.pad_value is None or transform.step is None:
            return scaled
        return _keep_padding(lowering, view, scaled, transform.pad_value, (*transform.outer, transform.step))

    return before


def restore_outputs(
    deployment: Deployment, graph: Graph
) -> Callable[[Lowering, Mapping[str, View], Mapping[str, View]], Finished]:
    """What `export_graph` writes behind the network."""

    def after(lowering: Lowering, views: Mapping[str, View], raw: Mapping[str, View]) -> Finished:
        result: Finished = {}
        for name, view in views.items():
            output = graph.outputs[name]
            lowering.stem = name
            transform = deployment.outputs.get(name)
            restored = view
            if transform is not None and transform.classes is None:
                if transform.levels is not None:
                    restored = move_levels(lowering, restored, transform.levels)
                if transform.scaling is not None:
                    restored = _scale_columns(lowering, restored, transform.scaling, invert=True)
                if transform.function is not None:
                    restored = undo_function(lowering, restored, transform.function)
                if transform.relative is not None:
                    restored = _add_last_values(lowering, restored, raw[transform.relative.input], transform.relative)
            result[name] = (restored, ["batch", *ax.names(output.value.axes)])
            labels = deployment.labels(output)
            if labels is not None:
                result[label_name(output)] = (
                    _labels(lowering, output, view, labels, deployment.threshold(output)),
                    label_axes(output),
                )
        return result

    return after


def _fill(lowering: Lowering, view: View, fill: np.ndarray, markers: Sequence[np.ndarray]) -> View:
    """Missing values (NaN, and markers) replaced by what stands in for them, which may differ along an axis."""
    axes = [i + 1 for i, size in enumerate(fill.shape) if size > 1]
    ready = lowering.separable(view, axes)

    def constant_of(values: np.ndarray, hint: str) -> str:
        squeezed = values.reshape([size for size in values.shape if size > 1])
        return lowering.along(ready, squeezed, axes if squeezed.ndim else [], hint)

    constant = constant_of(fill, "fill")
    is_missing = lowering.node("IsNaN", ready.tensor)
    for marker in markers:
        is_marker = lowering.node("Equal", ready.tensor, constant_of(marker, "marker"))
        is_missing = lowering.node("Or", is_missing, is_marker)
    return replace(ready, tensor=lowering.node("Where", is_missing, constant, ready.tensor))


def _fill_texts(lowering: Lowering, view: View, fill: np.ndarray, markers: Sequence[np.ndarray]) -> View:
    """As `_fill`, of texts, which no operator but the LabelEncoder compares in every operator set."""
    words = sorted({str(word) for marker in markers for word in marker.flat} - {""})
    if not words and not any(fill.flat):
        return view  # the empty text stands for itself
    axes = [i + 1 for i, size in enumerate(fill.shape) if size > 1]
    ready = lowering.separable(view, axes)

    def constant_of(values: np.ndarray, hint: str) -> str:
        squeezed = values.reshape([size for size in values.shape if size > 1])
        return lowering.along(ready, squeezed, axes if squeezed.ndim else [], hint)

    lowering.graph.domains["ai.onnx.ml"] = 2
    code = lowering.node(
        "LabelEncoder",
        ready.tensor,
        domain="ai.onnx.ml",
        keys_strings=["", *words],
        values_int64s=list(range(1, len(words) + 2)),
        default_int64=0,
    )
    is_missing = lowering.node("Equal", code, lowering.constant(np.asarray(1, np.int64), "empty"))
    for number, word in enumerate(words, 2):
        stands = np.any([marker == word for marker in markers], axis=0)
        # a column that has another marker asks for a number that no word has
        is_marker = lowering.node("Equal", code, constant_of(np.where(stands, number, -1).astype(np.int64), "marker"))
        is_missing = lowering.node("Or", is_missing, is_marker)
    return replace(ready, tensor=lowering.node("Where", is_missing, constant_of(fill, "fill"), ready.tensor))


def _scale_columns(lowering: Lowering, view: View, scaling: Scaling, *, invert: bool) -> View:
    axes = [i + 1 for i in range(scaling.offset.ndim) if max(scaling.offset.shape[i], scaling.divisor.shape[i]) > 1]
    ready = lowering.separable(view, axes)

    def constant(values: np.ndarray, hint: str) -> str:
        squeezed = values.reshape([s for s in values.shape if s > 1])
        return lowering.along(ready, squeezed, axes if squeezed.ndim else [], hint)

    offset, divisor = np.broadcast_arrays(scaling.offset, scaling.divisor)
    steps = [("Sub", offset, 0.0, "offset"), ("Div", divisor, 1.0, "divisor")]
    if invert:
        steps = [("Mul", divisor, 1.0, "divisor"), ("Add", offset, 0.0, "offset")]
    for op, values, neutral, hint in steps:
        if not np.all(values == np.float32(neutral)):
            ready = lowering.elementwise(op, ready, constant(values, hint))
    return ready


def _keep_padding(lowering: Lowering, raw: View, scaled: View, pad_value: float, steps: tuple[int, ...]) -> View:
    """Steps that hold nothing but the padding value stay as they are."""
    flat = lowering.canonical(raw)
    others = [i for i in range(1, len(flat.axes)) if i not in steps]
    pad = lowering.scalar(pad_value)
    is_pad = lowering.node("Cast", lowering.node("Equal", flat.tensor, pad), to=1)
    if others:
        axes = lowering.constant(np.asarray(others, np.int64), "axes")
        is_pad = lowering.node("ReduceMin", is_pad, axes, keepdims=1)
    whole = lowering.node("Cast", is_pad, to=9)
    ready = lowering.arrange(scaled, flat.dims)
    return replace(ready, tensor=lowering.node("Where", whole, pad, ready.tensor))


def _add_last_values(lowering: Lowering, view: View, raw: View, relative: Relative) -> View:
    """Adds the window's last values of the target's columns, to changes in units of the window's magnitude or not."""
    columns = raw
    if relative.feature is not None:
        columns, place = lowering.with_axis_alone(columns, relative.feature)
        made = lowering.factor("column", len(relative.columns))
        indices = lowering.constant(np.asarray(relative.columns, np.int64), "columns")
        tensor = lowering.node("Gather", columns.tensor, indices, axis=place)
        dims = tuple(made if i == place else dim for i, dim in enumerate(columns.dims))
        axes = tuple(made if i == relative.feature else axis for i, axis in enumerate(columns.axes))
        columns = replace(columns, tensor=tensor, dims=dims, axes=axes)
    ready = lowering.canonical(view)
    if relative.is_scaled:
        magnitude = _broadcast_to_output(lowering, _magnitude(lowering, columns, relative), relative)
        ready = replace(ready, tensor=lowering.node("Mul", ready.tensor, magnitude))
    last = _broadcast_to_output(lowering, _last_step(lowering, columns, relative), relative)
    return replace(ready, tensor=lowering.node("Add", ready.tensor, last))


def _last_step(lowering: Lowering, columns: View, relative: Relative) -> View:
    if relative.step is None:
        return columns
    alone, place = lowering.with_axis_alone(columns, relative.step)
    last = lowering.constant(np.asarray([-1], np.int64), "last")
    return _without_step(alone, lowering.node("Gather", alone.tensor, last, axis=place), place, relative.step)


def _magnitude(lowering: Lowering, columns: View, relative: Relative) -> View:
    found = lowering.elementwise("Abs", columns)
    if relative.step is not None:
        alone, place = lowering.with_axis_alone(found, relative.step)
        axes = lowering.constant(np.asarray([place], np.int64), "axes")
        mean = lowering.node("ReduceMean", alone.tensor, axes, keepdims=1)
        found = _without_step(alone, mean, place, relative.step)
    is_zero = lowering.node("Equal", found.tensor, lowering.scalar(0.0))
    return replace(found, tensor=lowering.node("Where", is_zero, lowering.scalar(1.0), found.tensor))


def _without_step(view: View, tensor: str, place: int, step: int) -> View:
    dims = tuple(() if i == place else dim for i, dim in enumerate(view.dims))
    axes = tuple(() if i == step else axis for i, axis in enumerate(view.axes))
    return replace(view, tensor=tensor, dims=dims, axes=axes)


def _broadcast_to_output(lowering: Lowering, view: View, relative: Relative) -> str:
    """A window's values, a number a column, in dimensions that meet those of the output."""
    group = view.axes[relative.feature] if relative.feature is not None else ()
    spread = [group if size > 1 else () for size in relative.shape]
    return lowering.arrange(view, (view.axes[0], *spread)).tensor


def _labels(
    lowering: Lowering, output: Output, view: View, classes: list[str | int] | list[bool], threshold: float
) -> View:
    if output.task == ANOMALY:
        return replace(lowering.elementwise("Greater", view, lowering.scalar(threshold)), dtype="bool", mask=None)
    table = np.asarray(classes)
    dtype = "int64" if table.dtype.kind in "iu" else "string"
    if dtype == "int64":
        table = table.astype(np.int64)
    names = lowering.constant(table, "classes")
    if output.task == "binary":
        code = lowering.node("Cast", lowering.node("Greater", view.tensor, lowering.scalar(threshold)), to=7)
        return replace(view, tensor=lowering.node("Gather", names, code), dtype=dtype)
    position = 1 + class_position(output)
    alone, place = lowering.with_axis_alone(view, position)
    code = lowering.node("ArgMax", alone.tensor, axis=place, keepdims=0)
    dims = tuple(dim for i, dim in enumerate(alone.dims) if i != place)
    axes = tuple(axis for i, axis in enumerate(alone.axes) if i != position)
    return replace(alone, tensor=lowering.node("Gather", names, code), dims=dims, axes=axes, dtype=dtype)
