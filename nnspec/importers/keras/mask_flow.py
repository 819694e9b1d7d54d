"""Adds `unmask` and `mask_like` where the model's masks end or are restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

from nnspec.checks.steps.reversed_steps import turned_masks
from nnspec.importers.keras.items import Item, Maker, Read
from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import GIVEN, Call, ImportFault
from nnspec.importers.keras.observed_masks import Fingerprint, Observed, Seen
from nnspec.ir.axes import names
from nnspec.ir.graph import Graph
from nnspec.layers.registry import REGISTRY

MASKS_OF_READS = ("query_mask", "value_mask", "key_mask")  # by the place of what they hide, of an attention
_Key = tuple[int, str]  # of a value: its item and port


class MaskToCome(Exception):
    """A call uses a mask that only a value has that is converted later."""


@dataclass(frozen=True)
class GivenMask:
    """Flags that the model calls a layer with as its `mask`.

    Attributes:
        is_of_inputs: whether operations compute them from the model's inputs alone.
    """

    read: Callable[[], Read]
    is_of_inputs: bool


@dataclass(frozen=True)
class Join:
    """How a mask comes of others: the layer that joins them, and what it reads with which masks."""

    item: Item
    reads: Sequence[Read]
    masks: Sequence[Fingerprint | None]
    call: Call


@dataclass
class MaskFlow:
    """Puts `unmask` where Keras has lost a mask, and `mask_like` where a layer uses one that the spec has lost.

    Attributes:
        observed: what Keras has at each call; None before the model was run.
        doubts: what is at fault where the spec gives other outputs than the model: values with another mask, perhaps.
        may_wait: whether a call whose mask no value has so far waits for the others.
    """

    maker: Maker
    observed: Observed | None
    _: KW_ONLY
    may_wait: bool = True
    doubts: list[ImportFault] = field(default_factory=list)
    known: dict[_Key, Fingerprint] = field(default_factory=dict)  # of values that carry a mask
    carriers: dict[Fingerprint, Read] = field(default_factory=dict)
    joins: dict[Fingerprint, Join] = field(default_factory=dict)  # what would carry a mask that no value has so far
    read: dict[Call, Sequence[Read]] = field(default_factory=dict)  # as it was before masks were put right
    instead: dict[Call, dict[Fingerprint, Fingerprint]] = field(
        default_factory=dict
    )  # by the masks that Keras hands on, those that the spec's values have, where these are others
    bare: dict[_Key, Read] = field(default_factory=dict)  # values without the mask that they had
    restored: dict[tuple[_Key, _Key], Read] = field(default_factory=dict)  # by a value and whose mask it got
    flags: dict[tuple[_Key, tuple[str, ...]], Read] = field(
        default_factory=dict
    )  # what carries a mask that the model computes

    def as_in_keras(self, call: Call, kind: str, reads: Sequence[Read], given: Mapping[int, GivenMask]) -> list[Read]:
        """What a layer reads, with the masks that Keras' layer would use.

        Args:
            given: the flags that the layer is called with, by the place of what they hide.

        Raises:
            ImportFault: where it uses one that nothing in the spec carries.
        """
        seen = self.observed.get(call.places) if self.observed is not None else None
        if seen is None or len(seen.reads) != len(reads):
            return list(reads)
        self.read[call] = tuple(reads)
        is_used = REGISTRY[kind].uses_mask or REGISTRY[kind].joins_masks
        result: list[Read] = []
        wanted = _used(kind, seen)
        if 2 in given and len(reads) == 2:  # the keys are the values, but what hides them is another mask
            reads, wanted = [*reads, reads[1]], [*wanted, *seen.given.get("key_mask", (None,))]
        for place, (read, mask) in enumerate(zip(reads, wanted, strict=True)):
            flags = given.get(place) if place or not REGISTRY[kind].ignores_query_mask else None
            if mask is None and flags is not None and flags.is_of_inputs and is_used:
                # They hid nothing when the model ran, but no layer's padding told what to try.
                result.append(self.masked_by(self.made_of(flags.read(), read), read, call))
            elif mask is None or is_used:
                result.append(self.carrying(read, mask, call, flags))
            else:
                result.append(read)
                self.doubt(call, read, seen, place)
        pairs = [(mask, self.known.get(_key(read))) for read, mask in zip(result, wanted, strict=True)]
        self.instead[call] = {mask: own for mask, own in pairs if mask and own and own != mask}
        return result

    def attach_given(self, call: Call, read: Read, flags: GivenMask) -> Read:
        """The value as a nested model has it that is called with a mask for it."""
        *model, (_, place) = call.places
        seen = self.observed.get(tuple(model)) if self.observed is not None else None
        masks = seen.given.get("mask", ()) if seen is not None else ()
        if seen is None or place >= len(masks):
            return read
        if call.distributed:
            self.doubt(call, read, seen, place)
            return read
        mask = masks[place]
        if mask is None:  # it hid nothing when the model ran
            return self.masked_by(self.made_of(flags.read(), read), read, call) if flags.is_of_inputs else read
        made = self.carrying(read, mask, call, flags)
        self.known.setdefault(_key(made), mask)
        self.carriers.setdefault(mask, made)
        return made

    def doubt(self, call: Call, read: Read, seen: Seen, place: int) -> None:
        """Remembers a layer that is given another mask than its value carries, and that may hand it to one it wraps."""
        masks = seen.given.get("mask", ())
        if place < len(masks) and masks[place] not in (None, self.known.get(_key(read))):
            self.doubts.append(_refuse_uncarried(call).at(call))

    def carrying(self, read: Read, mask: Fingerprint | None, call: Call, flags: GivenMask | None = None) -> Read:
        """The value with this mask, or with none."""
        if mask is None:
            return self.unmasked(read, call)
        if self.known.get(_key(read)) != mask or self.is_turned(read):
            return self.masked(read, mask, call, flags)
        return read

    def is_turned(self, read: Read) -> bool:
        """Whether the steps run from last to first, and the mask does not: the spec says then that it is meant."""
        nodes = [item.node for item in self.maker.items]
        if not any(node.args.get("go_backwards") for node in nodes):
            return False
        return (read.value.node, read.value.port) in turned_masks(nodes)

    def where_keras_has_them(self, call: Call, reads: Sequence[Read]) -> list[Read]:
        """What a call reads, without the masks that Keras has lost before it."""
        seen = self.observed.get(call.places) if self.observed is not None else None
        if seen is None or len(seen.reads) != len(reads):
            return list(reads)
        pairs = zip(reads, seen.reads, strict=True)
        return [self.unmasked(read, call) if mask is None else read for read, mask in pairs]

    def unmasked(self, read: Read, call: Call) -> Read:
        """The value without its mask, if it has one."""
        if read.value.mask is None:
            return read
        key = _key(read)
        if key not in self.bare:
            self.maker.notes.append(f"the mask along `{read.value.mask}` ends before `{call.name}`, as in the model")
            self.bare[key] = self.maker.source(self.maker.add("unmask", {}, [read]))
        return self.bare[key]

    def masked(self, read: Read, mask: Fingerprint, call: Call, flags: GivenMask | None = None) -> Read:
        """The value with the mask that Keras has here: of a value that carries it, or else made of flags."""
        carrier = self.carriers.get(mask)
        if carrier is None and mask in self.joins:
            carrier = self.carriers[mask] = self.joined(self.joins[mask])
        if carrier is None and self.may_wait:
            raise MaskToCome(call.name)
        if carrier is None and flags is not None:
            carrier = self.made_of(flags.read(), read)
        if carrier is None:
            fault = _refuse_uncarried(call)
            if read.value.mask is None:
                raise fault
            self.doubts.append(fault.at(call))
            return read
        return self.masked_by(carrier, read, call)

    def joined(self, join: Join) -> Read:
        """A value whose mask is that of others together: what the layer makes of them, which is read for its mask."""
        reads = [self.carrying(read, mask, join.call) for read, mask in zip(join.reads, join.masks, strict=True)]
        return self.maker.source(self.maker.add(join.item.kind, join.item.body, reads, of=join.call))

    def masked_by(self, carrier: Read, read: Read, call: Call) -> Read:
        """The value with the mask that another one carries."""
        key = (_key(read), _key(carrier))
        if key not in self.restored:
            bare = self.unmasked(read, call)
            self.restored[key] = self.maker.source(self.maker.add("mask_like", {}, [bare, carrier]))
        return self.restored[key]

    def made_of(self, flags: Read, read: Read) -> Read:
        """A value whose mask the flags are, one for each step: `Masking` looks for steps that are all zeros."""
        steps = names(read.value.axes)[: len(flags.value.axes)]
        key = (_key(flags), steps)
        if key not in self.flags:
            other = {old: new for old, new in zip(names(flags.value.axes), steps, strict=True) if old != new}
            named = self.maker.source(self.maker.add("rename", other, [flags])) if other else flags
            wide = self.maker.source(self.maker.add("insert", {free_name("flag", steps): 1}, [named]))
            self.flags[key] = self.maker.source(self.maker.add("Masking", {}, [wide]))
        return self.flags[key]

    def note(self, call: Call, outputs: Sequence[Read]) -> None:
        """Remembers which masks a call's outputs carry, and which they would carry of other masks of its inputs."""
        seen = self.observed.get(call.places) if self.observed is not None else None
        if seen is None:
            return
        instead = self.instead.get(call, {})
        for read, handed in zip(outputs, seen.outputs, strict=False):
            mask = instead.get(handed, handed) if handed is not None else None
            if mask is not None and read.value.mask is not None:
                self.known.setdefault(_key(read), mask)
                self.carriers.setdefault(mask, read)
        item, reads = outputs[0].item, self.read.get(call, ())
        if item is not None and REGISTRY[item.kind].joins_masks:
            for way in seen.ways:
                if way.outputs[0] is not None:
                    self.joins.setdefault(way.outputs[0], Join(item, reads, way.reads, call))


