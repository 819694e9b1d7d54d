"""Names for axes, which Keras only counts: from the layers that read an input, and unique within a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.diagnostics import Reason
from nnspec.importers.keras.network import Config, Network, Tensor
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args
from nnspec.layers.merging.joining import unit_axes
from nnspec.layers.registry import REGISTRY

if TYPE_CHECKING:
    from nnspec.diagnostics import Diagnostic
    from nnspec.importers.keras.items import Maker, Mended, Read

BY_RANK = {
    0: (),
    1: ("feature",),
    2: ("time", "feature"),
    3: ("height", "width", "channel"),
    4: ("depth", "height", "width", "channel"),
}
SYMBOLS = {"time": "T", "height": "H", "width": "W", "depth": "D", "token": "T"}
_LEAST_PICTURE = 8
_SPATIAL = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def input_axes(network: Network, tensor: Tensor) -> tuple[str, ...]:
    """Names for an input's axes, by the first layer that cares which one is which."""
    rank = len(tensor.shape)
    readers = [call for call in network.calls if any(t.call is None and t.input == tensor.input for t in call.tensors)]
    seen: set[int] = set()
    while readers:
        call = readers.pop(0)
        if id(call) in seen:
            continue
        seen.add(id(call))
        found = _by_layer(call.kind, call.config, rank)
        if found is not None and len(found) == rank:
            return found
        readers += [c for c in network.calls if any(t.call is call and len(t.shape) == rank for t in c.tensors)]
    if rank == 1 and _says_steps(network, tensor):
        return ("time",)
    if rank == 2 and _is_picture(network, tensor):
        return ("height", "width")
    return BY_RANK.get(rank) or tuple(f"axis_{i + 1}" for i in range(rank))


def _says_steps(network: Network, tensor: Tensor) -> bool:
    """Whether an input says which steps count: it is a mask, or one is computed of it."""
    masks = [mask for call in network.calls for mask in call.masks]
    read = [*masks, *(found for call in network.mask_calls for found in call.tensors)]
    return any(found.call is None and found.input == tensor.input for found in read)


def _is_picture(network: Network, tensor: Tensor) -> bool:
    """Whether two axes are a grey image's: it becomes a map of one channel, or is a square that is made flat."""
    height, width = tensor.shape
    if height is None or width is None:
        return False
    found, before = tensor, -1
    while before != id(found.call):
        before = id(found.call)
        for call in network.calls:
            if not any(t.call is found.call and (t.call or t.input == tensor.input) for t in call.tensors):
                continue
            layer = REGISTRY.get(call.kind)
            if layer is not None and layer.is_scaling:
                found = Tensor(call, 0, tensor.shape, tensor.dtype)
                break
            if layer is None or not layer.moves_values or "dims" in call.config:
                return False
            target = tuple(call.config.get("target_shape") or (height * width,))
            return target == (height, width, 1) or (target == (height * width,) and height == width >= _LEAST_PICTURE)
    return False


def _by_layer(kind: str, config: Config, rank: int) -> tuple[str, ...] | None:
    layer = REGISTRY.get(kind)
    if layer is None:
        return None
    if layer.looks_up_ids:
        return ("token",) if rank == 1 else ("sequence", "token")[-rank:]
    if layer.repeats_inner and rank:
        wrapped = config["layer"]
        inner = _by_layer(wrapped["class_name"], wrapped["config"], rank - 1) or BY_RANK.get(rank - 1)
        return None if inner is None else ("time" if "time" not in inner else "sequence", *inner)
    spatial = _SPATIAL.get(_spatial_rank(kind) or 0)
    if spatial is None or not layer.steps:
        return ("time", "feature") if layer.steps and layer.uses_mask else None
    if layer.keeps_state:  # a convolution at every step
        return ("time", *_with_channel(("row",) if spatial == ("time",) else spatial, config))
    return _with_channel(spatial, config)


def _with_channel(spatial: tuple[str, ...], config: Config) -> tuple[str, ...]:
    channel = "feature" if spatial == ("time",) else "channel"
    return (channel, *spatial) if config.get("data_format") == "channels_first" else (*spatial, channel)


