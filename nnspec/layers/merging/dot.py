"""Dot: products of two inputs summed over an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix, Reason, lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.normalization.per_sample import scale_to_unit_length

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


class Dot(Layer):
    """Products of two inputs summed over one axis of each; the other axes of both stay.

    Input axes:  `batch query feature` and `batch key feature`, with `axes: feature`
    Output axes: `batch query key`
    """

    kind = "Dot"
    arity = (2, 2)
    args = {
        "axes": a.Arg(
            {
                "type": ["string", "integer", "array"],
                "items": {"type": ["string", "integer"]},
                "minItems": 2,
                "maxItems": 2,
            },
            "The axis to sum over, or one per input, by name or by Keras' index.",
        ),
        "normalize": a.boolean("Whether to normalize vectors first, which gives cosine similarities.", False),
    }

    def adds_up(self, args: Args) -> bool:
        return not args["normalize"]

    def combination(self, args: Args) -> str:
        return "" if args["normalize"] else "sum"

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        given = call.args["axes"]
        pair = given if isinstance(given, list) else [given, given]
        left, right = (call.axis_index(value, "axes", v.axes) for value, v in zip(pair, call.inputs, strict=True))
        mine, theirs = call.inputs[0].axes[left], call.inputs[1].axes[right]
        if mine.size != theirs.size:
            call.fail(
                "NN311",
                f"`Dot` sums over `{mine.name}` of {mine.size} and `{theirs.name}` of {theirs.size}",
                "axes",
                about=[mine.name, theirs.name],
            )
        _warn_of_other_axes(call, left, right)
        rest = [axis for i, axis in enumerate(call.inputs[0].axes) if i != left]
        over_one = mine.name == theirs.name
        rest += [_rename_apart(axis, rest, over_one) for i, axis in enumerate(call.inputs[1].axes) if i != right]
        if not rest:
            rest = [ax.fresh("product", 1, call.name)]
        repeated = {axis.name for axis in rest if ax.names(rest).count(axis.name) > 1}
        if repeated:
            call.fail(
                "NN307",
                f"`Dot` would make two axes named `{min(repeated)}`: {ax.describe(rest)}",
                "from",
                fixes=[*_same_axis(call, left, right, min(repeated)), _renaming(min(repeated))],
                about=[min(repeated), *rest],
                reason=Reason.AXES_OF_ONE_NAME,
            )
        return Inferred((tuple(rest),), windows={left: WHOLE}, keras={"axes": [left + 1, right + 1]})

    def why(self, node: Node) -> dict[str, str]:
        summed = [value.axes[place - 1] for value, place in zip(node.inputs, node.args["axes"], strict=True)]
        parts = [f"`{axis.name}` of `{value.node}`" for axis, value in zip(summed, node.inputs, strict=True)]
        cosines = " Each vector is first scaled to length 1." if node.args["normalize"] else ""
        return {
            "": f"Multiplies {lists.joined(parts)} position by position, {summed[0].size} of each, and sums.{cosines}",
            "axes": f"The sum runs over {lists.joined(parts)}.",
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        left, right = node.args["axes"]
        first, second = inputs
        if node.args["normalize"]:
            first, second = (
                scale_to_unit_length(lowering, first, [left], 1e-7),
                scale_to_unit_length(lowering, second, [right], 1e-7),
            )
        inside = {factor for group in second.axes[1:] for factor in group}  # they may be axes of the first, renamed
        second = second.substituted({factor: (lowering.twin(factor),) for factor in inside})
        mine = _other_factors(first, left)
        theirs = _other_factors(second, right)
        batch = first.axes[0]
        one = lowering.arrange(first, (batch, mine, first.axes[left]))
        two = lowering.arrange(second, (second.axes[0], second.axes[right], theirs))
        tensor = lowering.node("MatMul", one.tensor, two.tensor)
        axes = [batch, *(g for i, g in enumerate(first.axes) if i not in (0, left))]
        axes += [g for i, g in enumerate(second.axes) if i not in (0, right)]
        if len(axes) == 1:
            axes.append(())
        return [replace(one, tensor=tensor, dims=(batch, mine, theirs), axes=tuple(axes), mask=None)]


def _warn_of_other_axes(call: Call, left: int, right: int) -> None:
    """NN377: steps are multiplied by features, while one input has the same axis as the other; axes named are meant."""
    one, two = call.inputs
    given = call.args["axes"]
    if all(isinstance(axis, str) for axis in (given if isinstance(given, list) else [given])):
        return
    mine, theirs = one.axes[left], two.axes[right]
    if ax.is_unordered(mine) == ax.is_unordered(theirs) or mine.size == 1:
        return
    for axis, other, place in ((mine, two, right), (theirs, one, left)):
        rest = [found for i, found in enumerate(other.axes) if i != place]
        twin = next((found for found in rest if _is_same(found, axis)), None) or _as_long(axis, rest)
        if twin is None:
            continue
        call.warn(
            "NN377",
            f"`Dot` sums over `{mine.name}` of `{one.node}` and `{theirs.name}` of `{two.node}`, but `{other.node}` "
            f"has `{twin.name}`, too",
            "axes",
            notes=[
                "sizes agree, so Keras accepts this silently",
                f"if this is intended, name them: `axes: [{mine.name}, {theirs.name}]`",
            ],
            fixes=[Fix(f"sum over `{axis.name}` of both: `axes: {axis.name}`")] if twin.name == axis.name else [],
            about=[mine.name, theirs.name, twin.name, one.node, two.node],
        )
        return


def _same_axis(call: Call, left: int, right: int, name: str) -> list[Fix]:
    """Attention scores: where steps were summed over, the features that both have were meant."""
    one, two = (value.axes[place] for value, place in zip(call.inputs, (left, right), strict=True))
    places = [ax.index_of(value.axes, name) for value in call.inputs]
    features = [value.axes[place] for value, place in zip(call.inputs, places, strict=True) if place is not None]
    if ax.is_unordered(one) or ax.is_unordered(two) or not all(map(ax.is_unordered, features)) or len(features) < 2:
        return []
    return (
        [Fix(f"to compare the steps of both, sum over `{name}`: `axes: {name}`")]
        if len({f.size for f in features}) == 1
        else []
    )


def _renaming(name: str) -> Fix:
    return Fix(f"rename it in one of the inputs: `rename: {{{name}: …}}`")


def _is_same(one: ax.Axis, other: ax.Axis) -> bool:
    """Whether two axes are one: the same positions, or one name that says something."""
    return one.atoms == other.atoms or (one.name == other.name and one.size == other.size and ax.has_own_name(one))


def _as_long(axis: ax.Axis, rest: Sequence[ax.Axis]) -> ax.Axis | None:
    """The one axis of places as long as these, such as the nodes for the columns of an adjacency matrix."""
    found = [other for other in rest if other.size == axis.size and not ax.is_unordered(other)]
    return found[0] if len(found) == 1 and not ax.is_unordered(axis) else None


def _other_factors(view: View, axis: int) -> Group:
    """All factors but those of batch and of one axis, as memory has them."""
    left_out = {*view.axes[0], *view.axes[axis]}
    return tuple(factor for factor in view.order if factor not in left_out)


def _rename_apart(axis: ax.Axis, others: Sequence[ax.Axis], over_one: bool) -> ax.Axis:
    """An axis beside the same one of the other input, as where steps are compared with each other: `time_2`.

    Steps and places of two sequences that the spec calls alike are told apart likewise: each is compared with all.

    Args:
        over_one: whether both inputs have the axis that is summed over, so that features that layers called alike, as
            in a bilinear network, are what is left of each.
    """
    names = ax.names(others)
    is_layers_own = over_one and not ax.has_own_name(axis)
    are_places = not ax.is_unordered(axis)
    if not any(
        other.name == axis.name and (is_layers_own or are_places or other.atoms == axis.atoms) for other in others
    ):
        return axis
    return axis.renamed(next(f"{axis.name}_{i}" for i in range(2, len(names) + 3) if f"{axis.name}_{i}" not in names))


LAYERS = (Dot(),)
