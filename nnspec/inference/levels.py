"""Reads the levels of quantile outputs, and puts behind each one's head the layers that keep them from crossing."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import AxisRef, Diagnostic, Edit, Fix, NodeRef, Report, Span
from nnspec.diagnostics.lists import enumerated
from nnspec.document import Mapping, Scalar, to_plain
from nnspec.inference.implied import implied_node
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Value
from nnspec.ir.levels import DEFAULT, LEVEL
from nnspec.layers.kit.base import Layer
from nnspec.lazy import dataclass

TASK = "quantiles"


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of an output, ascending; and whether calibration on the validation split moves its values."""

    values: tuple[float, ...] = ()
    is_calibrated: bool = False


def behind_head(name: str, value: Value, body: Mapping, span: Span, report: Report) -> tuple[Levels, list[Node]]:
    """An output's levels, and the nodes behind its head; none of either where its task is another, or after a fault."""
    levels = read_levels(name, body, report)
    nodes = order_levels(name, value, levels.values, span, report) if levels.values else []
    return (levels if nodes else Levels()), nodes


def read_levels(name: str, body: Mapping, report: Report) -> Levels:
    """The levels that an output names, or the default ones; none where its task is another.

    NN581 where they do not ascend, where there is nothing to calibrate, and where the task takes none.
    """
    task = body.get("task")
    if not isinstance(task, Scalar) or task.value != TASK:
        for key in ("levels", "calibrate"):
            if key in body.entries:
                message = (
                    f"`{key}` only applies to outputs with `task: quantiles`, and output `{name}` has another task"
                )
                fixes = (Fix("set `task: quantiles`"), Fix(f"or remove `{key}`"))
                report.add(Diagnostic("NN581", message, body.key_span(key), path=f"outputs.{name}.{key}", fixes=fixes))
        return Levels()
    node, calibrate = body.get("levels"), body.get("calibrate")
    levels = DEFAULT if node is None else tuple(float(level) for level in to_plain(node))
    if node is not None and list(levels) != sorted(levels):
        written = f"[{', '.join(f'{level:g}' for level in sorted(levels))}]"
        fix = Fix("write them in ascending order", (Edit(node.span, written),))
        message = f"the levels of output `{name}` are not in ascending order"
        report.add(Diagnostic("NN581", message, node.span, path=f"outputs.{name}.levels", fixes=(fix,)))
        levels = tuple(sorted(levels))
    is_calibrated = calibrate is not None and bool(to_plain(calibrate))
    if is_calibrated and levels == (0.5,):
        assert calibrate is not None
        message = f"output `{name}` has only the median, and calibration moves the other levels"
        fix = Fix("add levels on both sides of it: `levels: [0.1, 0.5, 0.9]`")
        report.add(Diagnostic("NN581", message, calibrate.span, path=f"outputs.{name}.calibrate", fixes=(fix,)))
    return Levels(levels, is_calibrated)


def order_levels(name: str, value: Value, levels: Sequence[float], span: Span, report: Report) -> list[Node]:
    """The nodes behind an output's head, the last of which has an axis `level`.

    An axis of that name is taken as it is; else the last axis holds the levels, those of one value side by side.
    NN580 where neither can be, NN407 where values are no floats.
    """
    place = ax.index_of(value.axes, LEVEL)
    last = value.axes[-1] if value.axes else None
    axis = last if place is None else value.axes[place]
    fits = axis is not None and isinstance(axis.size, int) and axis.size % len(levels) == 0
    if axis is None or not fits or (place is not None and axis.size != len(levels)):
        report.add(_misfit(name, value, levels, axis, span))
        return []
    if not value.dtype.startswith("float"):
        report.add(_not_floats(name, value, span))
        return []
    from nnspec.layers.shape.levels import OrderLevels, SplitLevels

    nodes: list[Node] = []
    layers: list[tuple[Layer, str]] = [(SplitLevels(len(levels)), "split")] if place is None else []
    for layer, role in [*layers, (OrderLevels(levels), "levels")]:
        made = implied_node(layer, name, role, (nodes[-1].outputs[0] if nodes else value,), span, report)
        if made is None:
            return []
        nodes.append(made)
    return nodes


def _not_floats(name: str, value: Value, span: Span) -> Diagnostic:
    return Diagnostic(
        "NN407",
        f"output `{name}` has quantiles, which are floats, but `{value.node}` has dtype {value.dtype}",
        span,
        path=f"outputs.{name}",
        fixes=(Fix("read it from a layer that computes floats, such as a `Dense`"),),
        about=(NodeRef(value.node),),
    )


def _misfit(name: str, value: Value, levels: Sequence[float], axis: ax.Axis | None, span: Span) -> Diagnostic:
    count = len(levels)
    has = "it has no axis" if axis is None else f"its axis `{axis.name}` has {axis.size} positions"
    listed = enumerated([f"{level:g}" for level in levels])
    wanted = f"{count}" if axis is not None and axis.name == LEVEL else f"a multiple of {count}"
    fixes = (
        Fix(f"give the head {count} units for each predicted value"),
        Fix("or write `Dense: {units: auto}`, which counts them"),
    )
    return Diagnostic(
        "NN580",
        f"output `{name}` has {count} levels ({listed}), but {has}, not {wanted}",
        span,
        path=f"outputs.{name}",
        notes=("the levels are along an axis `level`, or the fastest-varying part of the last axis",),
        fixes=fixes,
        about=(AxisRef(axis.name),) if axis is not None else (),
    )
