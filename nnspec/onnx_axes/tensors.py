"""What is known of a tensor of an ONNX graph: its axes, and the numbers of one that holds sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nnspec.ir.axes import Atom, Axes, Axis, Size, fresh, sizes, whole_of
from nnspec.lazy import dataclass

_NAMELESS = "axis "
_LONGEST = 64  # of a vector of sizes; no tensor has as many axes
Number = Size | None  # of a tensor of integers; None where it is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor.

    Attributes:
        axes: slow to fast, the batch among them; None where not even their number is known.
        numbers: the values of a vector of integers or a scalar, where each is a number or follows from sizes.
        is_constant: the same for all inputs, so that the names of its axes say nothing.
    """

    axes: Axes | None
    numbers: tuple[Number, ...] | None = None
    is_constant: bool = False

    @property
    def rank(self) -> int | None:
        return None if self.axes is None else len(self.axes)

    @property
    def sizes(self) -> tuple[Size, ...]:
        return () if self.axes is None else sizes(self.axes)


UNKNOWN = Tensor(axes=None)


def vector(numbers: Sequence[Number], owner: str, *, is_constant: bool = True) -> Tensor:
    """A vector of integers."""
    return Tensor(axes=(unnamed_axis(len(numbers), owner, 0),), numbers=tuple(numbers), is_constant=is_constant)


def scalar(number: Number, *, is_constant: bool = True) -> Tensor:
    return Tensor(axes=(), numbers=(number,), is_constant=is_constant)


def numbers_of(tensor: Tensor) -> tuple[Number, ...] | None:
    """The values of a vector of integers; where only its length is known, as many None."""
    if tensor.numbers is None and tensor.axes is not None and len(tensor.axes) == 1:
        length = tensor.axes[0].size
        return (None,) * length if isinstance(length, int) and length <= _LONGEST else None
    return tensor.numbers


def unnamed_axis(size: Size, owner: str, position: int) -> Axis:
    """An axis of which nothing is known but its size."""
    return fresh(nameless(position), size, owner)


def nameless(position: int) -> str:
    """What an axis is called that has no name."""
    return f"{_NAMELESS}{position}"


def is_nameless(axis: Axis) -> bool:
    return axis.name.startswith(_NAMELESS)


def learned_axis(size: Size, owner: str, name: str) -> Axis:
    """An axis of units or filters, whose order means nothing."""
    return fresh(name, size, owner, is_learned=True)


def root_of(axis: Axis) -> str | None:
    """The axis of an input whose positions this one follows, alone and as a whole; None where that is not so."""
    if axis.is_learned:
        return None
    whole: Atom | None = whole_of(axis.atoms)
    return None if whole is None else whole.origin


def input_of(root: str) -> str:
    """The input that a root is an axis of; empty where the root is a dimension that inputs share by name."""
    return root.rpartition("\0")[0]


def join(at_one_position: Iterable[tuple[Axis, bool]]) -> tuple[Axis, tuple[Axis, Axis] | None]:
    """The axis that results where values are combined element by element, and two that do not belong together.

    Args:
        at_one_position: the operands' axes, each with whether its operand is a constant.
    """
    given = list(at_one_position)
    longer = [(axis, is_constant) for axis, is_constant in given if axis.size != 1] or given
    ranked = sorted(longer, key=lambda pair: (pair[1], _how_little_is_known(pair[0])))
    chosen = ranked[0][0]
    rooted = [axis for axis, is_constant in longer if not is_constant and root_of(axis) is not None]
    return chosen, conflict(rooted)


def _how_little_is_known(axis: Axis) -> int:
    """0 for an axis of data, then pieces of some, units, and 3 for what a constant was repeated along."""
    if root_of(axis) is not None:
        return 0
    if any(atom.origin is not None for atom in axis.atoms):
        return 1
    return 2 if axis.is_learned else 3


def conflict(axes: Sequence[Axis]) -> tuple[Axis, Axis] | None:
    """Two different axes of one input among these, if there are any."""
    for i, first in enumerate(axes):
        for second in axes[i + 1 :]:
            one, other = root_of(first), root_of(second)
            if one is None or other is None or one == other or input_of(one) != input_of(other):
                continue
            if input_of(one):
                return first, second
    return None


def are_merged_otherwise(first: Axis, second: Axis) -> bool:
    """Whether two axes are merged from several, some of which are those of the same input, and not the same ones."""
    if min(len(first.atoms), len(second.atoms)) < 2 or first.atoms == second.atoms:
        return False
    shared = {atom.key for atom in first.atoms} & {atom.key for atom in second.atoms}
    return any(atom.key in shared and atom.origin is not None for atom in first.atoms)
