"""Converts calls to items with named axes: infers each layer, and renames axes whose names clash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from nnspec.diagnostics import Diagnostic, Report, Source, Span
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document import Scalar
from nnspec.document import Sequence as SequenceNode
from nnspec.document.types import Plain
from nnspec.importers.keras.network import Call, ImportFault
from nnspec.inference.node import make_call, make_node
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node, Value
from nnspec.layers.kit.base import Fault
from nnspec.layers.registry import REGISTRY

if TYPE_CHECKING:
    from nnspec.importers.keras.own_blocks import OwnBlock

NOWHERE = Span(Source("model", ""))


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Item:
    """A layer of the spec to be.

    Attributes:
        body: its arguments; `from` and `name` are not among them.
        reads: what it reads: an item and which of its outputs, or an input by name.
        node: what it makes, with named axes.
        call: the Keras layer that its weights come from.
        shared: the name under `layers:`, where several items share its weights.
        origin: the block that it belongs to, where it is part of what stands for a custom class.
    """

    kind: str
    body: Args
    reads: tuple[Read, ...]
    node: Node
    call: Call | None = None
    shared: str | None = None
    origin: Origin | None = None

    @property
    def held(self) -> Args:
        """The arguments that a shared layer has at all its uses; others are said at each."""
        return {key: value for key, value in self.body.items() if key not in REGISTRY[self.kind].call_arguments}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Origin:
    """The call that a block stands for, and what the item is called in the block."""

    call: Call
    block: OwnBlock
    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Read:
    """Where a value comes from."""

    item: Item | None
    value: Value

    @property
    def is_input(self) -> bool:
        return self.item is None


def to_node(value: Plain) -> SourceNode:
    """A plain value as a document node that stands nowhere."""
    if isinstance(value, Mapping):
        entries = {str(key): to_node(inner) for key, inner in value.items()}
        return MappingNode(entries, {key: Scalar(key, NOWHERE) for key in entries}, NOWHERE, 1 + len(entries))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return SequenceNode(tuple(to_node(inner) for inner in value), NOWHERE, 1 + len(value))
    return Scalar(value, NOWHERE)


# (maker, kind, body, reads, what is wrong) -> body and reads that may do, or None.
Mended = tuple[dict[str, object], list[Read]]
Mend = Callable[["Maker", str, Args, Sequence[Read], Diagnostic], Mended | None]


@dataclass
class Maker:
    """Makes items one after the other.

    Attributes:
        mend: gives axes other names where a layer refuses those that it reads.
        shared: the Keras layers that are called more than once, by their path, and what they are called in the spec.
        names: those of the inputs and of every item's node.
        notes: what was written into the spec so that its checks pass, and what they had objected.
    """

    mend: Mend
    shared: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    _: KW_ONLY
    items: list[Item] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        kind: str,
        body: Args,
        reads: Sequence[Read],
        call: Call | None = None,
        *,
        of: Call | None = None,
        origin: Origin | None = None,
        is_shared: bool = False,
    ) -> Item:
        """The item of a layer, with names given to axes where the layer's own would not do.

        Args:
            call: the Keras layer that it is.
            of: the operation that it is a part of, where it is no layer in Keras; both for what is told.
            origin: the block that it belongs to.
            is_shared: whether other items of the block share its weights.

        Raises:
            ImportFault: where the checker cannot accept it under any name.
        """
        given, sources = dict(body), list(reads)
        tried: list[str] = []
        for _ in range(6):
            try:
                node = self.infer(kind, given, sources, call or of)
            except Fault as fault:
                tried.append(fault.diagnostic.message)
                mended = self.mend(self, kind, given, sources, fault.diagnostic)
                if mended is None:
                    raise _refusal(kind, call or of, fault.diagnostic) from None
                self.note(kind, call or of, given, mended[0], fault.diagnostic)
                given, sources = mended
                continue
            shared = self.shared.get(call.path) if call is not None else None
            if origin is not None and node.weights and (is_shared or origin.call.path in self.shared):
                shared = re.sub(r"[^A-Za-z0-9_\-]+", "_", "_".join((*origin.call.path, origin.name)))
            read = tuple(sources)
            self.names.add(node.name)
            item = Item(kind=kind, body=given, reads=read, node=node, call=call, shared=shared, origin=origin)
            self.items.append(item)
            return item
        known = call or of
        named = f"layer `{known.name}` ({kind})" if known is not None else f"`{kind}`"
        raise ImportFault(f"no axis names fit {named}: {tried[-1]}")

    def note(
        self,
        kind: str,
        call: Call | None,
        before: Args,
        after: Args,
        objection: Diagnostic,
    ) -> None:
        """Remembers a doubt of the checks that the model's own doing overrules."""
        said = ", ".join(f"`{key}: {value}`" for key, value in after.items() if key not in before) or "`rename`"
        layer = f"layer `{call.name}` ({kind})" if call is not None else f"`{kind}`"
        self.notes.append(f"{layer} has {said}, as in the model ({objection.code}): {objection.message}")

    def infer(self, kind: str, body: Args, sources: Sequence[Read], call: Call | None = None) -> Node:
        """The item's node, called as the model's layer where it is one's, so that what is told of it speaks of that."""
        layer = REGISTRY[kind]
        mapping = to_node(body)
        assert isinstance(mapping, MappingNode)
        said = call.name if call is not None else sources[0].value.node if layer.is_axis_operation else kind
        stem = re.sub(r"[^A-Za-z0-9_\-]+", "_", said)
        name = next(name for i in count(1) if (name := stem if i == 1 else f"{stem}_{i}") not in self.names)
        inputs = tuple(source.value for source in sources)
        report = Report()
        made = make_call(layer, name, NOWHERE, NOWHERE, mapping, inputs, report, ("model",), self.constraints)
        return make_node(layer, name, made, layer.infer(made), NOWHERE, ("model",))

    def source(self, item: Item, port: int = 0) -> Read:
        return Read(item, item.node.outputs[port])


def _refusal(kind: str, call: Call | None, diagnostic: Diagnostic) -> ImportFault:
    name = call.name if call is not None else kind
    return ImportFault(
        f"layer `{name}` ({kind}) does not pass the checks of specs ({diagnostic.code}): {diagnostic.message}",
        help="change this in the model, and save it again; or write the spec by hand, and use the model's weights: "
        "`nnspec export SPEC.yaml --weights MODEL.keras`",
    )


def axis_names(sources: Sequence[Read]) -> Iterator[str]:
    for source in sources:
        yield from ax.names(source.value.axes)
