"""What to do where a formula joins values of which each has an axis that another lacks."""

from __future__ import annotations

import re
from dataclasses import replace

from nnspec.diagnostics import Applicability, Edit, Fix, quoted
from nnspec.document import Scalar, Sequence
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Value
from nnspec.layers.kit.call import Call
from nnspec.layers.kit.edits import add_key, insert_items


def joining_fixes(call: Call) -> list[Fix]:
    """Names for units that are the features of the value with most axes, or a product of all pairs."""
    named = _named_features(call)
    return [*([named] if named else [Fix("`rename` axes that mean the same")]), *_all_pairs(call), _product(call)]


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


def _all_pairs(call: Call) -> list[Fix]:
    """The axes that the first of two values lacks, put into it with one position, along which it is then repeated.

    Certain where the two cannot be meant position by position: they have features in common and unlike numbers of other
    axes, none of which is as long as one of the other, and not both are features.
    """
    sources = call.node("from")
    if len(call.inputs) != 2 or not isinstance(sources, Sequence) or call.item_span.trail:
        return []
    one, two = (value.axes for value in call.inputs)
    lacks = [axis for axis in two if axis.name not in ax.names(one)]
    has = [axis for axis in one if axis.name not in ax.names(two)]
    source = sources.items[0]
    are_features = all(map(ax.is_unordered, [*has, *lacks]))
    if are_features or len(lacks) == len(two) or not isinstance(source, Scalar) or not isinstance(source.value, str):
        return []
    name = f"{source.value.replace('.', '_').replace('/', '_')}_repeated"
    said = ", ".join(f"{axis.name}: 1" for axis in lacks)
    is_certain = len(has) != len(lacks) and all(_is_apart(a, b) for a in has for b in lacks)
    inserted = insert_items(
        call.item_span,
        f"for all pairs, repeat `{source.value}` along {quoted(ax.names(lacks))}: `insert: {{{said}}}`",
        [f"insert: {{name: {name}, from: {source.value}, {said}}}"],
        Applicability.MACHINE if is_certain else Applicability.MAYBE,
    )
    edits = inserted.edits and (*inserted.edits, Edit(source.span, name))
    return [replace(inserted, edits=edits)] if edits else [inserted]


def _is_apart(one: Axis, other: Axis) -> bool:
    """Whether two axes are not the same one, whatever they are called."""
    known = isinstance(one.size, int) and isinstance(other.size, int)
    are_features = ax.is_unordered(one) and ax.is_unordered(other)
    return known and one.size != other.size and 1 not in (one.size, other.size) and not are_features


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
