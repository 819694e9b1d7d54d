"""What a network's outputs are fed back into, where its forecasts feed on themselves."""

from __future__ import annotations

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.columns import STEP
from nnspec.data.prepare.fit import Layout, file_axes, slot_layout
from nnspec.data.prepare.rows import arrange
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.data.section.recursive import fed_inputs, forecast_of
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph, Output, Value
from nnspec.runtime.recursive import Forecast, Recursion, Sources


def recursion_of(graph: Graph, plan: DataPlan, deployment: Deployment) -> Recursion | None:
    """How the inputs of the deployed graph go on from its outputs; None where the horizon is all that is forecast."""
    window = plan.window
    if window is None or not window.recursive:
        return None
    fed: dict[str, Sources] = {}
    for slot in fed_inputs(plan):
        found = [forecast_of(plan, slot, column) for column in slot.columns]
        sources = [source for source in found if source is not None]
        encoded = deployment.columns.get(slot.name)
        ports = (
            {slot.name: sources} if encoded is None else dict(zip(encoded.ports, [[s] for s in sources], strict=True))
        )
        fed |= ports
    axes: dict[str, tuple[tuple[str, ...], str | None]] = {}
    ahead: dict[str, int] = {}
    for name, slot in plan.inputs.items():
        value, encoded = graph.inputs[name], deployment.columns.get(name)
        step = step_axis(value) if slot.is_windowed else None
        kept = [a.name for i, a in enumerate(value.axes) if encoded is None or encoded.axes[i] == STEP]
        for port in [name] if encoded is None else encoded.ports:
            axes[port] = (("batch", *kept), step)
            if slot.ahead != "no":
                ahead[port] = len(window.rows_of(slot))
    outputs = {name: _forecast(plan, name, graph.outputs[name]) for name in plan.outputs}
    return Recursion(rows=window.recursive, each=max(window.horizon), fed=fed, ahead=ahead, axes=axes, outputs=outputs)


def describe_recursion(recursion: Recursion | None) -> dict[str, object]:
    """The part of the metadata that `Recursion.from_metadata` reads; empty where there is none."""
    if recursion is None:
        return {}
    outputs = {
        name: {"axes": list(each.axes), "columns": list(each.columns), "order": list(each.order)}
        for name, each in recursion.outputs.items()
    }
    fed = {name: [list(source) for source in sources] for name, sources in recursion.fed.items()}
    return {"recursive": {"rows": recursion.rows, "each": recursion.each, "fed": fed, "outputs": outputs}}


def step_axis(value: Value) -> str | None:
    """The axis of a windowed input that runs along rows."""
    names = [axis.name for axis in value.axes]
    return next((axis.name for axis in value.axes if ax.is_sequence(axis)), names[0] if names else None)


def _forecast(plan: DataPlan, name: str, output: Output) -> Forecast:
    assert plan.window is not None
    slot, axes = plan.outputs[name], tuple((a.name, ax.size_to_json(a.size)) for a in output.value.axes)
    model = Slot(name=name, axes=axes, dtype=output.value.dtype, span=output.span, task=output.task)
    layout = slot_layout(plan, slot, model, file_axes(slot, 2).names, (len(slot.columns),))
    steps = len(plan.window.horizon) if plan.window.has_steps else None
    order = _order(layout, steps, len(slot.columns))
    return Forecast(axes=("batch", *(axis for axis, _ in axes)), columns=slot.columns, order=order)


def _order(layout: Layout, steps: int | None, columns: int) -> tuple[int, ...]:
    """Where the values of rows and columns are among an output's flattened ones."""
    shape = (columns,) if steps is None else (steps, columns)
    numbers = np.arange(int(np.prod(shape))).reshape(1, *shape)
    return tuple(np.argsort(arrange(numbers, layout).reshape(-1)).tolist())
