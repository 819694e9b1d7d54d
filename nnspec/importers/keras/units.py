"""The units of folding: a layer or a use of a block, with the values that can become parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nnspec.importers.keras.items import Item
from nnspec.layers.kit.args import REQUIRED
from nnspec.layers.registry import REGISTRY


@dataclass(eq=False, repr=False, kw_only=True)
class Unit:
    """An item of a model list.

    Attributes:
        kind: a layer's kind; the name of a block or of a shared layer where `verb` says so.
        verb: "" for a layer, else `block` or `share`.
        values: arguments that are numbers, words or lists of them, which a parameter can stand for.
        rest: arguments that none can stand for.
        reads: a unit, or an input by name (or by its number, inside a block), and which output of it.
        label: what Keras called it.
        references: the arguments that name the last of what it reads.
    """

    kind: str
    verb: str = ""
    values: dict[str, object] = field(default_factory=dict)
    rest: dict[str, object] = field(default_factory=dict)
    reads: list[tuple[Unit | str, int]] = field(default_factory=list)
    label: str = ""
    ports: tuple[str, ...] = ("output",)
    references: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[str, str, str]:
        """What must be alike for two units to be one with other values."""
        return self.verb, self.kind, json.dumps(self.rest, sort_keys=True, default=str)

    def value(self, key: str) -> object:
        """An argument, the default where it is not given; `REQUIRED` where there is none."""
        if key in self.values:
            return self.values[key]
        if self.verb:
            return REQUIRED
        arg = REGISTRY[self.kind].args.get(key)
        if arg is None:
            return REQUIRED
        default = arg.default
        if isinstance(default, list) and default and all(item == default[0] for item in default):
            return default[0]
        return default


def is_simple(value: object) -> bool:
    """Whether a parameter of a block can have this value."""
    if isinstance(value, list | tuple):
        return bool(value) and all(is_simple(item) and not isinstance(item, list | tuple) for item in value)
    return isinstance(value, int | float | str | bool) and "$" not in str(value)


def units_of(items: Iterable[Item]) -> tuple[list[Unit], dict[int, Unit]]:
    """The items as units, and by the identity of an item its unit."""
    made: dict[int, Unit] = {}
    result = []
    for item in items:
        verb = "share" if item.shared is not None else ""
        unit = Unit(kind=item.shared or item.kind, verb=verb, ports=tuple(value.port for value in item.node.outputs))
        unit.label = item.call.name if item.call is not None else ""
        if item.origin is not None:
            unit.label = f"{item.origin.call.name}_{item.origin.name}"
        unit.references = tuple(key for key in REGISTRY[item.kind].references if key in item.body)
        is_axis_verb = REGISTRY[item.kind].is_axis_operation
        for key, value in item.body.items():
            if verb and key not in REGISTRY[item.kind].call_arguments:
                continue
            simple = is_simple(value) and not is_axis_verb
            (unit.values if simple else unit.rest)[key] = list(value) if isinstance(value, tuple) else value
        for read in item.reads:
            if read.item is None:
                unit.reads.append((read.value.node, 0))
            else:
                port = next(i for i, value in enumerate(read.item.node.outputs) if value.port == read.value.port)
                unit.reads.append((made[id(read.item)], port))
        made[id(item)] = unit
        result.append(unit)
    return result, made


@dataclass(eq=False)
class Block:
    """A sub-model: `parameters` with defaults (None: every use gives it), and what it reads."""

    name: str
    units: list[Unit]
    parameters: dict[str, object]
    inputs: tuple[str, ...]


@dataclass(eq=False)
class Repeat:
    """Units written several times, each reading what the round before it made.

    Attributes:
        units: those of the first round, with variables in the place of what differs.
        last: the last unit of the last round, which is what may be read outside.
    """

    units: list[Unit]
    rounds: int
    columns: Mapping[str, Sequence[object]]
    last: Unit


Entry = Unit | Repeat


def units_in(entry: Entry) -> list[Unit]:
    """The units that are written for an entry."""
    return entry.units if isinstance(entry, Repeat) else [entry]


def last_of(entry: Entry) -> Unit:
    """The unit whose value an entry hands on."""
    return entry.last if isinstance(entry, Repeat) else entry
