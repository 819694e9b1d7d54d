"""Concatenated sequences of unequal length: their axes, and the lengths they are padded to.

Sequences may hold sequences: the words of all sentences of all documents lie end to end, and there is a length for each
document and one for each sentence. They become an axis for each level.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nnspec.data.prepare.fit import SEQUENCE_NAMES, FitError, show
from nnspec.data.section.plan import AxisList
from nnspec.lazy import dataclass

Levels = Sequence[Sequence[int]]
"""The lengths of sequences, the outermost first: of each level as many as the sequences of the level before hold."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """`axis` is the data axis that sequences run along, `sizes` what each level is padded to, the outermost first."""

    axis: int
    sizes: tuple[int, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """The data axes of the padded sequences, the outermost first."""
        return tuple(range(self.axis, self.axis + len(self.sizes)))

    def padded(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes of one padded sample of concatenated data of this shape."""
        return (*shape[: self.axis], *self.sizes, *shape[self.axis + 1 :])


def find_sequence_axis(
    wanted: AxisList,
    names: tuple[str, ...] | None,
    sizes: tuple[int, ...],
    levels: Levels,
    arrays: Sequence[str],
) -> Ragged:
    """Finds the sequence axis: the one whose size is the sum of the innermost lengths.

    Args:
        names: of the axes once they are padded, one for each level.
        sizes: those of the data as they lie in the file.
        arrays: the names of the arrays of lengths.

    Raises:
        FitError: where there is none, a length is not positive, levels do not agree, or a sequence is longer than the
            model's axis.
    """
    check_levels(levels, arrays)
    total, depth = sum(levels[-1]), len(levels)
    found = [i for i, size in enumerate(sizes) if size == total]
    inner = {i: _partner(wanted, names, i + depth - 1) for i in found}
    if len(found) > 1:  # a coincidence of sizes: the model's names decide
        found = [i for i in found if inner[i][0].lower() in SEQUENCE_NAMES or not isinstance(inner[i][1], int)][
            :1
        ] or found
    if not found:
        named = names if depth == 1 else None
        raise FitError(f"the lengths sum to {total}, but the data has axes {show(named, sizes)}")
    axes = [_partner(wanted, names, found[0] + level) for level in range(depth)]
    return Ragged(found[0], tuple(_size(axis, max(lengths)) for axis, lengths in zip(axes, levels, strict=True)))


def check_levels(levels: Levels, arrays: Sequence[str]) -> None:
    """Whether lengths are those of sequences, and each level has as many as the one before holds.

    Raises:
        FitError: where not.
    """
    if not levels[0]:
        raise FitError("there are no sequences: the array of lengths is empty")
    for lengths, array in zip(levels, arrays, strict=True):
        if lengths and min(lengths) < 1:
            message = f"every sequence needs a length of at least 1, but number {lengths.index(min(lengths)) + 1}"
            raise FitError(f"{message} in `{array}` has {min(lengths)}: leave it out")
    for level in range(1, len(levels)):
        if sum(levels[level - 1]) != len(levels[level]):
            raise FitError(
                f"the lengths in `{arrays[level - 1]}` sum to {sum(levels[level - 1])}, but `{arrays[level]}` has "
                f"{len(levels[level])} lengths: one for each of those sequences is needed"
            )


def _size(axis: tuple[str, int | str | None], longest: int) -> int:
    name, size = axis
    if isinstance(size, int) and longest > size:
        raise FitError(f"the longest sequence has length {longest}, but axis `{name}` has size {size}")
    return size if isinstance(size, int) else longest


def lies_end_to_end(axes: tuple[str, ...] | None, sizes: tuple[int, ...], levels: Levels) -> bool:
    """Whether targets lie one sample behind the other; else they have an axis of samples, and are filled up."""
    if axes is not None:
        return "sample" not in axes and len(axes) == len(sizes) + len(levels) - 1
    return sum(levels[-1]) in sizes or not sizes or sizes[0] != len(levels[0])


def find_padded_axes(
    wanted: AxisList,
    names: tuple[str, ...] | None,
    sizes: tuple[int, ...],
    levels: Levels,
    arrays: Sequence[str],
    following: Collection[str] = (),
) -> Ragged:
    """The axes along which samples of unequal length are filled up already.

    Args:
        sizes: those of the data, without the axis of samples.
        arrays: the names of the arrays of lengths.
        following: the model's axes that follow one of an input, which are taken first.

    Raises:
        FitError: where there is none, a length is not positive, or a sequence is longer than the axis.
    """
    if levels[0]:
        check_levels(levels, arrays)
    depth = len(levels)
    axes = [_partner(wanted, names, i) for i in range(len(sizes))]
    known = [i for i, (name, _) in enumerate(axes) if name in following]
    known += [i for i, (name, size) in enumerate(axes) if name.lower() in SEQUENCE_NAMES or not isinstance(size, int)]
    if len(sizes) < depth:
        raise FitError("the data has no axis to which `lengths` could apply")
    place = min(known[0] if known else 0, len(sizes) - depth)
    for level, lengths in enumerate(levels):
        name, size = axes[place + level][0], sizes[place + level]
        if lengths and max(lengths) > size:
            raise FitError(f"sequences of up to {max(lengths)} do not fit into axis `{name}` of size {size}")
    return Ragged(place, sizes[place : place + depth])


def _partner(wanted: AxisList, names: tuple[str, ...] | None, index: int) -> tuple[str, int | str | None]:
    """The model's axis for a data axis; a nameless one where there is none."""
    if names is not None:
        return next((axis for axis in wanted if index < len(names) and axis[0] == names[index]), ("", None))
    return wanted[index] if index < len(wanted) else ("", None)
