"""One Keras operation, its inputs, and the means to replace it with layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import Call, Config, Constant, ImportFault, leaves_in
from nnspec.importers.keras.operations.tables import Tables
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Args

# An argument of an operation: a value that is read, a constant, numbers and words, or lists and mappings of them.
Operand: TypeAlias = (
    "Read | Constant | bool | int | float | str | list[Operand] | tuple[Operand, ...] | Mapping[str, Operand] | None"
)
Made = Read | list[Read]
Rule = Callable[["Operation"], Made | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation:
    """An operation and the means to write layers in its place.

    Attributes:
        arguments: what it is called with, in Keras' nesting: values that are read, constants, numbers, words.
        keywords: likewise, by name.
        tables: the constants that stand in a file.
        wanted: which of the values that it gives are read at all.
        add: writes a layer of a kind, with a body, over values.
        note: tells what is not as in the model.
        add_reshape: writes a reshape of a value to sizes, one of which may be -1.
    """

    call: Call
    arguments: Sequence[Operand]
    keywords: Mapping[str, Operand]
    tables: Tables
    wanted: frozenset[int]
    add: Callable[[str, Args, Sequence[Read]], Read]
    note: Callable[[str], None]
    add_reshape: Callable[[Call, Read, Sequence[int]], Read]

    @property
    def kind(self) -> str:
        return self.call.kind

    @property
    def config(self) -> Config:
        return self.call.config

    @property
    def description(self) -> str:
        """The operation in the words of a refusal."""
        return f"the operation `{self.kind}` (`{self.call.name}`)"

    @property
    def operands(self) -> list[Read | Constant | float]:
        """All that it computes with, in order: values that are read, constants and numbers."""
        return [leaf for leaf in leaves_in([*self.arguments, *self.keywords.values()]) if is_operand(leaf)]

    @property
    def tensors(self) -> list[Read | Constant]:
        """Those of them that have axes."""
        return [leaf for leaf in self.operands if isinstance(leaf, Read | Constant)]

    @property
    def reads(self) -> list[Read]:
        """The values that it reads, in order."""
        return [leaf for leaf in self.operands if isinstance(leaf, Read)]

    @property
    def numbers(self) -> list[float]:
        return [float(leaf) for leaf in self.operands if not isinstance(leaf, Read | Constant)]

    @property
    def constants(self) -> list[Constant]:
        return [leaf for leaf in self.operands if isinstance(leaf, Constant)]

    @property
    def read(self) -> Read:
        """The one value that it reads.

        Raises:
            ImportFault: where it is not one.
        """
        reads = self.reads
        if len(reads) != 1:
            raise ImportFault(f"{self.description} reads {len(reads)} values, where layers read one")
        return reads[0]

    def argument(self, place: int, name: str) -> Operand:
        """An argument, by its place or its name; None where it is not given."""
        return self.arguments[place] if place < len(self.arguments) else self.keywords.get(name)

    # ------------------------------------------------------------------------------------------------ axes

    def axes(self, read: Read) -> Axes:
        """The axes of a value as the operation counts them, those that a TimeDistributed goes over left out."""
        return read.value.axes[self.call.distributed :]

    def sizes(self, read: Read) -> list[int | None]:
        """Sizes without batch; None where they are open."""
        return [ax.known_size(axis.size) for axis in self.axes(read)]

    def place(self, axis: object, rank: int) -> int:
        """Keras' index of an axis (batch counts) as one from 0 without batch.

        Raises:
            ImportFault: for the batch axis.
        """
        if isinstance(axis, int) and not isinstance(axis, bool) and -rank <= axis <= rank and axis != 0:
            return axis - 1 if axis > 0 else rank + axis
        if axis is None or axis in (0, -rank - 1):
            raise self.over_batch()
        raise ImportFault(f"{self.description} works along axis {axis}, which a spec cannot name")

    def places(self, given: object, rank: int) -> list[int]:
        """The same for one axis or several."""
        listed = given if isinstance(given, list | tuple) else [given]
        return [self.place(axis, rank) for axis in listed]

    def over_batch(self) -> ImportFault:
        return ImportFault(
            f"{self.description} works along axis 0, the batch: the result of one sample depends on the others",
            help="name the axes in the model (`axis=1`), so that each sample is computed separately",
        )

    def name(self, read: Read, place: int) -> str:
        return self.axes(read)[place].name

    def new_name(self, stem: str, *reads: Read) -> str:
        """A name that no axis of these values has."""
        return free_name(stem, [axis.name for read in reads for axis in read.value.axes])

    # ------------------------------------------------------------------------------------------------ layers

    def port(self, read: Read, name: str) -> Read:
        """Another output of the layer that made a value."""
        assert read.item is not None, "a layer made it"
        return Read(read.item, next(value for value in read.item.node.outputs if value.port == name))

    def permuted(self, read: Read, order: Sequence[int]) -> Read:
        """The value with its axes (counted from 0, batch left out) in another order."""
        if list(order) == sorted(order):
            return read
        front = range(self.call.distributed)
        dims = [*(place + 1 for place in front), *(place + 1 + len(front) for place in order)]
        return self.add("Permute", {"dims": dims}, [read])

    def inserted(self, read: Read, place: int, stem: str = "one") -> Read:
        """The value with one more axis of size 1, in front of the axis at `place`."""
        rank = len(self.axes(read))
        made = self.add("insert", {self.new_name(stem, read): 1}, [read])
        return self.permuted(made, [*range(place), rank, *range(place, rank)])

    def dropped(self, read: Read, places: Sequence[int]) -> Read:
        """The value without these axes of size 1."""
        names = [self.name(read, place) for place in sorted(places)]
        return self.add("drop", {"axis": names if len(names) > 1 else names[0]}, [read]) if names else read


def rename_axes(op: Operation, read: Read, changes: Mapping[str, str]) -> Read:
    """Axes by other names; those that change places with each other take a way round."""
    if not changes:
        return read
    clash = [new for new in changes.values() if any(axis.name == new for axis in read.value.axes)]
    if clash:
        taken = [*(axis.name for axis in read.value.axes), *changes.values()]
        between: dict[str, str] = {}
        for old in [axis.name for axis in read.value.axes if axis.name in clash]:
            between[old] = free_name(f"was_{old}", taken)
            taken.append(between[old])
        read = op.add("rename", between, [read])
        changes = {between.get(old, old): new for old, new in changes.items()}
    return op.add("rename", dict(changes), [read])


def is_operand(value: object) -> TypeGuard[Read | Constant | float]:
    """Whether an operation computes with it: a value that is read, a constant, or a number."""
    return isinstance(value, Read | Constant | int | float) and not isinstance(value, bool)
