"""The table of a network, one row per layer: axes in and out, weights, parameters and receptive field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nnspec.data.section.plan import DataPlan
from nnspec.data.units import describe_units, in_words, input_units, output_in_words, output_units
from nnspec.ir import axes as ax
from nnspec.ir.coverage import find_holes, list_positions
from nnspec.ir.graph import Graph, Node, Steps, Value

Features = Mapping[str, Sequence[str]]  # by input, what those are called that its columns become


def to_json(graph: Graph, features: Features | None = None, plan: DataPlan | None = None) -> dict[str, object]:
    """The contract of `nnspec show --format json`. Axes leave batch out."""
    named = {name: {"features": list(names)} for name, names in (features or {}).items()}
    return {
        "name": graph.name,
        "inputs": {
            name: {
                "axes": _axes(value),
                "dtype": value.dtype,
                **named.get(name, {}),
                **describe_units(input_units(graph, plan, name), _columns_of(plan, name)),
            }
            for name, value in graph.inputs.items()
        },
        "layers": [_layer(graph, node) for node in graph.nodes],
        "outputs": {
            name: {
                "axes": _axes(o.value),
                "task": o.task,
                "classes": list(o.classes) if o.classes else None,
                **describe_units(output_units(graph, plan, name), plan.columns_of(name) if plan is not None else ()),
            }
            for name, o in graph.outputs.items()
        },
        "parameters": graph.parameters,
        "trainable_parameters": graph.trainable_parameters,
        "constraints": list(graph.constraints),
    }


def _columns_of(plan: DataPlan | None, name: str) -> Sequence[str]:
    """The columns that an input is read from."""
    slot = plan.inputs.get(name) if plan is not None else None
    return slot.columns if slot is not None else ()


def _axes(value: Value) -> list[list[object]]:
    return [[axis.name, ax.size_to_json(axis.size)] for axis in value.axes]


def _layer(graph: Graph, node: Node) -> dict[str, object]:
    return {
        "name": node.name,
        "kind": node.kind,
        "inputs": [value.node if value.port == "output" else f"{value.node}.{value.port}" for value in node.inputs],
        "axes": _axes(node.outputs[0]),
        "parameters": node.parameters,
        "trainable_parameters": node.trainable_parameters,
        "weights": [{"name": weight.name, "shape": list(weight.shape)} for weight in node.weights],
        "formula": node.formula,
        "receptive_field": {
            name: {"size": field.size, "stride": _number(field.stride), "ahead": _whole(field.ahead)}
            for name, field in node.outputs[0].fields.items()
        },
        "notes": list(node.notes),
        "shared": node.shared,
        "line": node.span.line,
    }


def _number(steps: Steps) -> float:
    """As JSON writes it: a fraction is a decimal number."""
    return steps if isinstance(steps, int) else float(steps)


def _whole(steps: Steps | None) -> int | None:
    """Positions: a part of one is one."""
    return None if steps is None else math.ceil(steps)


def input_size(graph: Graph, axis: str) -> ax.Size | None:
    """The length of an input axis."""
    return next((a.size for value in graph.inputs.values() for a in value.axes if a.name == axis), None)


# ------------------------------------------------------------------------------------------------- text


def to_text(graph: Graph, features: Features | None = None, plan: DataPlan | None = None) -> str:
    """A table and, below it, what is worth saying of inputs and of single layers."""
    rows: list[tuple[str, ...]] = [("layer", "axes", "weights", "parameters", "sees")]
    for name, value in graph.inputs.items():
        rows.append((name, ax.describe(value.axes), "", "", ""))
    for node in graph.nodes:
        weights = ", ".join(f"{w.name} {shape(w.shape)}" for w in node.weights)
        count = f"{node.formula} = {node.parameters:,}" if node.formula else ""
        if node.shared is not None:
            count += f" (shared: {node.shared})"
        label = node.name if node.name.startswith(("permute", "merge")) else f"{node.name}"
        rows.append((label, ax.describe(node.outputs[0].axes), weights, count, ", ".join(sees(graph, node))))
    lines = [f"{graph.name}: {graph.parameters:,} parameters, {graph.trainable_parameters:,} of them trained", ""]
    lines += _columns(rows)
    if features:
        lines += ["", *(f"input {name}: {', '.join(names)}" for name, names in features.items())]
    units = {name: in_words(input_units(graph, plan, name), _columns_of(plan, name)) for name in graph.inputs}
    if any(units.values()):
        lines += ["", *(f"input {name} is in {unit}" for name, unit in units.items() if unit)]
    lines += [""]
    for name, output in graph.outputs.items():
        unit = output_in_words(graph, plan, name)
        lines.append(f"output {name}: {ax.describe(output.value.axes)}, {output.task}{f', in {unit}' if unit else ''}")
    notes = [f"{node.name}: {note}" for node in graph.nodes for note in (*_kernel_notes(node), *node.notes)]
    if notes:
        lines += ["", *notes]
    reach = list(_reach(graph))
    if reach:
        lines += ["", *reach]
    if graph.constraints:
        lines += ["", *(f"must hold: {constraint}" for constraint in graph.constraints)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def shape(sizes: Iterable[int]) -> str:
    """`(5, 160, 32)`."""
    return "(" + ", ".join(str(n) for n in sizes) + ")"


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def sees(graph: Graph, node: Node) -> Iterator[str]:
    """The receptive field along ordered axes, where it is more than the position itself."""
    for name, field in node.outputs[0].fields.items():
        axis = next((a for v in graph.inputs.values() for a in v.axes if a.name == name), None)
        if axis is None or ax.is_unordered(axis) or field.size == 1:
            continue
        stride = f" step {field.stride}" if field.stride != 1 else ""
        yield f"{name} {field.size if field.size is not None else 'all'}{stride}"


def _kernel_notes(node: Node) -> Iterator[str]:
    """A convolution's kernel in words: how many kernels of what shape."""
    source = node.inner or node
    kernel = next((w for w in node.weights if w.name in ("kernel", "depthwise_kernel")), None)
    if kernel is None or "Conv" not in source.kind or len(kernel.shape) < 3:
        return
    *spatial, channels, last = kernel.shape
    if "Transpose" in source.kind:  # whose kernels have the opposite order of channels
        channels, last = last, channels
    size = "×".join(str(n) for n in (*spatial, channels))
    if "Depthwise" in source.kind or "Separable" in source.kind:
        each = "×".join(str(n) for n in spatial)
        count = f"{channels * last} kernels of {each}, {last} for each of {channels} channels"
        yield f"kernel {shape(kernel.shape)} = {count}"
    else:
        yield f"kernel {shape(kernel.shape)} = {last} kernels of {size}"


def _reach(graph: Graph) -> Iterator[str]:
    """How far each output sees along ordered axes, against how much there is."""
    for name, output in graph.outputs.items():
        for axis_name, field in output.value.fields.items():
            total = input_size(graph, axis_name)
            axis = next(a for v in graph.inputs.values() for a in v.axes if a.name == axis_name)
            if ax.is_unordered(axis):
                continue
            size = field.size
            missed = find_holes(graph, output.value, axis_name)
            if missed:
                which = f"{len(missed)} of the {total} positions of `{axis_name}`"
                yield f"output `{name}` never sees {which}: {list_positions(missed)}"
                continue
            if size is None or (isinstance(total, int) and size >= total):
                yield f"output `{name}` sees all {total} positions of `{axis_name}`"
            elif isinstance(total, int):
                yield f"output `{name}` sees {size} of {total} positions of `{axis_name}`"
            else:
                yield f"output `{name}` sees {size} positions of `{axis_name}`"
