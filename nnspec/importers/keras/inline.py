"""A call of a class of one's own as the layers of its block, written where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nnspec.diagnostics import Diagnostic, Report, Severity, SpecError, did_you_mean
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node, Scalar, to_plain
from nnspec.document.types import Plain
from nnspec.expansion.expand import expand
from nnspec.expansion.items import Expanded
from nnspec.expansion.items import Item as Written
from nnspec.expansion.naming import Reference
from nnspec.importers.keras.items import NOWHERE, Item, Maker, Origin, Read, to_node
from nnspec.importers.keras.network import Call, ImportFault
from nnspec.importers.keras.own_blocks import OwnBlock
from nnspec.ir import axes as ax
from nnspec.layers.registry import REGISTRY
from nnspec.validation.validate import validate_document, validate_expanded


@dataclass(frozen=True, eq=False, kw_only=True)
class Inlined:
    """A call of a class of one's own, and the items that were written for it.

    Attributes:
        reads: what the call reads, in order.
        outputs: what it gives.
    """

    call: Call
    block: OwnBlock
    items: Sequence[Item]
    reads: Sequence[Read]
    outputs: Sequence[Read]


_OWN_KEYS = ("name", "from", "when")


def inline(maker: Maker, call: Call, block: OwnBlock, reads: Sequence[Read]) -> list[Read]:
    """What the block's layers make of what the call reads.

    Raises:
        ImportFault: where a layer cannot take what it is given.
        SpecError: where the block itself is at fault, at its place in its file.
    """
    names = block.inputs or (["x"] if len(reads) == 1 else [f"x{i}" for i in range(1, len(reads) + 1)])
    if len(names) != len(reads):
        message = f"`{call.name}` reads {len(reads)} values, but the block of `{block.class_name}` names {len(names)}"
        raise SpecError.single("NN380", message, block.span)
    expanded = _expand_block(call, block, dict(zip(names, reads, strict=True)))
    made: dict[str, list[Read]] = {name: [read] for name, read in zip(names, reads, strict=True)}
    for written in expanded.items:
        made[written.name] = _add_layers(
            maker, call, block, written, [_source(made, read, written) for read in written.reads]
        )
    if not block.outputs:
        last = expanded.final
        assert last is not None
        return made[last.key]
    return [_output(made, expanded, block, place) for place in block.outputs]


def _output(made: Mapping[str, list[Read]], expanded: Expanded, block: OwnBlock, place: Scalar) -> Read:
    key = expanded.known.get(str(place.value))
    if key is None:
        message = f"the block of `{block.class_name}` has no item `{place.value}`"
        raise SpecError.single("NN380", message + did_you_mean(str(place.value), expanded.known), place.span)
    return made[key][0]


def _expand_block(call: Call, block: OwnBlock, reads: Mapping[str, Read]) -> Expanded:
    """The block's items, variables replaced by what the class' configuration says."""
    first = next(iter(reads.values())).value
    names = list(ax.names(first.axes))
    known: dict[str, Plain] = {"axes": names, "sizes": [ax.size_to_json(axis.size) for axis in first.axes]}
    if names:
        known |= {"first": names[0], "last": names[-1]}
    variables = {**known, **block.variables(call.config)}
    inputs = {
        name: {"axes": {axis.name: ax.size_to_json(axis.size) for axis in read.value.axes}}
        for name, read in reads.items()
    }
    parts: dict[str, Node] = {
        "nnspec": to_node(1),
        "vars": to_node(variables),
        "inputs": to_node(inputs),
        "model": block.body.entries["model"],
        "outputs": to_node({"made": {"task": "regression"}}),
    }
    parts |= {key: block.body.entries[key] for key in ("layers", "blocks") if key in block.body.entries}
    root = MappingNode(parts, {key: Scalar(key, block.span) for key in parts}, block.span, 1)
    report = Report()
    validate_document(root, report)
    _raise(report, call, block)
    expanded = expand(root, report)
    _raise(report, call, block)
    validate_expanded(root, expanded, report)
    _raise(report, call, block)
    return expanded


def _raise(report: Report, call: Call, block: OwnBlock) -> None:
    """Ends with what is at fault in the block's file; inputs and variables are nobody's text."""
    note = f"in the block of `{block.class_name}`, for the layer `{call.name}`"
    found = [
        replace(d, notes=(*d.notes, note), span=block.span if d.span == NOWHERE else d.span)
        for d in report.items
        if d.severity is Severity.ERROR
    ]
    if found:
        raise SpecError(found)


def _source(made: Mapping[str, list[Read]], reference: Reference | None, written: Written) -> Read:
    assert reference is not None, "the expansion has reported it"
    ports = made[reference.key]
    if reference.port is None:
        return ports[0]
    found = next((read for read in ports if read.value.port == reference.port), None)
    if found is None:
        raise SpecError([Diagnostic("NN401", f"`{reference.key}` has no output `{reference.port}`", reference.span)])
    return found


def _add_layers(maker: Maker, call: Call, block: OwnBlock, written: Written, reads: Sequence[Read]) -> list[Read]:
    origin = Origin(call=call, block=block, name=written.shared or written.name)
    try:
        item = maker.add(written.kind, _body(written), reads, origin=origin, is_shared=written.shared is not None)
    except ImportFault as fault:
        place = f"{written.span.source.name}:{written.span.line}"
        message = f"the block of `{block.class_name}` does not fit layer `{call.name}`: {fault} ({place})"
        raise ImportFault(message, help=fault.help) from None
    return [maker.source(item, i) for i in range(len(item.node.outputs))]


def _body(written: Written) -> dict[str, Plain]:
    """The arguments, without what an item says of its place."""
    plain = to_plain(written.body) if written.body is not None else {}
    layer = REGISTRY[written.kind]
    if list(plain) == [""]:
        return {str(layer.short or layer.main_argument): plain[""]}
    return {key: value for key, value in plain.items() if key not in _OWN_KEYS}
