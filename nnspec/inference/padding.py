"""Says where padding begins to count as data, and which masks a layer cannot read."""

from __future__ import annotations

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.ends import selected_end
from nnspec.ir.graph import LayerKind, Node, Value
from nnspec.ir.probabilities import FORMULA
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit.base import Call, Layer
from nnspec.layers.registry import REGISTRY


def passed_outer(call: Call, mask: str | None, axes: Axes) -> tuple[str, ...]:
    """The axes before a mask that is passed on, under the names that they have behind the layer."""
    source = next((value for value in call.inputs if value.mask is not None), None)
    if mask is None or source is None:
        return ()
    return tuple(axis.name for axis in axes[: len(source.outer)])


def check_nested_mask(call: Call, layer: Layer) -> None:
    """A mask that is another one for each position of an axis is for layers that treat each position by itself.

    Raises:
        Fault: NN367.
    """
    nested = next((value for value in call.inputs if value.outer), None)
    if nested is None or not layer.uses_mask or layer.ends_mask or layer.replaces_mask or layer.mask_argument:
        return
    same = {(value.mask, value.outer) for value in call.inputs}
    if layer.pairs_positions and len(call.inputs) > 1 and len(same) == 1:
        return
    first, is_alone = nested.outer[0], layer.arity[0] == 1
    call.fail(
        "NN367",
        f"`{layer.kind}` reads a mask along `{nested.mask}` that differs between the positions of `{first}`",
        notes=[
            f"each position of `{first}` has its mask along `{nested.mask}`, but `{layer.kind}` applies one mask "
            f"per sample"
        ],
        fixes=[
            *([Fix(f"wrap it: `TimeDistributed: {{over: {first}, layer: {{{layer.kind}: …}}}}`")] if is_alone else []),
            Fix("remove the mask before it with `unmask` if padding can count as data"),
        ],
        about=[nested, nested.mask, first],
    )


def warn_of_padding(call: Call, node: Node) -> None:
    """Says where padding begins to count as data: NN319, and NN345 where it does so though the mask stays."""
    source = next((value for value in call.inputs if value.mask is not None), None)
    if source is None or node.layer.uses_mask:
        return
    readers = [REGISTRY[kind] for kind in call.reader_kinds if kind in REGISTRY]
    is_put_back = len(readers) == len(call.reader_kinds) > 0 and all(reader.replaces_mask for reader in readers)
    if is_put_back or any(value.mask is not None for value in node.outputs):
        _warn_of_statistics(call, node, source)
    else:
        _warn_of_lost_mask(call, node, source)


def _warn_of_statistics(call: Call, node: Node, source: Value) -> None:
    """NN345: each step is normalized by all of them, and padding is among these."""
    place = ax.index_of(source.axes, str(source.mask))
    layer, made = node.layer, node.outputs[0]
    reads_all = place is not None and node.windows.get(place) == WHOLE and len(call.inputs) == 1
    is_statistic = layer.normalizes or layer.combination(call.args) == FORMULA
    if not reads_all or not is_statistic or source.outer or made.is_zero_at_padding:
        return
    features = [axis.name for axis in source.axes if ax.is_unordered(axis)]
    fixes = [Fix("if padding may count, remove the mask before it, `- unmask`, and put it back after it, `mask_like`")]
    if features and "axis" in layer.args and ax.index_of(made.axes, features[-1]) is not None:
        fixes.insert(0, Fix(f"normalize each step separately: `LayerNormalization: {{axis: {features[-1]}}}`"))
    call.warn(
        "NN345",
        f"`{layer.kind}` computes over all of `{source.mask}`, so padding counts in what it gives for other steps",
        notes=[f"the mask along `{source.mask}` marks padding, but `{layer.kind}` reads it like data"],
        fixes=fixes,
        about=[source.mask],
    )


def _warn_of_lost_mask(call: Call, node: Node, source: Value) -> None:
    """NN319, but where padding adds nothing, or what a recurrent layer repeats at padding is all that is read."""
    masked, layer, made = str(source.mask), node.layer, node.outputs[0].axes
    maker, place = call.makers.get(source.node), ax.index_of(source.axes, masked)
    is_state = maker is not None and maker.layer.keeps_state and not maker.layer.runs_both_ways
    if is_state and source is call.input and place is not None and selected_end(node, place) == "last":
        return
    is_summed = layer.adds_up(call.args) and masked not in ax.names(made)
    if is_summed and any(value.is_zero_at_padding for value in call.inputs):
        _warn_of_lost_outer(layer, call, source, made)
        return  # padding adds nothing
    call.warn(
        "NN319",
        f"`{layer.kind}` drops the mask along `{masked}`: from here on, padding counts as data",
        notes=["recurrent layers skip masked steps; layers that treat each step separately pass the mask on"],
        fixes=[*(Fix(text) for text in layer.without_mask), *_mask_put_back(call, made)] or [_end_it()],
        about=[masked],
    )


def _warn_of_lost_outer(layer: LayerKind, call: Call, source: Value, made: Axes) -> None:
    """NN319 for what padded words of padded sentences are summed to: the sentences lose their mask."""
    outer = source.outer[-1] if source.outer else None
    if outer is None or outer not in ax.names(made):
        return
    present = f"- TimeDistributed: {{name: present, from: {source.node}, over: {outer}, layer: GlobalAveragePooling1D}}"
    call.warn(
        "NN319",
        f"`{layer.kind}` drops the mask along `{outer}`: from here on, padding counts as data",
        notes=[
            f"padding along `{source.mask}` adds nothing to a sum, but the sum of a `{outer}` of padding alone is data"
        ],
        fixes=[
            Fix(f"put the mask back after it: `{present}`, then `- mask_like: {{from: [{call.name}, present]}}`"),
            _end_it(),
        ],
        about=[outer],
    )


def _end_it() -> Fix:
    return Fix("if padding may count as data from here on, remove the mask before it: `- unmask`")


def _mask_put_back(call: Call, made: Axes) -> list[Fix]:
    """What a join with a value that has no mask, such as a table of positions, leads to: padding stays where it was."""
    source = next(value for value in call.inputs if value.mask is not None)
    place = ax.index_of(source.axes, str(source.mask))
    if place is None or place >= len(made) or made[place].size != source.axes[place].size:
        return []
    if len(call.inputs) < 2 and made[place].name != source.mask:
        return []
    said = f"- mask_like: {{from: [{call.name}, {source.node}]}}"
    return [Fix(f"if steps that are padding in `{source.node}` are padding here, put its mask back after it: `{said}`")]
