"""A Keras model as layer calls in order of computation, and why a model cannot become a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nnspec.diagnostics.lists import joined

Config: TypeAlias = Mapping[str, Any]  # what `get_config` of a Keras object gives, or a part of it
Numbers: TypeAlias = "bool | int | float | list[Numbers] | tuple[Numbers, ...]"
# What a layer is called with, in Keras' nesting.
Argument: TypeAlias = (
    "Tensor | Constant | bool | int | float | str"
    "| list[Argument] | tuple[Argument, ...] | Mapping[str, Argument] | None"
)
Place = tuple[str, int]  # a layer by name, and which of its calls
GIVEN = "@mask"  # the kind of a call that stands for the mask which a nested model is called with for one of its inputs
MASKS = frozenset({"mask", "query_mask", "value_mask", "key_mask"})  # which Keras passes on automatically


class ImportFault(Exception):
    """The model cannot become a spec: what stands in the way, and what to do about it.

    Attributes:
        place: where in the model it is, in the names that the model's author gave; empty where the message says it.
        causes: every fault, where several were found.
    """

    def __init__(self, message: str, *, help: str = "", place: str = "", causes: Sequence[ImportFault] = ()) -> None:
        super().__init__(message)
        self.help = help
        self.place = place
        self.causes = tuple(causes) or (self,)

    @classmethod
    def of(cls, faults: Sequence[ImportFault]) -> ImportFault:
        """Several faults as one: it speaks of the first, and holds all."""
        return cls(str(faults[0]), help=faults[0].help, causes=faults)

    def at(self, call: Call) -> ImportFault:
        """The fault, single, of a call."""
        return self if self.place else ImportFault(str(self), help=self.help, place=place_of(call))


def place_of(call: Call) -> str:
    """Where a call stands, in names that people gave: of an operation, whose name Keras made, what it computes with.

    Of a layer of the model itself there is nothing to add to its own name.
    """
    inside = f"in the model `{'/'.join(call.path[:-1])}`" if len(call.path) > 1 else ""
    if not call.is_operation:
        return inside
    sources = list(dict.fromkeys(_named_sources(call)))
    more = [f"{len(sources) - 3} more"] if len(sources) > 3 else []
    behind = f"behind {joined([*sources[:3], *more])}" if sources else ""
    return ", ".join(part for part in (inside, behind) if part)


def _named_sources(call: Call) -> Iterator[str]:
    """The closest layers and inputs that an operation's values come from, operations between them left out."""
    seen: set[tuple[Call | None, int, str]] = set()
    pending = [*reversed(call.tensors)]
    while pending:
        tensor = pending.pop()
        if (key := (tensor.call, tensor.index, tensor.input)) in seen:
            continue
        seen.add(key)
        if tensor.call is None:
            yield f"input `{tensor.input}`"
        elif tensor.call.is_operation:
            pending += reversed(tensor.call.tensors)
        else:
            yield f"layer `{tensor.call.name}` ({tensor.call.kind})"


def reason_of(error: Exception) -> str:
    """Why Keras fails: the first line that says more than in which call, without colors and names of its graph."""
    text = re.sub("\x1b\\[[0-9;]*m|\\{\\{.*?\\}\\} ?", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Exception encountered")), type(error).__name__)


@dataclass(frozen=True, slots=True, repr=False)  # what it holds leads through the whole network
class Tensor:
    """An output of a call, or a model input where `call` is None."""

    call: Call | None
    index: int
    shape: tuple[int | None, ...]  # batch left out
    dtype: str
    input: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Constant:
    """A tensor that a call is given and that never changes: its numbers in nested lists, or one number."""

    value: Numbers
    dtype: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes; it has no batch unless the model gave it one."""
        sizes: list[int] = []
        part: Numbers | None = self.value
        while isinstance(part, list | tuple):
            sizes.append(len(part))
            part = part[0] if part else None
        return tuple(sizes)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_integers(self) -> bool:
        return "int" in self.dtype


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Call:
    """One use of a layer.

    Attributes:
        path: the names of the nested models that hold the layer, and its own.
        places: the same, each with the number of the call.
        distributed: how many TimeDistributed around nested models it stands in; each goes over an axis in front.
        arguments: what it is called with, tensors among them, in Keras' nesting.
        registered: the name under which the class was registered, with its package: `my_package>PatchEncoder`.
    """

    path: tuple[str, ...]
    kind: str
    module: str
    config: Config
    arguments: tuple[Argument, ...]
    keywords: Mapping[str, Argument]
    places: tuple[Place, ...] = ()
    distributed: int = 0
    registered: str = ""

    @property
    def is_own(self) -> bool:
        """Whether its class is none of Keras'."""
        return ">" in self.registered or not self.module.startswith("keras.")

    @property
    def is_operation(self) -> bool:
        """Whether it is one of Keras' operations rather than a layer."""
        return self.module.startswith(("keras.src.ops", "keras.ops"))

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What it reads, masks left out: a spec's layers pass them on as Keras' do."""
        return tuple(leaf for leaf in self.operands if isinstance(leaf, Tensor))

    @property
    def masks(self) -> tuple[Tensor, ...]:
        """The masks that it is called with; Keras records those that it passes on by itself too."""
        return tuple(tensors_in([self.keywords.get(key) for key in sorted(MASKS)]))

    @property
    def operands(self) -> tuple[Tensor | Constant, ...]:
        """The same with the constants among it, in order."""
        read = {key: value for key, value in self.keywords.items() if key not in MASKS}
        return tuple(leaf for leaf in leaves_in((self.arguments, read)) if isinstance(leaf, Tensor | Constant))


def leaves_in(value: object) -> Iterator[object]:
    """What stands in Keras' nesting of lists and mappings, in order."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves_in(inner)
    else:
        yield value


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors in Keras' nesting of lists and mappings, in order."""
    return (leaf for leaf in leaves_in(value) if isinstance(leaf, Tensor))


@dataclass(frozen=True, eq=False, kw_only=True)
class Network:
    """A model's inputs, its calls in order of computation (branch after branch), and its outputs by name.

    Attributes:
        batches: the batch sizes that inputs fix.
        faults: what no spec has about its inputs.
        mask_calls: what only computes masks, in the same order; most of it a spec's layers do by themselves.
        notes: what of the model was left out.
    """

    name: str
    inputs: Mapping[str, Tensor]
    calls: tuple[Call, ...]
    outputs: Mapping[str, Tensor]
    batches: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[ImportFault, ...] = ()
    mask_calls: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()
