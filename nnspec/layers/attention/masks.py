"""Attention masks: their arguments in a spec, and the masks as ONNX tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node, Value
from nnspec.layers.attention.roles import Roles
from nnspec.layers.kit.base import Call
from nnspec.layers.merging.joining import common_size
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering
    from nnspec.backends.onnx.view import Group, View

Steps = tuple[Sequence["Group"], Sequence["Group"]]
MASKED = -1e9  # what Keras puts where a score is masked, so that a row without any visible position stays finite


# ------------------------------------------------------------------------------------------------ the rule


def check_masks(call: Call, roles: Roles, places: Sequence[int], heads: int, *, is_banded: bool) -> None:
    """Keras lays the masks of its inputs, and causal ones, over its first axis: that is the one to be attended.

    Args:
        is_banded: whether the layer is causal or has a sliding window.

    Raises:
        Fault: NN343, NN407.
    """
    first = call.axes[0].name
    attended = [call.axes[i] for i in places]
    over = ", ".join(f"`{call.axes[i].name}`" for i in places)
    masked = next((value for _, value in roles.named() if value.mask is not None), None)
    if list(places) != [0]:
        if is_banded:
            arg = "use_causal_mask" if call.args["use_causal_mask"] else "sliding_window"
            _refuse(
                call,
                f"Keras applies `{arg}` to the first axis, `{first}`, but the layer attends along {over}",
                arg,
                [first, *attended],
            )
        if masked is not None:
            _refuse(
                call,
                f"the mask of `{masked.node}` runs along `{masked.mask}`, but the layer attends along {over}",
                "from",
                [masked, masked.mask, *attended],
            )
    for value in (roles.query, roles.value, roles.key):
        if value.mask is not None and ax.index_of(value.axes, value.mask) != 0:
            _refuse(
                call,
                f"the mask of `{value.node}` runs along `{value.mask}`, which is not its first axis",
                "from",
                [value, value.mask],
            )
    if roles.mask is None:
        return
    _check_given_mask(call, roles, places, heads)
    if len(roles.mask.axes) > 2 * len(places) and masked is not None:
        _refuse(
            call,
            f"Keras cannot combine a per-head mask with the padding mask of `{masked.node}`",
            "attention_mask",
            [masked],
        )


def _refuse(call: Call, message: str, arg: str, about: Sequence[Axis | Value | str | None], *, fix: str = "") -> None:
    fixes = [Fix(fix or "move that axis to the front with `permute`, or wrap the layer in `TimeDistributed`")]
    call.fail("NN343", f"`{call.kind}`: {message}", arg, fixes=fixes, about=about)


def _check_given_mask(call: Call, roles: Roles, places: Sequence[int], heads: int) -> None:
    """The axes of an `attention_mask`: the query's steps, then the value's, with heads in front where it has them.

    One of size 1 goes for all steps, or all heads.
    """
    mask = roles.mask
    assert mask is not None
    if mask.dtype.startswith("float"):
        call.fail(
            "NN407",
            f"`attention_mask` must be boolean, but `{mask.node}` has dtype {mask.dtype}",
            "attention_mask",
            fixes=[
                Fix(
                    f'convert it to booleans: `- formula: {{expression: "x > 0.5", dtype: bool, from: {mask.node}}}`'
                    if mask.node in call.makers
                    else "set `dtype: bool` on the input"
                )
            ],
            about=[mask.node],
        )
    mine = [roles.query.axes[i] for i in places]
    theirs = [roles.value.axes[i] for i in places]
    wanted = [*mine, *theirs]
    may_have_heads = len(call.axes) == len(places) + 1
    found = list(mask.axes)
    with_heads = may_have_heads and len(found) == len(wanted) + 1
    steps = found[1:] if with_heads else found
    fits = len(steps) == len(wanted) and (not with_heads or found[0].size in (1, heads))
    fits = fits and all(
        a.size == 1 or common_size(call, a.size, b.size) is not None for a, b in zip(steps, wanted, strict=True)
    )
    swapped = fits and any(
        axis.name != other.name and axis.name in ax.names(opposite)
        for axis, other, opposite in zip(steps, wanted, [theirs] * len(mine) + [mine] * len(theirs), strict=True)
        if not axis.is_learned and axis.size != 1
    )
    if fits and not swapped:
        return
    shape = ", ".join(f"{axis.name} {axis.size}" for axis in wanted)
    call.fail(
        "NN343",
        f"`attention_mask` of `{call.kind}` must have the query's steps followed by the value's, ({shape}), "
        f"but `{mask.node}` has {ax.describe(mask.axes)}",
        "attention_mask",
        notes=[f"an axis for its {heads} heads may come first"] if may_have_heads else [],
        fixes=[Fix("permute the mask first")] if swapped else [],
        about=[mask.node, *mask.axes],
    )


# ------------------------------------------------------------------------------------------------ in ONNX


@dataclass
class VisibleSteps:
    """Which value steps each query step may see.

    Attributes:
        constant: over (query step, value step), where both lengths are known.
        tensors: booleans that broadcast against the scores' dimensions.
        may_hide_all: whether some query step may see nothing at all.
    """

    constant: Array | None = None
    tensors: list[str] = field(default_factory=list)
    may_hide_all: bool = False

    @property
    def is_empty(self) -> bool:
        return self.constant is None and not self.tensors

    def combined(self, lowering: Lowering) -> str:
        """All of them as one tensor of booleans, made once for all that need the same."""
        constant = [] if self.constant is None else [lowering.constant(self.constant, "visible")]
        mask, *others = [*constant, *self.tensors]
        for other in others:
            mask = lowering.once(f"and {other}", mask, partial(lowering.node, "And", mask, other))
        return mask


def visible_steps(
    node: Node,
    inputs: Sequence[View],
    lowering: Lowering,
    dims: Sequence[Group],
    steps: Steps,
    roles: Sequence[str] = ("query", "value", "key"),
) -> VisibleSteps:
    """The masks of a node against scores of these dimensions, batch first.

    Args:
        inputs: query, value and key, and the attention mask, if there is one.
        steps: the axes of the query's steps and of the value's.
        roles: whose masks of padding hide steps.
    """
    args = node.args
    is_causal, band = args["use_causal_mask"], args.get("sliding_window")
    result = VisibleSteps()
    padded = _padding(node, inputs)
    for role, view in ((role, view) for role, view in padded.items() if role in roles):
        group = _join_groups(steps[0 if role == "query" else 1])
        flat = lowering.canonical(view)
        own = (dims[0], group)
        result.tensors.append(broadcast_against(lowering, replace(flat, dims=own, axes=own), dims))
        result.may_hide_all = True
    if args.get("attention_mask"):
        result.tensors.append(_read_attention_mask(lowering, inputs[-1], dims, steps))
        result.may_hide_all = True
    if is_causal or band:
        both = _join_groups(steps[0]), _join_groups(steps[1])
        lengths = [_length(group) for group in both]
        if None in lengths:
            result.tensors.append(_band_at_run_time(lowering, both, is_causal, band))
            result.may_hide_all |= band is not None and len(inputs) > 1
        else:
            seen = band_mask(lengths[0] or 1, lengths[1] or 1, is_causal, band)
            result.constant = None if seen.all() else seen
            result.may_hide_all |= not seen.any(axis=-1).all()
    result.tensors = list(dict.fromkeys(result.tensors))
    return result


def band_mask(queries: int, values: int, is_causal: bool, band: int | None) -> Array:
    """Keras' causal mask and sliding window as one array of booleans (query step, value step)."""
    distance = np.arange(queries)[:, None] - np.arange(values)[None, :]
    seen = distance >= 0 if is_causal else np.ones_like(distance, bool)
    return seen if band is None else seen & (np.abs(distance) < band)