def stepped_axes(kind: str, body: Args, axes: ax.Axes) -> list[str]:
    """The names of the axes that a layer slides or steps along as the model has them."""
    rank = _spatial_rank(kind)
    first = 1 if body.get("data_format") == "channels_first" else 0
    return [axis.name for axis in axes[first : first + (rank or 1)]]


def _spatial_rank(kind: str) -> int | None:
    """How many axes a convolution, a pooling or a layer of images runs along."""
    layer = REGISTRY[kind]
    rank = getattr(layer, "rank", None) or getattr(layer, "spatial_rank", None)
    return rank if isinstance(rank, int) else None


def mend(maker: Maker, kind: str, body: Args, reads: Sequence[Read], fault: Diagnostic) -> Mended | None:
    """The body and the reads with which the checker's objection is met: what the model does is said in words."""
    layer, axes, reason = REGISTRY[kind], reads[0].value.axes, fault.reason
    if reason is Reason.AXES_RUN_ALONG and layer.repeats_inner:
        return _over_inside(body, reads)
    if reason is Reason.AXES_RUN_ALONG and layer.steps and "over" not in body:
        names = stepped_axes(kind, body, axes)
        return {**body, "over": names[0] if len(names) == 1 else names}, list(reads)
    if reason is Reason.AXES_OF_ONE_NAME and layer.makes is not None and "as" not in body:
        taken = [name for read in reads for name in ax.names(read.value.axes)]
        return {**body, "as": free_name(layer.makes, taken)}, list(reads)
    if reason is Reason.AXES_OF_ONE_NAME and len(reads) == 2:
        return _rename_apart(maker, body, reads)
    if reason is Reason.REPEATED_SILENTLY and "broadcast" in layer.args and "broadcast" not in body:
        short = list(dict.fromkeys(name for read in reads[1:] for name in unit_axes(axes, read.value.axes)))
        if short:
            return {**body, "broadcast": short if len(short) > 1 else short[0]}, list(reads)
    if reason is Reason.AXES_CALLED_DIFFERENTLY and len(reads) > 1:
        return _rename_axis(maker, body, reads)
    return None


def _over_inside(body: Args, reads: Sequence[Read]) -> Mended | None:
    """`over` for the layer that a TimeDistributed wraps."""
    said = body["layer"]
    kind, inner = next(iter(said.items())) if isinstance(said, Mapping) else (said, {})
    if not REGISTRY[kind].steps or "over" in (inner or {}):
        return None
    names = stepped_axes(kind, inner or {}, reads[0].value.axes[1:])
    return {**body, "layer": {kind: {**(inner or {}), "over": names[0] if len(names) == 1 else names}}}, list(reads)


def _rename_apart(maker: Maker, body: Args, reads: Sequence[Read]) -> Mended | None:
    """The second input's axes called otherwise than the first one's: a product of both has each of them."""
    mine, theirs = (ax.names(read.value.axes) for read in reads)
    changes = {name: free_name(f"other_{name}", [*mine, *theirs]) for name in theirs if name in mine}
    if not changes:
        return None
    return dict(body), [reads[0], maker.source(maker.add("rename", changes, [reads[1]]))]


def _rename_axis(maker: Maker, body: Args, reads: Sequence[Read]) -> Mended | None:
    """The other inputs' axes called as the first one's: the model says that they are the same."""
    first, result, is_changed = reads[0].value.axes, [reads[0]], False
    for read in reads[1:]:
        axes = read.value.axes
        changes = {
            theirs.name: mine.name for mine, theirs in zip(first, axes, strict=False) if mine.name != theirs.name
        }
        if len(axes) == len(first) and changes:
            item = maker.add("rename", changes, [read])
            result.append(maker.source(item))
            is_changed = True
        else:
            result.append(read)
    return (dict(body), result) if is_changed else None


def free_name(stem: str, taken: Sequence[str]) -> str:
    """`stem`, or `stem_2`, …: the first that is not taken."""
    number, name = 1, stem
    while name in taken:
        number, name = number + 1, f"{stem}_{number + 1}"
    return name
