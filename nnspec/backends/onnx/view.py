"""A tensor in the ONNX graph and the meaning of its memory layout.

The spec's axes and the physical dimensions are both lists of *factors*, indivisible runs of indices. Permutes, merges,
splits and unit axes only rearrange the lists; a Transpose or Reshape is written when a consumer asks for dimensions
that memory does not already have, and two of them never meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nnspec.ir.axes import Size, divide, divides
from nnspec.lazy import np


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """A run of indices; compared by identity.

    `size` is None where only the running graph knows it; `extent` is then the spec's symbol for it, if it has one.
    """

    label: str
    size: int | None
    extent: Size | None = None

    @property
    def known_extent(self) -> Size | None:
        return self.extent if self.size is None else self.size


Group = tuple[Factor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Which positions along a sequence hold data: a bool view of (batch, step)."""

    view: View


@dataclass(frozen=True, slots=True)
class Packing:
    """How a sequence's data steps stand together.

    Attributes:
        is_reversed: from last to first.
        pads_first: padding stands before them; else behind.
    """

    is_reversed: bool
    pads_first: bool


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Attributes:
    tensor: the name of the ONNX value.
    dims: its physical dimensions, slow to fast.
    axes: the spec's axes, batch first, over the same factors; an axis of size 1 may have none.
    """

    tensor: str
    dims: tuple[Group, ...]
    axes: tuple[Group, ...]
    dtype: str = "float32"
    mask: Mask | None = None

    @property
    def order(self) -> Group:
        """All factors as they lie in memory."""
        return tuple(factor for group in self.dims for factor in group)

    def with_axes(self, axes: Iterable[Group]) -> View:
        return replace(self, axes=tuple(axes))

    def dim_of(self, axis: int) -> int | None:
        """The dimension that is exactly this axis, if there is one."""
        group = self.axes[axis]
        return next((i for i, dim in enumerate(self.dims) if dim == group), None) if group else None

    def in_memory_order(self, axis: int) -> Group:
        """The axis' factors as they lie in memory rather than as the axis counts them."""
        wanted = set(self.axes[axis])
        return tuple(factor for factor in self.order if factor in wanted)

    def flat_order(self, axis: int) -> list[int]:
        """The axis' positions in the order in which they lie in memory: the rows of a kernel meet them so."""
        counted, memory = self.axes[axis], self.in_memory_order(axis)
        sizes = [factor.size or 1 for factor in counted]
        index = np.arange(math.prod(sizes)).reshape(sizes)
        return [int(i) for i in index.transpose([counted.index(factor) for factor in memory]).ravel()]

    def substituted(self, parts: Mapping[Factor, Group]) -> View:
        """The same memory with factors cut or relabelled."""

        def cut(groups: tuple[Group, ...]) -> tuple[Group, ...]:
            return tuple(tuple(new for factor in group for new in parts.get(factor, (factor,))) for group in groups)

        return replace(self, dims=cut(self.dims), axes=cut(self.axes))


def group_size(group: Sequence[Factor]) -> int | None:
    """The number of indices of a group, None where it is not known."""
    sizes = [factor.size for factor in group]
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def common_runs(current: Sequence[Factor], wanted: Sequence[Factor]) -> list[Group]:
    """`current` cut into the longest pieces that stand together, in the same order, in `wanted` too."""
    place = {factor: i for i, factor in enumerate(wanted)}
    pieces: list[list[Factor]] = []
    for factor in current:
        if pieces and place[pieces[-1][-1]] + 1 == place[factor]:
            pieces[-1].append(factor)
        else:
            pieces.append([factor])
    return [tuple(piece) for piece in pieces]


def cut_factors(factors: Sequence[Factor], sizes: Sequence[Size]) -> tuple[list[Group], dict[Factor, Group]] | None:
    """The factors (slow to fast) dealt out to axes of these sizes, and which ones had to be cut for it.

    None where a bracket falls where no factor can be cut.
    """
    forwards = _deal(list(factors), list(sizes), from_right=False)
    if forwards is not None:
        return forwards
    return _deal(list(factors), list(sizes), from_right=True)


def _deal(
    factors: list[Factor], sizes: list[Size], *, from_right: bool
) -> tuple[list[Group], dict[Factor, Group]] | None:
    queue = factors[::-1] if not from_right else factors
    pieces: dict[Factor, list[Factor]] = {}
    parent: dict[Factor, Factor] = {}
    result: list[Group] = []
    for size in reversed(sizes) if from_right else sizes:
        need: Size = size
        taken: list[Factor] = []
        while need != 1:
            if not queue:
                return None
            factor = queue.pop()
            extent = factor.known_extent
            if extent is None:
                return None
            if divides(extent, need):
                taken.append(factor)
                quotient = divide(need, extent)
                assert quotient is not None
                need = quotient
                continue
            rest = divide(extent, need) if divides(need, extent) else None
            if rest is None:
                return None
            first, second = _new(factor, need), _new(factor, rest)
            slow, fast = (second, first) if from_right else (first, second)
            root = parent.get(factor, factor)
            row = pieces.setdefault(root, [factor])
            place = row.index(factor)
            row[place : place + 1] = [slow, fast]
            parent[slow] = parent[fast] = root
            taken.append(first)
            queue.append(second)
            need = 1
        result.append(tuple(reversed(taken)) if from_right else tuple(taken))
    if queue:
        return None
    cuts = {factor: tuple(row) for factor, row in pieces.items()}
    return (result[::-1] if from_right else result), cuts


def _new(factor: Factor, size: Size) -> Factor:
    return Factor(factor.label, size if isinstance(size, int) else None, size)
