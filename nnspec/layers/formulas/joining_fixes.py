"""What to do where a formula joins values of which each has an axis that another lacks."""

from __future__ import annotations

import re

from nnspec.diagnostics import Applicability, Edit, Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Value
from nnspec.layers.kit.call import Call
from nnspec.layers.kit.edits import add_key


def joining_fixes(call: Call) -> list[Fix]:
    """Names for units that are the features of the value with most axes, or a product of all pairs."""
    named = _named_features(call)
    return [*([named] if named else [Fix("`rename` axes that mean the same")]), _product(call)]


def _named_features(call: Call) -> Fix | None:
    """`as: channel` for layers whose units, one vector a sample, have no name and are as many as the channels.

    Certain where all that keeps the values apart are such names, which nothing else in the spec speaks of.
    """
    widest = max(call.inputs, key=lambda value: len(value.axes))
    edits: dict[str, tuple[Edit, ...]] = {}
    feature: Axis | None = None
    for value in call.inputs:
        if set(ax.names(value.axes)) <= set(ax.names(widest.axes)):
            continue
        feature = _feature_for(value, widest)
        maker = call.makers.get(value.node)
        if feature is None or maker is None or maker.layer.makes is None or maker.kind_span.trail:
            return None
        is_spoken_of = re.search(rf"\b{re.escape(value.axes[0].name)}\b", maker.kind_span.source.text) is not None
        edits[value.node] = () if is_spoken_of else add_key(maker.body, "as", feature.name)
    if feature is None:
        return None
    makers = " and ".join(f"`{name}`" for name in edits)
    all_edits = tuple(edit for own in edits.values() for edit in own)
    is_certain = all(edits.values()) and not call.stripped
    sure = Applicability.MACHINE if is_certain else Applicability.MAYBE
    return Fix(f"name the units of {makers} as what they are of: `as: {feature.name}`", all_edits, sure)


def _feature_for(value: Value, widest: Value) -> Axis | None:
    """The one axis of features, as long as the only axis of a vector that a layer made."""
    if len(value.axes) != 1 or not value.axes[0].is_learned or ax.has_own_name(value.axes[0]):
        return None
    alike = [axis for axis in widest.axes if ax.is_unordered(axis) and axis.size == value.axes[0].size]
    return alike[0] if len(alike) == 1 else None


def _product(call: Call) -> Fix:
    """`einsum`, of two values with the axes that only one of them has."""
    advice = "multiply all pairs with `einsum`, which names the axes of the product"
    if len(call.inputs) != 2:
        return Fix(advice)
    one, two = (ax.names(value.axes) for value in call.inputs)
    shared = [name for name in one if name in two]
    kept = [*(name for name in one if name not in shared), *(name for name in two if name not in shared)]
    if not shared:
        return Fix(advice)
    listed = ", ".join(f"`{name}`" for name in shared)
    read = ", ".join(value.node for value in call.inputs)
    return Fix(f"for all pairs, summed over {listed}: `einsum: {{from: [{read}], axes: [{', '.join(kept)}]}}`")
