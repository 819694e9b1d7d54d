"""Types of one direction of a recurrent layer: an ONNX op, or nodes for every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nnspec.backends.onnx.view import Group, View
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering

Activation = tuple[str, float | None, float | None]  # an op's activation, with alpha and beta
States = Sequence[View]
WRITTEN_OUT = 256  # steps; more would make a graph of thousands of nodes


@dataclass(frozen=True, eq=False, kw_only=True)
class SteppedCell:
    """One direction of a recurrent layer.

    Attributes:
        project: the input (batch, step, …) to what its steps read, the step its first dimension and batch the second.
        advance: a step's row and the states (none: zeros) to the new states, the first of which is also the output.
        shapes: views of the states' dimensions, from a step's row.
        state_dims: the dimensions of a state (batch, …), in memory order.
        count: how many states a step hands on.
        most: the largest number of steps to write out.
    """

    project: Callable[[Lowering, View], View]
    advance: Callable[[Lowering, View, States], list[View]]
    shapes: Callable[[Lowering, View], list[View]]
    state_dims: Callable[[View], tuple[Group, ...]]
    count: int
    is_backwards: bool
    most: int = WRITTEN_OUT


@dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
    """One direction of an op.

    Attributes:
        kernel: (feature, blocks · units), the blocks in the op's order.
        recurrent: (blocks · units, units).
        bias: of the input, then of the state: (2 · blocks · units), or None.
        written: the same as nodes for every step, where they are faster than the op.
        hold: for each block, what moves its gate at masked steps: 1 opens it, -1 closes it. None where gates can be
            neither quite open nor quite closed.
    """

    op: str
    units: int
    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray | None
    activations: tuple[Activation, ...]
    attributes: dict[str, object]
    is_backwards: bool
    written: SteppedCell | None = None
    hold: tuple[int, ...] | None = None

    @property
    def keeps_state(self) -> bool:
        """Whether its gates alone keep the whole state at masked steps."""
        return self.op == "GRU" and self.hold is not None

    @property
    def count(self) -> int:
        """How many states a step hands on."""
        return 2 if self.op == "LSTM" else 1

    def fits(self, other: Cell) -> bool:
        """Whether one op can run both (activations may differ, a bias may not be missing in one)."""
        mine = self.op, self.units, self.attributes, self.bias is None, self.hold
        return mine == (other.op, other.units, other.attributes, other.bias is None, other.hold)


AnyCell = Cell | SteppedCell
