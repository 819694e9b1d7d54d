"""What rules report of a node."""

from __future__ import annotations

from enum import Enum

from nnspec.ir.axes import Axes, Axis, Size
from nnspec.ir.reshape import Rebracketing
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """A reshape that regroups values of several axes."""

    axes: Axes
    sizes: tuple[Size, ...]
    result: Rebracketing


class Meeting(Enum):
    """How two axes meet."""

    ELEMENTWISE = "combines {first} with {second} element by element"
    SUM = "sums products over {first} of one operand and {second} of the other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Two axes of one input that are taken for one."""

    how: Meeting
    first: Axis
    second: Axis


Fault = Mixing | Confusion
