"""What a reshape was meant to do where it cuts axes, and joins a piece of one with another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nnspec.ir.axes import Atom, Axes, Axis, Size
from nnspec.ir.provenance import Kind
from nnspec.ir.reshape import MAX_PERMUTED_AXES, Rebracketing, find_reordering, keeps_order, rebracket
from nnspec.onnx_axes.tensors import Number


def is_reordered(axes: Axes, sizes: Sequence[Size], result: Rebracketing) -> bool:
    """Whether a reshape gives the sizes of its operand in another order, which only a transpose gives a meaning.

    Also where digits happen to stay whole: 6 channels of a row of 4·6 places that become 24 rows of 6 take each channel
    for 4 of them. Not where axes are merged, and another is cut between the axes that it was merged from.
    """
    before, after = [axis.size for axis in axes if axis.size != 1], [size for size in sizes if size != 1]
    merged = [part.size for part in _apart(axes) if part.size != 1]
    if len(merged) > len(before) and merged != after and Counter(merged) == Counter(after):
        return result.is_scrambled or result.cost > 0
    if before == after or Counter(before) != Counter(after):
        return False
    return result.cost > 0 or not _keeps_apart(axes, result)


def _apart(axes: Axes) -> Iterator[Axis | Atom]:
    """The axes, and in place of one that was merged of whole ones these."""
    for axis in axes:
        if len(axis.atoms) > 1 and all(atom.is_whole for atom in axis.atoms):
            yield from axis.atoms
        else:
            yield axis


def _keeps_apart(axes: Sequence[Axis], result: Rebracketing) -> bool:
    """Whether each axis lies in one, or is made of whole ones."""
    return not result.is_scrambled and all(
        len(provenance.sources) == 1
        or len(provenance.atoms or ()) == sum(len(axes[place].atoms) for place in provenance.sources)
        for provenance in result.outputs
    )


def is_meant(axes: Axes, target: Sequence[Number], sizes: Sequence[Size], result: Rebracketing) -> bool:
    """Whether a reshape that joins pieces of axes does so on purpose: it cuts units alone, or folds an axis."""
    whole = {atom for axis in axes for atom in axis.atoms}
    cut = [atom for provenance in result.outputs for atom in provenance.atoms or () if atom not in whole]
    if all(atom.is_loose for atom in cut):
        is_list = _is_list(axes, target)
        return keeps_order(axes, sizes, None, result, is_list=is_list) and not _is_torn(result, is_loose=True)
    return _is_fold(axes, sizes, result)


def _is_fold(axes: Axes, sizes: Sequence[Size], result: Rebracketing) -> bool:
    """Whether positions that follow each other become one longer row, or a row several positions.

    `(T, C)` becomes `(T/2, 2·C)` where a pyramid of recurrent layers reads two steps at once, and
    `(B, C, H, W)` becomes `(B·C·H/2, 2, W/2, 2)` where a map is cut into patches. Not where another order of axes, or
    neighbours exchanged, would keep every axis apart: then that was meant.
    """
    is_irregular = any(provenance.kind is Kind.MIXED and provenance.atoms is None for provenance in result.outputs)
    if is_irregular or _is_torn(result):
        return False
    if sum(axis.size != 1 for axis in axes) > MAX_PERMUTED_AXES:
        return False
    if _is_cut_into_squares(axes, result):
        return True
    found = find_reordering(axes, sizes)
    if found is not None and _keeps_apart([axes[i] for i in found.order], found.result):
        kept = {found.order[p.sources[0]] for p in found.result.outputs if p.kind is Kind.IDENTITY}
        joined = {i for p in result.outputs if p.kind is Kind.MIXED for i in p.sources}
        if found.result.cost == 0 or kept & joined:
            return False
    if _cuts_places_for_units(axes, sizes, result):
        return False
    return not any(_keeps_apart(axes, rebracket(axes, other)) for other in _with_neighbours_exchanged(sizes))


def _cuts_places_for_units(axes: Axes, sizes: Sequence[Size], result: Rebracketing) -> bool:
    """Whether a list of rows has places in a row, as in boxes `[0, -1, 4]` of a map whose units were not put last."""
    last, before = (result.outputs[-1], result.outputs[-2]) if len(result.outputs) > 1 else (None, None)
    if last is None or before is None or last.kind is not Kind.PART or before.kind is not Kind.MIXED:
        return False
    if any(provenance.kind not in (Kind.IDENTITY, Kind.NEW) for provenance in result.outputs[:-2]):
        return False
    moved = tuple(sorted(axes, key=lambda axis: axis.is_learned))
    found = rebracket(moved, sizes)
    whole = {atom for axis in axes for atom in axis.atoms}
    cut = [atom for provenance in found.outputs for atom in provenance.atoms or () if atom not in whole]
    is_regular = all(provenance.atoms is not None for provenance in found.outputs)
    return is_regular and bool(cut) and all(atom.is_loose for atom in cut)


def _is_cut_into_squares(axes: Axes, result: Rebracketing) -> bool:
    """Whether rows and columns are cut into pieces of one length, and the first axis counts the rows of squares."""
    first, *others = result.outputs
    if len(others) != 3 or not first.atoms or any(provenance.kind is not Kind.PART for provenance in others):
        return False
    within_rows, columns, within_columns = (atom for provenance in others for atom in provenance.atoms or ())
    whole = {atom for axis in axes for atom in axis.atoms}
    return (
        within_rows.size == within_columns.size
        and within_rows.key == first.atoms[-1].key
        and columns.key == within_columns.key
        and all(atom in whole for atom in first.atoms[:-1])
    )


def _with_neighbours_exchanged(sizes: Sequence[Size]) -> Iterator[tuple[Size, ...]]:
    for i, j in pairwise(place for place, size in enumerate(sizes) if size != 1):
        if sizes[i] != sizes[j]:
            other = list(sizes)
            other[i], other[j] = other[j], other[i]
            yield tuple(other)


def _is_torn(result: Rebracketing, *, is_loose: bool = False) -> bool:
    """Whether two pieces of an axis, or of units alone, are each joined with others, which then meet across it.

    One piece alone is a row of boxes for each place, or the group of channels whose statistics are taken.
    """

    def counts(atom: Atom) -> bool:
        return atom.is_loose or not is_loose

    joined = Counter(
        key
        for provenance in result.outputs
        if provenance.kind is Kind.MIXED
        for key in {atom.key for atom in provenance.atoms or () if counts(atom)}
    )
    return any(count > 1 for count in joined.values())


def _is_list(axes: Axes, target: Sequence[Number]) -> bool:
    """Whether a target says no more than that there is a row of so many numbers for each.

    Either all but one size is left to be computed, as in `[-1, 4]`, or that number is last, and all between the batch
    and it is one axis: places of a map and boxes at each, as in `[0, -1, 4]` or `[2, 144, 4]`.
    """
    if sum(size != -1 and size != 1 for size in target) == 1:
        return True
    keeps_batch = bool(target) and bool(axes) and target[0] == axes[0].size
    return keeps_batch and len(target) == 3 and (target[1] == -1 or len(axes) > len(target))
