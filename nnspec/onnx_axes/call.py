"""A call of an operator as a rule sees it: its operands, its attributes, and where it reports what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nnspec.ir.axes import Axis, Size, Symbolic, derived, resized
from nnspec.lazy import dataclass
from nnspec.onnx_axes.faults import Fault
from nnspec.onnx_axes.reading import OnnxCall, OnnxGraph
from nnspec.onnx_axes.tensors import UNKNOWN, Number, Tensor, learned_axis, numbers_of, unnamed_axis

if TYPE_CHECKING:
    import numpy as np

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyRun:
    """A graph that a node runs, with what is known of its values.

    Attributes:
        outputs: in the order in which the graph names them.
        value: of any name within, or of what the graph reads from around it.
    """

    graph: OnnxGraph
    outputs: tuple[Tensor, ...]
    value: Callable[[str], Tensor]


Rule = Callable[["Call"], Sequence[Tensor]]


class Call:
    """A node with what is known of its operands.

    Attributes:
        operands: UNKNOWN where an optional one is left out.
    """

    def __init__(
        self,
        node: OnnxCall,
        operands: Sequence[Tensor],
        array: Callable[[str], np.ndarray | None],
        report: Callable[[OnnxCall, Fault], None],
        run_body: Callable[[OnnxCall, str, Sequence[Tensor]], BodyRun | None],
    ) -> None:
        self.node = node
        self.operands = operands
        self._array = array
        self._report = report
        self._run_body = run_body

    def __getitem__(self, position: int) -> Tensor:
        return self.operands[position] if position < len(self.operands) else UNKNOWN

    def has(self, position: int) -> bool:
        return position < len(self.node.inputs) and bool(self.node.inputs[position])

    def integer(self, name: str, default: int) -> int:
        """An attribute that is a number; the default where it is left out, or is something else in a damaged file."""
        value = self.node.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def integers(self, name: str, default: Sequence[int] = ()) -> tuple[int, ...]:
        """An attribute that is a list of numbers."""
        value = self.node.attributes.get(name, default)
        return tuple(int(number) for number in value) if isinstance(value, tuple | list) else tuple(default)

    def text(self, name: str, default: str = "") -> str:
        value = self.node.attributes.get(name, default)
        return value if isinstance(value, str) else default

    def array(self, position: int) -> np.ndarray | None:
        """The constant that an operand is, as a NumPy array; None where it is none, or a large one."""
        return self._array(self.node.inputs[position]) if self.has(position) else None

    def ints(self, position: int, attribute: str = "") -> tuple[Number, ...] | None:
        """A list of integers that is an operand, or an attribute in older files.

        None in it: this one is not known; None in its place: not even how many there are.
        """
        if attribute and attribute in self.node.attributes:
            return self.integers(attribute) or (self.integer(attribute, 0),)
        return numbers_of(self[position]) if self.has(position) else None

    def report(self, fault: Fault) -> None:
        self._report(self.node, fault)

    def run_body(self, attribute: str, given: Sequence[Tensor]) -> BodyRun | None:
        """One run of a graph that is an attribute; None where it is missing, or takes another number of values."""
        return self._run_body(self.node, attribute, given)

    @property
    def owner(self) -> str:
        """What tells the axes that this node makes from all others."""
        return f"node {self.node.place}"

    @property
    def is_constant(self) -> bool:
        given = [operand for i, operand in enumerate(self.operands) if self.has(i)]
        return bool(given) and all(operand.is_constant for operand in given)

    def new(self, size: Size, position: int) -> Axis:
        return unnamed_axis(size, self.owner, position)

    def units(self, size: Size, name: str = "unit") -> Axis:
        return learned_axis(size, self.owner, name)

    def resized(self, axis: Axis, size: Size | None) -> Axis:
        """The axis with fewer or more positions; None: it is not known how many."""
        return resized(axis, self.unknown_size(axis.name) if size is None else size, self.owner)

    def tensor(self, axes: Sequence[Axis] | None, numbers: tuple[Number, ...] | None = None) -> Tensor:
        return Tensor(axes=None if axes is None else tuple(axes), numbers=numbers, is_constant=self.is_constant)

    def unknown_size(self, hint: str) -> Symbolic:
        return derived(f"{_UNKNOWN} {hint} of {self.owner}")

    def opened(self, rank: int) -> tuple[Axis, ...]:
        """Axes of which no more is known than how many there are, since an operator takes no other number of them."""
        return tuple(self.new(self.unknown_size(f"axis {i}"), i) for i in range(rank))


def is_unknown(size: Size) -> bool:
    """Whether a size, or a part of it, is one of which nothing is known: it may be any number."""
    return isinstance(size, Symbolic) and any(_UNKNOWN in name for name, _ in size.powers)


def position_of(axis: Number, rank: int) -> int | None:
    """An axis counted from the front; None where it is not known or there is no such axis."""
    if not isinstance(axis, int) or not -rank <= axis < rank:
        return None
    return axis % rank


def positions_of(axes: Sequence[Number] | None, rank: int) -> list[int] | None:
    """Several, in order; None where one is not known."""
    if axes is None:
        return None
    found = [position_of(axis, rank) for axis in axes]
    return None if any(axis is None for axis in found) else sorted(axis for axis in found if axis is not None)