def broadcast_against(lowering: Lowering, view: View, dims: Sequence[Group]) -> str:
    """A view over some of the factors of `dims`, shaped to broadcast against them."""
    known = set(view.order)
    return lowering.arrange(view, [tuple(factor for factor in dim if factor in known) for dim in dims]).tensor


def _padding(node: Node, inputs: Sequence[View]) -> dict[str, View]:
    """The masks that the inputs carry, each once: where value is key too, its mask is the key's."""
    result: dict[str, View] = {}
    count = len(node.inputs) - bool(node.args.get("attention_mask"))
    for role, value, view in zip(("query", "value", "key"), node.inputs[:count], inputs, strict=False):
        if value.mask is not None and view.mask is not None:
            result[role] = view.mask.view
    if count == 1 and "query" in result:
        result["value"] = result["query"]
    return result


def _read_attention_mask(lowering: Lowering, view: View, dims: Sequence[Group], steps: Steps) -> str:
    """An attention mask that is read, as booleans."""
    from nnspec.backends.onnx.builder import onnx_type

    if view.dtype != "bool":
        view = replace(lowering.elementwise("Cast", view, to=onnx_type("bool")), dtype="bool")
    flat = lowering.canonical(view)
    has_heads = len(flat.axes) % 2 == 0  # batch, and steps in pairs
    heads = [tuple(factor for dim in dims[1:-2] for factor in dim)] if has_heads else []
    met = (*heads, *steps[0], *steps[1])
    own = (dims[0], *(group if mine else () for group, mine in zip(met, flat.axes[1:], strict=True)))  # 1: for all
    return broadcast_against(lowering, replace(flat, dims=own, axes=own), dims)


def _join_groups(groups: Sequence[Group]) -> Group:
    return tuple(factor for group in groups for factor in group)


def _length(group: Group) -> int | None:
    from nnspec.backends.onnx.view import group_size

    return group_size(group)


def _band_at_run_time(lowering: Lowering, steps: tuple[Group, Group], is_causal: bool, band: int | None) -> str:
    """The same where a length is not known: positions counted in the running graph, once for all that need them."""
    rows, columns = (_positions(lowering, group) for group in steps)
    count = _length(steps[0])

    def make() -> str:
        if count is not None:
            row = lowering.constant(np.arange(count, dtype=np.int64)[:, None], "rows")
        else:
            row = lowering.node("Unsqueeze", rows, lowering.constant(np.asarray([1], np.int64), "axes"))
        if band is None:
            return lowering.node("GreaterOrEqual", row, columns)
        distance = lowering.node("Sub", row, columns)
        limit = lowering.constant(np.asarray(band, np.int64), "window")
        if not is_causal:
            return lowering.node("Less", lowering.node("Abs", distance), limit)
        zero = lowering.constant(np.asarray(0, np.int64), "zero")
        past = lowering.node("GreaterOrEqual", distance, zero)
        return lowering.node("And", past, lowering.node("Less", distance, limit))

    return lowering.once(f"visible {is_causal} {band} {columns}", rows, make)


def _positions(lowering: Lowering, group: Group) -> str:
    """0, 1, 2, … for the positions of a dimension."""
    known = _length(group)
    if known is not None:
        return lowering.constant(np.arange(known, dtype=np.int64), "positions")
    size = lowering.run_time_size(group)

    def make() -> str:
        start, step = (lowering.constant(np.asarray(n, np.int64), "step") for n in (0, 1))
        return lowering.node("Range", start, lowering.node("Squeeze", size), step)

    return lowering.once("positions", size, make)
