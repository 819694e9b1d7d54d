"""Converts a network's calls to items of a spec: layers, Keras operations, shared layers, tasks of outputs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nnspec.diagnostics import Reason
from nnspec.importers.keras.inline import Inlined, inline
from nnspec.importers.keras.items import Item, Maker, Read
from nnspec.importers.keras.mask_flow import MaskFlow
from nnspec.importers.keras.naming import SYMBOLS, free_name, input_axes, mend
from nnspec.importers.keras.network import MASKS, Call, Config, Constant, ImportFault, Network, Tensor, tensors_in
from nnspec.importers.keras.observed_masks import Observed
from nnspec.importers.keras.operations.operation import Operation
from nnspec.importers.keras.operations.rules import check_known, is_operation, translate_operation
from nnspec.importers.keras.operations.tables import Tables
from nnspec.importers.keras.own_blocks import OwnBlock, OwnBlocks
from nnspec.importers.keras.translate import MIXED, activation_layer, translate
from nnspec.ir import axes as ax
from nnspec.ir.axes import Symbolic
from nnspec.ir.graph import Graph, Value
from nnspec.ir.receptive_field import initial_fields
from nnspec.layers.kit.base import Fault
from nnspec.layers.registry import REGISTRY

_READ_WORDS = ("inputs", "sequence", "query", "value", "key", "initial_state", "x", "x1", "x2", "xs")


@dataclass(frozen=True, eq=False, kw_only=True)
class Draft:
    """The spec before it is folded and written.

    Attributes:
        outputs: for each, what it reads and its task.
        shared: bodies under `layers:`.
        graph: its nodes, without outputs.
        notes: what a reader of the spec should know of how it came about.
        tables: constants that stand in a file beside it, with their sizes there.
        inlined: the calls of custom classes, written as their blocks.
    """

    name: str
    inputs: Mapping[str, Value]
    items: tuple[Item, ...]
    outputs: Mapping[str, tuple[Read, str]]
    shared: Mapping[str, tuple[str, Mapping[str, Any]]]
    graph: Graph
    notes: tuple[str, ...] = ()
    tables: Mapping[str, tuple[Constant, tuple[int, ...]]] = field(default_factory=dict)
    inlined: tuple[Inlined, ...] = ()


def build_draft(
    network: Network,
    observed: Observed | None = None,
    tables: str = "tables.npz",
    blocks: OwnBlocks | None = None,
) -> Draft:
    """Items with named axes for a network.

    Args:
        tables: the name of the file for constants that are too long for a spec.
        observed: the masks of the model's own calls; without them masks flow as a spec's layers hand them on.
        blocks: what stands for classes that are none of Keras' layers.

    Raises:
        ImportFault: where a layer, an operator or an argument has no counterpart in a spec.
    """
    try:
        return _Builder(network, observed, tables, blocks, one_length=False).run()
    except ImportFault:
        if not any(None in tensor.shape for tensor in network.inputs.values()) or len(network.inputs) < 2:
            raise
        # Inputs that are joined are equally long.
        return _Builder(network, observed, tables, blocks, one_length=True).run()


def check_calls(network: Network, blocks: OwnBlocks | None = None) -> None:
    """What can be told of a network before all is known that its axes depend on.

    Raises:
        ImportFault: with all its causes.
    """
    _Builder(network, None, "", blocks, one_length=False).check_calls()


class _Builder:
    def __init__(
        self,
        network: Network,
        observed: Observed | None,
        tables: str,
        blocks: OwnBlocks | None,
        *,
        one_length: bool,
    ) -> None:
        self.network = network
        self.blocks = blocks
        self.inlined: list[Inlined] = []
        self.one_length = one_length
        counts = Counter(call.path for call in network.calls)
        taken: list[str] = []
        names: dict[tuple[str, ...], str] = {}
        for path in [path for path, count in counts.items() if count > 1]:
            names[path] = free_name(identifier(path[-1]), taken)
            taken.append(names[path])
        self.maker = Maker(mend, names)
        self.masks = MaskFlow(self.maker, observed)
        self.inputs: dict[str, Value] = {}
        self.input_names: dict[str, str] = {}
        self.made: dict[Call, list[Read]] = {}
        self.tables = Tables(tables)
        self.wanted = Counter(
            (tensor.call, tensor.index)
            for tensors in (*(call.tensors for call in network.calls), network.outputs.values())
            for tensor in tensors
        )

    def run(self) -> Draft:
        for keras_name, tensor in self.network.inputs.items():
            name = free_name(identifier(keras_name), list(self.inputs))
            self.input_names[keras_name] = name
            self.inputs[name] = self.input(name, tensor)
        self.run_calls()
        if not self.maker.items:
            raise ImportFault("the model has no layers: its outputs are its inputs")
        outputs: dict[str, tuple[Read, str]] = {}
        for name, tensor in self.network.outputs.items():
            read = self.read(tensor)
            outputs[free_name(identifier(name), [*outputs, *self.inputs])] = (read, task_of(read))
        shared = {item.shared: (item.kind, item.body) for item in self.maker.items if item.shared is not None}
        nodes = tuple(item.node for item in self.maker.items)
        constraints = tuple(dict.fromkeys(self.maker.constraints))
        batches = {self.input_names[name]: size for name, size in self.network.batches.items()}
        graph = Graph(
            name="draft", inputs=self.inputs, nodes=nodes, outputs={}, constraints=constraints, batches=batches
        )
        notes = (*self.maker.notes, *self.notes())
        items = tuple(self.maker.items)
        return Draft(
            name=identifier(self.network.name),
            inputs=self.inputs,
            items=items,
            outputs=outputs,
            shared=shared,
            graph=graph,
            notes=notes,
            tables=self.tables.arrays,
            inlined=tuple(self.inlined),
        )

    def notes(self) -> list[str]:
        mixed = [call.name for call in self.network.calls if is_mixed(call.config)]
        if not mixed:
            return []
        return [
            f"the model computes in half precision in {len(mixed)} layers; its weights are float32, and so is the spec"
        ]

    def run_calls(self) -> None:
        """Every call; the faults of all are told together. What reads something faulty has no axes to go by, and is
        looked at for what it is alone.

        Raises:
            ImportFault: with all its causes.
        """
        faults: list[ImportFault] = list(self.network.faults)
        for call in self.network.calls:
            is_ready = all(tensor.call is None or tensor.call in self.made for tensor in call.tensors)
            try:
                if not is_ready:
                    self.check_alone(call)
                    continue
                self.made[call] = self.call(call)
            except ImportFault as fault:
                faults += fault.causes
                continue
            self.masks.note(call, self.made[call])
        if faults:
            raise ImportFault(str(faults[0]), help=faults[0].help, causes=faults)

    def check_calls(self) -> None:
        """Every call for what it is alone, where axes cannot be known yet.

        Raises:
            ImportFault: with all its causes.
        """
        faults: list[ImportFault] = list(self.network.faults)
        for call in self.network.calls:
            try:
                self.check_alone(call)
            except ImportFault as fault:
                faults += fault.causes
        if faults:
            raise ImportFault(str(faults[0]), help=faults[0].help, causes=faults)

    def check_alone(self, call: Call) -> None:
        """Whether a spec has such a layer or operation at all, with these arguments.

        Raises:
            ImportFault: where it has not.
        """
        if is_operation(call):
            check_known(call)
        elif self.blocks is not None and self.blocks.find(call) is not None:
            return
        elif activation_layer(call.config) is None:
            kind, _ = translate(call)
            self.call_arguments(call, kind)

    def input(self, name: str, tensor: Tensor) -> Value:
        axes = []
        for axis, size in zip(input_axes(self.network, tensor), tensor.shape, strict=True):
            symbol = SYMBOLS.get(axis, axis.upper()[:1])
            if not self.one_length and len(self.network.inputs) > 1:
                symbol = f"{symbol}_{name}"
            axes.append(ax.fresh(axis, Symbolic.symbol(symbol) if size is None else int(size), name, origin=axis))
        dtype = tensor.dtype
        readers = {c.kind for c in self.network.calls for t in c.tensors if t.call is None and t.input == tensor.input}
        takes_ids = readers and all(kind in REGISTRY and REGISTRY[kind].reads_ids for kind in readers)
        if takes_ids and dtype.startswith("float"):
            dtype = "int32"  # ids, which Keras lets one call floats
        return Value(node=name, axes=tuple(axes), dtype=dtype, fields=initial_fields(tuple(axes)))

    def read(self, tensor: Tensor) -> Read:
        if tensor.call is None:
            return Read(None, self.inputs[self.input_names[tensor.input]])
        return self.made[tensor.call][tensor.index]

    # ------------------------------------------------------------------------------------------------ calls

    def call(self, call: Call) -> list[Read]:
        if is_operation(call):
            return translate_operation(self.operation(call))
        block = self.blocks.find(call) if self.blocks is not None else None
        if block is not None:
            return self.as_block(call, block)
        given = activation_layer(call.config)
        if given is not None:
            return self.activated(call, *given)
        kind, body = translate(call)
        if REGISTRY[kind].left_out:
            self.maker.notes.append(f"layer `{call.name}` ({kind}) is left out: {REGISTRY[kind].left_out}")
            return [self.read(call.tensors[0])]
        body = {**body, **self.call_arguments(call, kind)}
        reads = self.masks.as_in_keras(call, kind, [self.read(tensor) for tensor in call.tensors])
        reads = self.with_constants(call, reads)
        if body.get("unroll") and not isinstance(reads[0].value.axes[0].size, int):
            body.pop("unroll")
            self.maker.notes.append(
                f"layer `{call.name}` ({kind}) is not unrolled: how many steps it has is open; the values are the same"
            )
        if call.distributed:
            return self.distributed(call, kind, body, reads)
        body = _axis_by_name(kind, body, reads)
        if len(reads) > 1 and REGISTRY[kind].arity[0] == 1 and all(_same(reads[0], read) for read in reads):
            reads = reads[:1]  # attention of a value to itself
        item = self.reshape(body, reads, call) if "target_shape" in body else self.maker.add(kind, body, reads, call)
        return self.outputs(item)

    def with_constants(self, call: Call, reads: list[Read]) -> list[Read]:
        """What a layer reads, with the constants among it, each with one name for an axis where the values have it.

        Raises:
            ImportFault: for one that has a batch of its own.
        """
        leaves = list(call.operands)
        if len(leaves) == len(reads):
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
            row = Constant(leaf.value[0], leaf.dtype)
            known = ax.names(reads[0].value.axes)
            names = known if len(known) == row.rank else [f"part_{i + 1}" for i in range(row.rank)]
            body = self.tables.body(row, dict(zip(names, row.shape, strict=True)), call.name)
            result.append(self.add("weight", body, reads[:1], of=call))
        return result

    def as_block(self, call: Call, block: OwnBlock) -> list[Read]:
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

    def outputs(self, item: Item) -> list[Read]:
        return [self.maker.source(item, i) for i in range(len(item.node.outputs))]

    def activated(self, call: Call, kind: str, config: Config) -> list[Read]:
        """A layer whose activation is a layer: one after the other."""
        if REGISTRY.get(call.kind) is not None and REGISTRY[call.kind].keeps_state:
            raise ImportFault(
                f"layer `{call.name}` has the layer `{kind}` as its activation, which is not supported inside a step"
            )
        function = replace(call, path=(*call.path, "@activation"), kind=kind, config=config, module="keras.layers")
        if call.kind in REGISTRY and set(REGISTRY[call.kind].args) == {"activation"}:
            return self.call(function)
        (made,) = self.call(replace(call, config={**call.config, "activation": None}))
        _, body = translate(function)
        item = self.maker.add(kind, _axis_by_name(kind, body, [made]), [made], function)
        if item.node.weights:
            raise ImportFault(
                f"layer `{call.name}` has a `{kind}` as its activation, whose weights Keras creates only when it is "
                "run",
                help=f"put the `{kind}` after the layer in the model, and save the model again",
            )
        return self.outputs(item)

    def distributed(self, call: Call, kind: str, body: Mapping[str, Any], reads: list[Read]) -> list[Read]:
        """A layer of a model that stands inside TimeDistributed: joins go position by position as they are."""
        if len(reads) > 1:
            if not REGISTRY[kind].pairs_positions or REGISTRY[kind].arity[1] == 1:
                raise ImportFault(
                    f"layer `{call.name}` ({kind}) has several inputs inside a `TimeDistributed`, which is "
                    "not supported"
                )
            axis = body.get("axis")
            moved = {**body, "axis": axis + call.distributed} if isinstance(axis, int) and axis > 0 else body
            return self.outputs(self.maker.add(kind, moved, reads, call))
        said: Any = {kind: dict(body)} if body else kind
        for _ in range(call.distributed - 1):
            said = {"TimeDistributed": {"layer": said}}
        return self.outputs(self.maker.add("TimeDistributed", {"layer": said}, reads, call))

    def operation(self, call: Call) -> Operation:
        """The operation with the values that it reads in the place of the model's tensors."""

        def bound(value: Any) -> Any:
            if isinstance(value, Tensor):
                return self.as_operand(self.read(value), call)
            if isinstance(value, Mapping):
                return {key: bound(inner) for key, inner in value.items()}
            return [bound(inner) for inner in value] if isinstance(value, list | tuple) else value

        return Operation(
            call=call,
            arguments=bound(call.arguments),
            keywords=bound(call.keywords),
            tables=self.tables,
            wanted=frozenset(index for reader, index in self.wanted if reader is call),
            add=partial(self.add, of=call),
            add_reshape=self.add_reshape,
        )

    def as_operand(self, read: Read, call: Call) -> Read:
        """What an operator reads: Keras' operators see no mask."""
        if self.masks.observed is not None:
            return self.masks.unmasked(read, call)
        return Read(read.item, replace(read.value, mask=None))

    def add(self, kind: str, body: Mapping[str, Any], reads: Sequence[Read], *, of: Call) -> Read:
        return self.maker.source(self.maker.add(kind, body, reads, of=of))

    def add_reshape(self, call: Call, read: Read, sizes: Sequence[int]) -> Read:
        return self.maker.source(self.reshape({"target_shape": list(sizes)}, [read], call))

    def call_arguments(self, call: Call, kind: str) -> dict[str, Any]:
        """What a layer is called with besides values: those that a spec can say, as arguments."""
        said: dict[str, Any] = {}
        for key, value in call.keywords.items():
            is_tensor = any(True for _ in tensors_in(value))
            if key in _READ_WORDS and is_tensor:
                continue
            if key in MASKS:
                continue  # as they were seen in the model
            if key == "training":
                if value and not REGISTRY[kind].is_recorded_in_training:
                    raise ImportFault(
                        f"layer `{call.name}` is called with `training=True`: it would behave as in "
                        "training after export",
                        help="build the model without it",
                    )
                continue
            if key in REGISTRY[kind].args and not is_tensor:
                if value != REGISTRY[kind].args[key].default:
                    said[key] = value
                continue
            if value in (None, False) and not is_tensor:
                continue
            raise ImportFault(f"layer `{call.name}` ({kind}) is called with `{key}`, which a spec cannot express")
        return said

    def reshape(self, body: Mapping[str, Any], reads: list[Read], call: Call) -> Item:
        """A reshape that mixes axes is meant, since the model does it; then it is a merge of all and a split."""
        try:
            self.maker.infer("Reshape", body, reads)
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


