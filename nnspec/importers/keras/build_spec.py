"""Converts a network's calls to items of a spec: layers, Keras operations, shared layers, tasks of outputs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nnspec.importers.keras.calls import CallConverter
from nnspec.importers.keras.inline import Inlined
from nnspec.importers.keras.items import Item, Maker, Read
from nnspec.importers.keras.mask_flow import MaskFlow, MaskToCome
from nnspec.importers.keras.naming import SYMBOLS, free_name, input_axes, mend
from nnspec.importers.keras.network import Call, Config, Constant, ImportFault, Network, Tensor
from nnspec.importers.keras.observed_masks import Observed
from nnspec.importers.keras.operations.tables import Tables
from nnspec.importers.keras.own_blocks import OwnBlocks
from nnspec.importers.keras.translate import MIXED
from nnspec.inference.heads import head_of
from nnspec.ir import axes as ax
from nnspec.ir.axes import Symbolic
from nnspec.ir.graph import Args, Graph, Node, Value
from nnspec.ir.receptive_field import initial_fields
from nnspec.ir.symbols import without_implied
from nnspec.layers.registry import REGISTRY


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
        doubts: what is at fault where the spec turns out to give other outputs than the model.
    """

    name: str
    inputs: Mapping[str, Value]
    items: tuple[Item, ...]
    outputs: Mapping[str, tuple[Read, str]]
    shared: Mapping[str, tuple[str, Args]]
    graph: Graph
    notes: tuple[str, ...] = ()
    tables: Mapping[str, tuple[Constant, tuple[int, ...]]] = field(default_factory=dict)
    inlined: tuple[Inlined, ...] = ()
    doubts: tuple[ImportFault, ...] = ()


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
    _Builder(network, None, "", blocks, one_length=False).check_calls(network.calls, network.faults)


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
        self.calls = CallConverter(
            maker=self.maker,
            masks=self.masks,
            tables=self.tables,
            blocks=blocks,
            read=self.read,
            wanted=Counter(
                (tensor.call, tensor.index)
                for tensors in (*(call.tensors for call in network.calls), network.outputs.values())
                for tensor in tensors
            ),
        )

    def run(self) -> Draft:
        for keras_name, tensor in self.network.inputs.items():
            name = free_name(identifier(keras_name), list(self.inputs))
            self.input_names[keras_name] = name
            self.inputs[name] = self.input(name, tensor)
            self.maker.names.add(name)
        self.run_calls()
        if not self.maker.items:
            raise ImportFault("the model has no layers: its outputs are its inputs")
        outputs: dict[str, tuple[Read, str]] = {}
        nodes = tuple(item.node for item in self.maker.items)
        for name, tensor in self.network.outputs.items():
            read = self.read(tensor)
            outputs[free_name(identifier(name), [*outputs, *self.inputs])] = (read, task_of(nodes, read.value))
        shared = {item.shared: (item.kind, item.held) for item in self.maker.items if item.shared is not None}
        constraints = without_implied(self.maker.constraints)
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
            inlined=tuple(self.calls.inlined),
            doubts=tuple(self.masks.doubts),
        )

    def notes(self) -> list[str]:
        mixed = [call.name for call in self.network.calls if is_mixed(call.config)]
        if not mixed:
            return list(self.network.notes)
        return [
            *self.network.notes,
            f"the model computes in half precision in {len(mixed)} layers; its weights are float32, and so is the spec",
        ]

    def run_calls(self) -> None:
        """Every call; the faults of all are told together. What reads something faulty has no axes to go by, and is
        looked at for what it is alone.

        Raises:
            ImportFault: with all its causes.
        """
        faults: list[ImportFault] = list(self.network.faults)
        rest = list(self.network.calls)
        while True:
            waiting = self.run_ready(rest, faults)
            if len(waiting) == len(rest) and not self.masks.may_wait:
                break
            self.masks.may_wait = len(waiting) < len(rest)
            rest = waiting
        self.check_calls(rest, faults)

    def run_ready(self, calls: Sequence[Call], faults: list[ImportFault]) -> list[Call]:
        """Converts the calls whose values and masks are there; gives those that wait for others."""
        waiting = []
        for call in calls:
            if not all(tensor.call is None or tensor.call in self.made for tensor in call.tensors):
                waiting.append(call)
                continue
            try:
                self.made[call] = self.calls.convert(call)
            except MaskToCome:
                waiting.append(call)
                continue
            except ImportFault as fault:
                faults += [cause.at(call) for cause in fault.causes]
                continue
            self.masks.note(call, self.made[call])
        return waiting

    def check_calls(self, calls: Sequence[Call], faults: Sequence[ImportFault]) -> None:
        """Calls for what each is alone, where their axes are not known.

        Args:
            faults: what is known already.

        Raises:
            ImportFault: with all its causes.
        """
        faults = list(faults)
        for call in calls:
            try:
                self.calls.check_alone(call)
            except ImportFault as fault:
                faults += [cause.at(call) for cause in fault.causes]
        if faults:
            raise ImportFault.of(faults)

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
        if tensor.call not in self.made and tensor.call in self.network.mask_calls:
            self.made[tensor.call] = self.calls.convert(tensor.call)
        return self.made[tensor.call][tensor.index]


def is_mixed(config: Config) -> bool:
    """Whether a layer computes in half precision with weights in float32."""
    policy = config.get("dtype")
    said = policy.get("config", {}).get("name") if isinstance(policy, Mapping) else policy
    return said in MIXED


def identifier(name: str) -> str:
    """A Keras name as a spec's name."""
    text = re.sub(r"[^A-Za-z0-9_\-]+", "_", name).strip("_-") or "value"
    return text if re.match(r"[A-Za-z_]", text) else f"_{text}"


def task_of(nodes: Sequence[Node], value: Value) -> str:
    """What an output means, by the function that makes it, as the checks of a spec find it."""
    function, _ = head_of(nodes, value)
    if function == "softmax":
        return "classification"
    if function == "sigmoid":
        sizes = ax.sizes(value.axes)
        known = [size for size in sizes if isinstance(size, int)]
        return "binary" if len(known) == len(sizes) and math.prod(known) == 1 else "multilabel"
    return "regression"
