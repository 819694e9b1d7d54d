"""Checks that classes are not looked for along steps or places while the output has an axis of features."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.ir import axes as ax


def check_class_axis(context: Context) -> Iterator[Diagnostic]:
    """NN379: nothing names the axis of the classes, and the last one is of steps or places."""
    for output in context.graph.outputs.values():
        axes = output.value.axes
        said = context.node("outputs", output.name, "class_axis")
        if output.task not in ("classification", "multilabel") or said is not None or not axes:
            continue
        taken = axes[-1]
        others = [axis for axis in axes[:-1] if ax.is_unordered(axis) and axis.size != 1]
        is_of_data = ax.names_places(taken.name) or any(axis.is_learned for axis in others)
        if taken.name != output.class_axis or taken.is_learned or not is_of_data or not others:
            continue
        meant, order = others[-1].name, [*(axis.name for axis in axes if axis is not others[-1]), others[-1].name]
        yield Diagnostic(
            "NN379",
            f"the classes of output `{output.name}` are along `{taken.name}`, its last axis, but it also has `{meant}`",
            context.span("outputs", output.name),
            path=f"outputs.{output.name}",
            notes=(f"it has {ax.describe(axes)}; if this is intended, write `class_axis: {taken.name}`",),
            fixes=(
                Fix(f"move `{meant}` to the end, before the activation: `permute: [{', '.join(order)}]`"),
                Fix(f"or set `class_axis: {meant}`, and normalize along that axis"),
            ),
            severity=Severity.WARNING,
        )