def _axis_by_name(kind: str, body: dict[str, Any], reads: Sequence[Read]) -> dict[str, Any]:
    """Keras' index of an axis as the axis' name; nothing where it is the last one, which layers take by default."""
    axes, index = reads[0].value.axes, body.get("axis")
    if isinstance(index, list) and len(index) == 1:
        index = index[0]
    if not isinstance(index, int) or index == 0 or not -len(axes) <= index <= len(axes):
        return body
    place = index - 1 if index > 0 else len(axes) + index
    default = REGISTRY[kind].args["axis"].default
    if default == -1 and place == len(axes) - 1:
        return {key: value for key, value in body.items() if key != "axis"}
    return {**body, "axis": axes[place].name}


def is_mixed(config: Config) -> bool:
    """Whether a layer computes in half precision with weights in float32."""
    policy = config.get("dtype")
    said = policy.get("config", {}).get("name") if isinstance(policy, Mapping) else policy
    return said in MIXED


def _same(left: Read, right: Read) -> bool:
    return left.item is right.item and left.value is right.value


def identifier(name: str) -> str:
    """A Keras name as a spec's name."""
    text = re.sub(r"[^A-Za-z0-9_\-]+", "_", name).strip("_-") or "value"
    return text if re.match(r"[A-Za-z_]", text) else f"_{text}"


def task_of(read: Read) -> str:
    """What an output means, by the function that makes it."""
    item = read.item
    while item is not None and item.node.layer.moves_values:
        item = item.reads[0].item
    if item is None:
        return "regression"
    function = item.node.layer.own_activation or str(item.body.get("activation"))
    if function == "softmax":
        return "classification"
    if function == "sigmoid":
        sizes = ax.sizes(read.value.axes)
        known = [size for size in sizes if isinstance(size, int)]
        return "binary" if len(known) == len(sizes) and math.prod(known) == 1 else "multilabel"
    return "regression"
