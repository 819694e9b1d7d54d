"""Checks outputs with several axes whose places come again for each feature: a pixel shuffle gone wrong."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity, quoted
from nnspec.diagnostics.lists import joined
from nnspec.ir.merged_axes import repeated_steps


def check_pixel_order(context: Context) -> Iterator[Diagnostic]:
    """NN375 of an output; that of a layer that runs along such an axis is in the layer's contract."""
    spans = {node.name: node.span for node in context.graph.nodes}
    for output in context.graph.outputs.values():
        found = {axis.name: both for axis in output.value.axes if (both := repeated_steps(axis)) is not None}
        if len(found) < 2:
            continue
        steps = [places.label or places.name for _, places in found.values()]
        parts = [features.label or features.name for features, _ in found.values()]
        held = [
            f"all of `{s}` repeated for each of `{p}` in `{n}`" for n, s, p in zip(found, steps, parts, strict=True)
        ]
        maker = spans.get(output.value.node)
        yield Diagnostic(
            "NN375",
            f"output `{output.name}` has {joined(held)}",
            context.span("outputs", output.name),
            path=f"outputs.{output.name}",
            related=() if maker is None else (Related(maker, "the last layer before it"),),
            notes=(
                "adjacent positions come from opposite ends; in a pixel shuffle, the parts of the features must vary "
                "fastest",
            ),
            fixes=(Fix(f"put {quoted(parts)} after {quoted(steps)} with a `permute` before they are merged"),),
            severity=Severity.WARNING,
        )
