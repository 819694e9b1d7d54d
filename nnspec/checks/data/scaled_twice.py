"""Checks that values are not scaled to a range, and then scaled or changed as if they were not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity, Span
from nnspec.document import format_path
from nnspec.ir.graph import Node, Value

_PIXELS = 255.0
_SCALED = {"minmax": 1.0, "standard": 6.0, "robust": 6.0}  # how far apart values lie, by how `data` scales them
_NARROW = 0.1  # values this close together were meant to lie further apart
_UNIT = 2.1  # as far apart as pixels lie that were scaled to 0 … 1 or -1 … 1
_SMALL = 0.02  # a factor that is there for pixels
_Scaled = tuple[float | None, Span | None]  # how far values lie apart, if known, and what scaled them last


def check_scaled_twice(context: Context) -> Iterator[Diagnostic]:
    """NN327: a `Rescaling` for pixels behind another, or behind `scale` of the data; NN338: an augmentation so."""
    readers: dict[str, list[Node]] = {}
    for node in context.graph.nodes:
        for value in node.inputs:
            readers.setdefault(value.node, []).append(node)
    for name, value in context.graph.inputs.items():
        if name in readers:
            yield from _follow(value, _start(context, name), readers)


def _start(context: Context, name: str) -> _Scaled:
    slot = context.plan.inputs.get(name) if context.plan is not None else None
    if slot is None:
        return None, None
    if slot.scale is not None and slot.scale.method in _SCALED:
        return _SCALED[slot.scale.method], slot.scale.span
    return (_PIXELS if slot.source.source.is_raster else None), None


def _follow(value: Value, scaled: _Scaled, readers: Mapping[str, Sequence[Node]]) -> Iterator[Diagnostic]:
    """The scalings behind a value, through what moves values alone."""
    for node in readers.get(value.node, ()):
        yield from _check_value_range(node, scaled)
        factor = node.args.get("scale") if node.layer.is_scaling else None
        if isinstance(factor, int | float) and not isinstance(factor, bool) and abs(factor) < _SMALL:
            apart, before = scaled
            after = None if apart is None else apart * abs(factor)
            if before is not None and (after is None or after < _NARROW):
                yield _report_scaled_again(node, before)
                continue
            yield from _follow(node.outputs[0], (after, node.span), readers)
        elif node.layer.moves_values or node.layer.is_training_only:
            yield from _follow(node.outputs[0], scaled, readers)


def _check_value_range(node: Node, scaled: _Scaled) -> Iterator[Diagnostic]:
    """NN338: a change of colours that takes values for pixels from 0 to 255, after they were scaled to 0 … 1."""
    bounds = node.args.get("value_range")
    apart, before = scaled
    if not isinstance(bounds, list | tuple) or before is None or (apart is not None and apart > _UNIT):
        return
    low, high = bounds
    if high - low < _PIXELS / 2:
        return
    yield _diagnostic(
        "NN338",
        node,
        before,
        f"expects pixels from {low:g} to {high:g}, but they have been scaled before",
        "what it adds in training is larger than the range of the image, so its values are clipped",
        (Fix("set the range of the values: `value_range: [0, 1]`"), Fix("or move it before the scaling")),
    )


def _report_scaled_again(node: Node, before: Span) -> Diagnostic:
    return _diagnostic(
        "NN327",
        node,
        before,
        "scales values as if they were pixels from 0 to 255, but they have been scaled before",
        "the results are nearly equal; networks such as MobileNetV3 scale their pixels themselves",
        (Fix("remove one of the two"),),
    )


def _diagnostic(code: str, node: Node, before: Span, message: str, note: str, fixes: tuple[Fix, ...]) -> Diagnostic:
    return Diagnostic(
        code,
        f"`{node.name}` {message}",
        node.span,
        path=format_path(node.path),
        related=(Related(before, "scaled here"),),
        notes=(note,),
        fixes=fixes,
        severity=Severity.WARNING,
    )
