"""Concatenated sequences of unequal length: their axis, and the length they are padded to."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nnspec.data.prepare.fit import SEQUENCE_NAMES, FitError, show
from nnspec.data.section.plan import AxisList
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Ragged:
    """`axis` is the data axis that sequences run along, `size` what each is padded to."""

    axis: int
    size: int


def ragged(wanted: AxisList, names: tuple[str, ...] | None, sizes: tuple[int, ...], lengths: Sequence[int]) -> Ragged:
    """Finds the sequence axis: the one whose size is the sum of the lengths.

    Raises:
        FitError: where there is none, a length is not positive, or a sequence is longer than the model's axis.
    """
    if not lengths:
        raise FitError("there are no sequences: the array of lengths is empty")
    if min(lengths) < 1:
        raise FitError(f"every sequence needs a length of at least 1, but one has {min(lengths)}")
    total = sum(lengths)
    axes = [_partner(wanted, names, i) for i in range(len(sizes))]
    found = [i for i, size in enumerate(sizes) if size == total]
    if len(found) > 1:  # a coincidence of sizes: the model's names decide
        found = [i for i in found if axes[i][0].lower() in SEQUENCE_NAMES or not isinstance(axes[i][1], int)][
            :1
        ] or found
    if not found:
        raise FitError(f"the lengths sum to {total}, but the data have axes {show(names, sizes)}")
    name, size = axes[found[0]]
    longest = max(lengths)
    if isinstance(size, int) and longest > size:
        raise FitError(f"the longest sequence has length {longest}, but axis `{name}` has size {size}")
    return Ragged(found[0], size if isinstance(size, int) else longest)


def lies_end_to_end(axes: tuple[str, ...] | None, sizes: tuple[int, ...], lengths: Sequence[int]) -> bool:
    """Whether targets lie one sample behind the other; else they have an axis of samples, and are filled up."""
    if axes is not None:
        return "sample" not in axes and len(axes) == len(sizes)
    return sum(lengths) in sizes or not sizes or sizes[0] != len(lengths)


def filled(
    wanted: AxisList,
    names: tuple[str, ...] | None,
    sizes: tuple[int, ...],
    lengths: Sequence[int],
    following: Collection[str] = (),
) -> Ragged:
    """The axis along which samples of unequal length are filled up already.

    Args:
        sizes: those of the data, without the axis of samples.
        following: the model's axes that follow one of an input, which are taken first.

    Raises:
        FitError: where there is none, a length is not positive, or a sequence is longer than the axis.
    """
    if lengths and min(lengths) < 1:
        raise FitError(f"a sequence has length {min(lengths)}")
    axes = [_partner(wanted, names, i) for i in range(len(sizes))]
    known = [i for i, (name, _) in enumerate(axes) if name in following]
    known += [i for i, (name, size) in enumerate(axes) if name.lower() in SEQUENCE_NAMES or not isinstance(size, int)]
    if not sizes:
        raise FitError("the data have no axis to which `lengths` could apply")
    place = known[0] if known else 0
    if lengths and max(lengths) > sizes[place]:
        raise FitError(
            f"sequences of up to {max(lengths)} do not go into axis `{axes[place][0]}` of size {sizes[place]}"
        )
    return Ragged(place, sizes[place])


def _partner(wanted: AxisList, names: tuple[str, ...] | None, index: int) -> tuple[str, int | str | None]:
    """The model's axis for a data axis; a nameless one where there is none."""
    if names is not None:
        return next((axis for axis in wanted if axis[0] == names[index]), ("", None))
    return wanted[index] if index < len(wanted) else ("", None)
