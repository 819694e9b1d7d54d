"""Converts one call of a Keras layer or operation to items of a spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from nnspec.diagnostics import Reason
from nnspec.importers.keras.flags import as_ids, is_masked_softmax, masked_softmax, take_attention_mask
from nnspec.importers.keras.inline import Inlined, inline
from nnspec.importers.keras.items import Item, Maker, Read
from nnspec.importers.keras.mask_flow import MASKS_OF_READS, GivenMask, MaskFlow
from nnspec.importers.keras.network import (
    GIVEN,
    MASKS,
    Argument,
    Call,
    Config,
    Constant,
    ImportFault,
    Tensor,
    leaves_in,
    tensors_in,
)
from nnspec.importers.keras.operations.operation import Operand, Operation
from nnspec.importers.keras.operations.rules import check_known, translate_operation
from nnspec.importers.keras.operations.tables import Tables
from nnspec.importers.keras.own_blocks import OwnBlock, OwnBlocks
from nnspec.importers.keras.translate import activation_layer, translate, without_arrays
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args
from nnspec.layers.kit.base import Fault
from nnspec.layers.registry import REGISTRY

_READ_WORDS = ("inputs", "sequence", "query", "value", "key", "initial_state", "x", "x1", "x2", "xs")


@dataclass(frozen=True, eq=False, kw_only=True)
class CallConverter:
    """Converts calls, each after those that it reads.

    Attributes:
        read: what was made of a tensor of the model.
        wanted: how often each output of a call is read.
        inlined: the calls of custom classes so far, written as their blocks.
    """

    maker: Maker
    masks: MaskFlow
    tables: Tables
    blocks: OwnBlocks | None
    read: Callable[[Tensor], Read]
    wanted: Counter[tuple[Call | None, int]]
    inlined: list[Inlined] = field(default_factory=list)

    def check_alone(self, call: Call) -> None:
        """Whether a spec has such a layer or operation at all, with these arguments.

        Raises:
            ImportFault: where it has not.
        """
        if call.kind == GIVEN:
            return
        if call.is_operation:
            check_known(call)
        elif self.blocks is not None and self.blocks.find(call) is not None:
            return
        elif activation_layer(call.config) is None:
            kind, _ = translate(call)
            self.call_arguments(call, kind)

    def convert(self, call: Call) -> list[Read]:
        if call.kind == GIVEN:
            return [self.masks.attach_given(call, self.read(call.tensors[0]), self.given_masks(call)[0])]
        if call.is_operation:
            return translate_operation(self.bind_operation(call))
        block = self.blocks.find(call) if self.blocks is not None else None
        if block is not None:
            return self.convert_block(call, block)
        given = activation_layer(call.config)
        if given is not None:
            return self.convert_activated(call, *given)
        kind, said = translate(call)
        for key in without_arrays(call.config)[1]:
            self.maker.notes.append(
                f"layer `{call.name}` ({kind}) has no `{key}`: the model's is an array; the weights are those of the "
                "model, but training from scratch starts from others"
            )
        if REGISTRY[kind].left_out:
            self.maker.notes.append(f"layer `{call.name}` ({kind}) is left out: {REGISTRY[kind].left_out}")
            return [self.read(call.tensors[0])]
        body: dict[str, object] = {**said, **self.call_arguments(call, kind)}
        if is_masked_softmax(call, kind):
            return [masked_softmax(self.bind_operation(call), partial(self.scores, call, kind, body))]
        reads = [self.read(tensor) for tensor in call.tensors]
        reads = self.masks.as_in_keras(call, kind, reads, self.given_masks(call))
        reads = self.add_constants(call, reads)
        reads, flags = take_attention_mask(call, kind, reads, partial(self.add, of=call))
        reads = as_ids(kind, reads, partial(self.add, of=call))
        if body.get("unroll") and not isinstance(reads[0].value.axes[0].size, int):
            body.pop("unroll")
            self.maker.notes.append(
                f"layer `{call.name}` ({kind}) is not unrolled: how many steps it has is open; the values are the same"
            )
        if call.distributed:
            return self.convert_distributed(call, kind, body, reads)
        body = _axis_by_name(kind, body, reads)
        if len(reads) > 1 and REGISTRY[kind].arity[0] == 1 and all(_same(reads[0], read) for read in reads):
            reads = reads[:1]  # attention of a value to itself
        if flags is not None:
            body, reads = {**body, "attention_mask": "flags"}, [*reads, flags]
        item = self.reshape(body, reads, call) if "target_shape" in body else self.maker.add(kind, body, reads, call)
        return self.outputs_of(item)

    def scores(self, call: Call, kind: str, body: Args, read: Read) -> Read:
        """A softmax over what another layer than the model's reads."""
        return self.maker.source(self.maker.add(kind, _axis_by_name(kind, body, [read]), [read], call))

    def call_arguments(self, call: Call, kind: str) -> dict[str, object]:
        """What a layer is called with besides values: those that a spec can say, as arguments."""
        said: dict[str, object] = {}
        for key, value in call.keywords.items():
            is_tensor = any(True for _ in tensors_in(value))
            if key in _READ_WORDS and is_tensor:
                continue
            if key in MASKS or (key in REGISTRY[kind].references and isinstance(value, Tensor | Constant)):
                continue  # as they were seen in the model, or among what it reads
            if key == "training":
                if value and not REGISTRY[kind].is_recorded_in_training:
                    raise ImportFault(
                        f"layer `{call.name}` is called with `training=True`: it would behave as in "
                        "training after export",
                        help="build the model without it",
                    )
                continue
            is_tensor |= any(isinstance(leaf, Constant) for leaf in leaves_in(value))
            if key in REGISTRY[kind].args and not is_tensor:
                if value != REGISTRY[kind].args[key].default:
                    said[key] = value
                continue
            if value in (None, False) and not is_tensor:
                continue
            raise ImportFault(
                f"layer `{call.name}` ({kind}) is called with `{key}`, which a spec cannot express",
            )
        return said

    def given_masks(self, call: Call) -> dict[int, GivenMask]:
        """The flags that a layer is called with as masks of what it reads, by its place.

        They are converted where they are asked for.
        """
        mask = call.keywords.get("mask")
        given: list[Argument] = list(mask) if isinstance(mask, list | tuple) else [mask]
        for place, name in enumerate(MASKS_OF_READS):
            own = call.keywords.get(name)
            if own is not None:
                given += [None] * (place + 1 - len(given))
                given[place] = own
        return {
            place: GivenMask(read=partial(self.read, flags), is_of_inputs=_is_of_inputs(flags))
            for place, flags in enumerate(given)
            if isinstance(flags, Tensor)
        }

    def add_constants(self, call: Call, reads: list[Read]) -> list[Read]:
        """What a layer reads, with the constants among it, each with one name for an axis where the values have it.

        Raises:
            ImportFault: for one that has a batch of its own.
        """
        leaves = list(call.operands)
        if not any(isinstance(leaf, Constant) for leaf in leaves):
            return reads
        values = iter(reads)
        result: list[Read] = []
        for leaf in leaves:
            if not isinstance(leaf, Constant):
                result.append(next(values))
                continue
            if leaf.shape[:1] != (1,):
                raise ImportFault(
                    f"layer `{call.name}` reads a constant of the shape {leaf.shape}, whose first axis "
                    "is a separate batch",
                    help="give it a first axis of size 1, so that every sample meets the same numbers",
                )
            assert isinstance(leaf.value, list | tuple), "it has an axis"
            row = Constant(leaf.value[0], leaf.dtype)
            known = ax.names(reads[0].value.axes)
            names = known if len(known) == row.rank else [f"part_{i + 1}" for i in range(row.rank)]
            body = self.tables.body(row, dict(zip(names, row.shape, strict=True)), call.name)
            result.append(self.add("weight", body, reads[:1], of=call))
        return result

    def convert_block(self, call: Call, block: OwnBlock) -> list[Read]:
        """The layers that stand for a custom class."""
        if call.distributed:
            raise ImportFault(
                f"layer `{call.name}` ({call.kind}) is inside a `TimeDistributed`, where a block is not supported"
            )
        if call.keywords.get("training"):
            raise ImportFault(f"layer `{call.name}` is called with `training=True`, which does not apply after export")
        reads = self.masks.where_keras_has_them(call, [self.read(tensor) for tensor in call.tensors])
        start = len(self.maker.items)
        outputs = inline(self.maker, call, block, reads)
        items = tuple(self.maker.items[start:])
        self.inlined.append(Inlined(call=call, block=block, items=items, reads=tuple(reads), outputs=tuple(outputs)))
        return outputs

    def convert_activated(self, call: Call, kind: str, config: Config) -> list[Read]:
        """A layer whose activation is a layer: one after the other."""
        if REGISTRY.get(call.kind) is not None and REGISTRY[call.kind].keeps_state:
            raise ImportFault(
                f"layer `{call.name}` has the layer `{kind}` as its activation, which is not supported inside a step"
            )
        function = replace(call, path=(*call.path, "@activation"), kind=kind, config=config, module="keras.layers")
        if call.kind in REGISTRY and set(REGISTRY[call.kind].args) == {"activation"}:
            return self.convert(function)
        (made,) = self.convert(replace(call, config={**call.config, "activation": None}))
        item = self.maker.add(kind, _axis_by_name(kind, translate(function)[1], [made]), [made], function)
        if item.node.weights:
            raise ImportFault(
                f"layer `{call.name}` has a `{kind}` as its activation, whose weights Keras creates only when it is "
                "run",
                help=f"put the `{kind}` after the layer in the model, and save the model again",
            )
        return self.outputs_of(item)

    def convert_distributed(self, call: Call, kind: str, body: Args, reads: list[Read]) -> list[Read]:
        """A layer of a model that stands inside TimeDistributed: joins go position by position as they are."""
        if len(reads) > 1:
            if not REGISTRY[kind].pairs_positions or REGISTRY[kind].arity[1] == 1:
                raise ImportFault(
                    f"layer `{call.name}` ({kind}) has several inputs inside a `TimeDistributed`, which is "
                    "not supported"
                )
            axis = body.get("axis")
            moved = {**body, "axis": axis + call.distributed} if isinstance(axis, int) and axis > 0 else body
            return self.outputs_of(self.maker.add(kind, moved, reads, call))
        said: object = {kind: dict(body)} if body else kind
        for _ in range(call.distributed - 1):
            said = {"TimeDistributed": {"layer": said}}
        return self.outputs_of(self.maker.add("TimeDistributed", {"layer": said}, reads, call))

    def bind_operation(self, call: Call) -> Operation:
        """The operation with the values that it reads in the place of the model's tensors."""

        def bound(value: Argument) -> Operand:
            if isinstance(value, Tensor):
                return self.as_operand(self.read(value), call)
            if isinstance(value, Mapping):
                return {key: bound(inner) for key, inner in value.items()}
            return [bound(inner) for inner in value] if isinstance(value, list | tuple) else value

        return Operation(
            call=call,
            arguments=[bound(value) for value in call.arguments],
            keywords={key: bound(value) for key, value in call.keywords.items()},
            tables=self.tables,
            wanted=frozenset(index for reader, index in self.wanted if reader is call),
            add=partial(self.add, of=call),
            note=self.maker.notes.append,
            add_reshape=self.add_reshape,
        )

    def as_operand(self, read: Read, call: Call) -> Read:
        """What an operator reads: Keras' operators see no mask."""
        if self.masks.observed is not None:
            return self.masks.unmasked(read, call)
        return Read(read.item, replace(read.value, mask=None))

    def reshape(self, body: Args, reads: list[Read], call: Call) -> Item:
        """A reshape that mixes axes is meant, since the model does it; then it is a merge of all and a split."""
        try:
            self.maker.infer("Reshape", body, reads, call)
        except Fault as fault:
            axes = reads[0].value.axes
            sizes = body["target_shape"]
            if fault.diagnostic.reason is not Reason.VALUES_MIX or not isinstance(sizes, list):
                return self.maker.add("Reshape", body, reads, call)
            self.maker.notes.append(
                f"layer `{call.name}` ({call.kind}) mixes axes, as in the model ({fault.diagnostic.code}): "
                f"{fault.diagnostic.message}"
            )
            mixed = self.maker.add("merge", {"mixed": list(ax.names(axes))}, reads) if len(axes) > 1 else None
            source = reads[0] if mixed is None else self.maker.source(mixed)
            whole = source.value.axes[0].name
            parts = {f"part_{i + 1}": (None if size in (-1, None) else size) for i, size in enumerate(sizes)}
            return self.maker.add("split", {whole: parts}, [source])
        return self.maker.add("Reshape", body, reads, call)

    def outputs_of(self, item: Item) -> list[Read]:
        return [self.maker.source(item, i) for i in range(len(item.node.outputs))]

    def add(self, kind: str, body: Args, reads: Sequence[Read], *, of: Call) -> Read:
        return self.maker.source(self.maker.add(kind, body, reads, of=of))

    def add_reshape(self, call: Call, read: Read, sizes: Sequence[int]) -> Read:
        return self.maker.source(self.reshape({"target_shape": list(sizes)}, [read], call))


def _is_of_inputs(mask: Tensor) -> bool:
    """Whether operations compute it from the model's inputs alone, so that it is no mask of a layer."""
    pending = [mask]
    while pending:
        tensor = pending.pop()
        if tensor.call is not None:
            if not tensor.call.is_operation:
                return False
            pending += tensor.call.tensors
    return True


def _axis_by_name(kind: str, body: Mapping[str, object], reads: Sequence[Read]) -> dict[str, object]:
    """Keras' index of an axis as the axis' name; nothing where it is the last one, which layers take by default."""
    axes, index = reads[0].value.axes, body.get("axis")
    if isinstance(index, list) and len(index) == 1:
        index = index[0]
    if not isinstance(index, int) or index == 0 or not -len(axes) <= index <= len(axes):
        return dict(body)
    place = index - 1 if index > 0 else len(axes) + index
    default = REGISTRY[kind].args["axis"].default
    if default == -1 and place == len(axes) - 1:
        return {key: value for key, value in body.items() if key != "axis"}
    return {**body, "axis": axes[place].name}


def _same(left: Read, right: Read) -> bool:
    return left.item is right.item and left.value is right.value