def _refuse_uncarried(call: Call) -> ImportFault:
    kind = "a nested model" if call.kind == GIVEN else call.kind
    name = call.path[-2] if call.kind == GIVEN else call.name
    return ImportFault(
        f"layer `{name}` ({kind}) uses a mask that none of its inputs carries in the spec",
        help="create the mask with `Masking` or with an `Embedding` with `mask_zero`, and save the model again",
    )


def _key(read: Read) -> _Key:
    return (id(read.item), read.value.port) if read.item is not None else (0, read.value.node)


def _used(kind: str, seen: Seen) -> list[Fingerprint | None]:
    """The masks that the layer uses of what it reads, by Keras' rules for arguments that are not given.

    A layer's `mask` is filled in only where it reads nothing else but its first argument: a recurrent layer with an
    `initial_state` has none.
    """
    reads = list(seen.reads)
    if "mask" in seen.given:
        given = seen.given["mask"]
        reads[: len(given)] = given
    elif len(reads) > 1 and REGISTRY[kind].loses_mask_with_states:
        reads[0] = None
    for place, name in enumerate(MASKS_OF_READS):
        if place == 0 and REGISTRY[kind].ignores_query_mask:
            continue
        if name in seen.given and place < len(reads):
            (reads[place],) = seen.given[name]
    return reads


def has_masks(graph: Graph, calls: Sequence[Call]) -> bool:
    """Whether there is a mask anywhere, so that the model must be looked at."""
    from nnspec.importers.keras.network import MASKS

    is_given = any(call.keywords.get(key) is not None for call in calls for key in MASKS)
    return is_given or any(value.mask for node in graph.nodes for value in node.outputs)
