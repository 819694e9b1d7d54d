"""The effect of a row-major reshape on named axes, decided exactly.

A reshape never reorders elements, it only moves brackets. Walking the input's atoms against the output's sizes tells of
every output axis whether it *is* an input axis, a merge of whole ones, a part of one, or a mix of pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import permutations

from nnspec.ir.axes import Axes, Size, Symbolic, divide, divides, has_own_name, multiply, whole_of
from nnspec.ir.provenance import Kind, Piece, Provenance, Reading
from nnspec.lazy import dataclass

MAX_PERMUTED_AXES = 6  # 720 orders


@dataclass(frozen=True, slots=True)
class Rebracketing:
    """The result of a reshape: a provenance for each output axis, and constraints on symbols that it needs."""

    outputs: tuple[Provenance, ...]
    constraints: tuple[str, ...] = ()

    @property
    def is_scrambled(self) -> bool:
        return any(p.kind is Kind.MIXED for p in self.outputs)

    @property
    def cost(self) -> int:
        return sum(p.kind is Kind.PART for p in self.outputs)


class SizeMismatch(Exception):
    """Input and output hold different numbers of elements; the text says which.

    `is_certain` is False where some value of a symbol would make them agree.
    """

    def __init__(self, message: str, *, is_certain: bool = True) -> None:
        super().__init__(message)
        self.is_certain = is_certain


def solve_unknown(axes: Axes, sizes: Sequence[Size | None]) -> tuple[tuple[Size, ...], tuple[str, ...]]:
    """Output sizes with at most one None (Keras' -1) filled in, and the constraints that this needs.

    Raises:
        SizeMismatch: where no size fits.
    """
    total = multiply(axis.size for axis in axes)
    known = multiply(size for size in sizes if size is not None)
    if all(size is not None for size in sizes):
        if known == total:
            return tuple(s for s in sizes if s is not None), ()
        if isinstance(known, Symbolic) or isinstance(total, Symbolic):
            message = f"{total} elements become {known}, which only works if {total} = {known}"
            raise SizeMismatch(message, is_certain=False)
        raise SizeMismatch(f"{total} elements cannot become {known}")
    quotient = divide(total, known)
    if quotient is None or (isinstance(quotient, Symbolic) and not quotient.is_polynomial):
        raise SizeMismatch(f"{total} elements are not divisible by {known}")
    return tuple(quotient if size is None else size for size in sizes), whole_constraint(quotient)


def whole_constraint(size: Size) -> tuple[str, ...]:
    """What must hold for a size to be a whole number; a numerator, prime to the denominator, does not matter.

    `3·T/2` needs `T % 2 == 0`.
    """
    if isinstance(size, int) or size.coefficient.denominator == 1:
        return ()
    return (f"{replace(size, coefficient=Fraction(1))} % {size.coefficient.denominator} == 0",)


def rebracket(axes: Axes, sizes: Sequence[Size]) -> Rebracketing:
    """Provenance of every output axis of a row-major reshape from `axes` to `sizes` (which hold as many elements)."""
    reading = Reading(axes, sizes)
    rest: Sequence[Piece] | None = reading.pieces()
    outputs: list[Provenance] = []
    for place in range(len(sizes) - 1, -1, -1):  # from the right, where symbols are rare
        size = sizes[place]
        if size == 1:
            outputs.append(Provenance(Kind.NEW, ()))
            continue
        if rest is None:  # the axis before ended inside a digit; this one may begin between two
            behind = _cut(reading.pieces(), multiply(sizes[place + 1 :]), reading.multiples)
            rest = None if behind is None else behind[0]
        found = None if rest is None else _cut(rest, size, reading.multiples)
        rest = None if found is None else found[0]
        outputs.append(Provenance(Kind.MIXED, None) if found is None else reading.provenance(found[1]))
    return Rebracketing(tuple(reversed(outputs)))


def _cut(
    pieces: Sequence[Piece], size: Size, multiples: Mapping[str, int]
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    """The pieces in two, the fast part holding `size` elements; None where the bracket falls inside a digit."""
    queue, taken = list(pieces), list[Piece]()
    while size != 1:
        if not queue:
            return None
        piece = queue.pop()
        if divides(piece.size, size, multiples):
            taken.append(piece)
            quotient = divide(size, piece.size)
            assert quotient is not None
            size = quotient
        elif divides(size, piece.size, multiples):
            slow, fast = piece.cut(size)
            taken.append(fast)
            queue.append(slow)
            size = 1
        else:
            return None
    return tuple(queue), tuple(taken[::-1])


@dataclass(frozen=True, slots=True)
class Reordering:
    """A permute of the input's axes after which the reshape keeps every axis apart."""

    order: tuple[int, ...]  # positions of the input's axes, from 0
    result: Rebracketing
    is_unique: bool


def find_reordering(
    axes: Axes, sizes: Sequence[Size], declared: Sequence[str | None] | None = None
) -> Reordering | None:
    """The permute that was meant, if any: outputs become identities, merges or parts that agree with declared names."""
    moving = [i for i, axis in enumerate(axes) if axis.size != 1]
    if len(moving) > MAX_PERMUTED_AXES:
        return None
    found: list[tuple[tuple[int, int], tuple[int, ...], Rebracketing]] = []
    for order in _orders(moving, len(axes)):
        if order == tuple(range(len(axes))):
            continue
        permuted = tuple(axes[i] for i in order)
        result = rebracket(permuted, sizes)
        if not result.is_scrambled and names_fit(permuted, result, declared):
            inversions = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
            found.append(((result.cost, inversions), order, result))
    if not found:
        return None
    found.sort(key=lambda item: item[0])
    unique = sum(item[0] == found[0][0] for item in found) == 1
    return Reordering(found[0][1], found[0][2], unique)


def _orders(moving: list[int], rank: int) -> Iterator[tuple[int, ...]]:
    for permuted in permutations(moving):
        order = list(range(rank))
        for slot, axis in zip(moving, permuted, strict=True):
            order[slot] = axis
        yield tuple(order)


def keeps_order(
    axes: Axes, sizes: Sequence[Size], declared: Sequence[str | None] | None, result: Rebracketing, *, is_list: bool
) -> bool:
    """Whether a reshape that mixes axes only cuts such as have no order: heads that give several boxes a place.

    Not where the sizes are those of a permute that would leave the cut axes whole: then that was meant. Nor where an
    axis of data is merged while a piece of filters has its size, and so is taken for it.

    Args:
        is_list: the sizes say no more than that there is a row of so many numbers for each, as `[-1, 4]` does.
    """
    whole = {atom for axis in axes for atom in axis.atoms}
    mixed = [provenance for provenance in result.outputs if provenance.atoms is None]
    cut = [atom for provenance in result.outputs for atom in provenance.atoms or () if atom not in whole]
    if mixed or not all(atom.is_loose for atom in cut) or not names_fit(axes, result, declared):
        return False
    keys = {atom.key for atom in cut}
    if not is_list and _is_taken_for_data(axes, result, sizes):
        return False
    loose = {i for i, axis in enumerate(axes) if any(atom.key in keys for atom in axis.atoms)}
    moving = [i for i, axis in enumerate(axes) if axis.size != 1]
    if len(moving) > MAX_PERMUTED_AXES:
        return False
    for order in _orders(moving, len(axes)):
        found = rebracket(tuple(axes[i] for i in order), sizes)
        kept = {order[p.sources[0]] for p in found.outputs if p.kind is Kind.IDENTITY}
        if not found.is_scrambled and found.cost == 0 and loose <= kept:
            return False
    return True


def _is_taken_for_data(axes: Axes, result: Rebracketing, sizes: Sequence[Size]) -> bool:
    """Whether an output that holds units or filters alone is as long as an axis of data that is no axis any more.

    What was merged before counts as axes too.
    """
    kept = {p.sources[0] for p in result.outputs if p.kind is Kind.IDENTITY}
    alone = {p.atoms[0].key for p in result.outputs if p.atoms is not None and len(p.atoms) == 1}
    lost = [axis for i, axis in enumerate(axes) if i not in kept and not all(atom.is_loose for atom in axis.atoms)]
    gone = {axis.size for axis in lost}
    gone |= {atom.size for axis in lost for atom in axis.atoms if not atom.is_loose and atom.key not in alone}
    pieces = zip(result.outputs, sizes, strict=True)
    return any(size in gone for p, size in pieces if p.kind is Kind.PART and all(a.is_loose for a in p.atoms or ()))


def names_fit(axes: Axes, result: Rebracketing, declared: Sequence[str | None] | None) -> bool:
    """Whether declared names say what the outputs are: an identity keeps its name, no other output takes an input's."""
    if declared is None:
        return True
    pairs = zip(result.outputs, declared, strict=True)
    return all(name is None or find_misnamed(provenance, name, axes) is None for provenance, name in pairs)


def find_misnamed(provenance: Provenance, name: str, axes: Axes = ()) -> str | None:
    """What an output that is declared as `name` really holds, None where the name is right.

    An identity keeps its name, but for a learned axis that nobody named; merges, parts and new axes take fresh ones. An
    axis that was merged before may have its old name again, and no other output may.
    """
    if provenance.kind is Kind.IDENTITY and provenance.axis is not None:
        is_free = not has_own_name(provenance.axis) and name not in taken_names(axes)
        return None if is_free or provenance.axis.name == name else provenance.axis.name
    whole = whole_of(provenance.atoms or ())
    is_back = provenance.names == [name] and provenance.kind is Kind.MERGE
    if name not in taken_names(axes) or is_back or (whole is not None and whole.name == name):
        return None
    return str(provenance)


def taken_names(axes: Axes) -> set[str]:
    """The names that say something about the values: those of the axes, and of what was merged into them."""
    result = {axis.name for axis in axes if axis.size != 1}
    for axis in axes:
        if len(axis.atoms) > 1:
            result.update(atom.label or atom.name for atom in axis.atoms)
    return result


__all__ = [
    "Kind",
    "Provenance",
    "Rebracketing",
    "Reordering",
    "SizeMismatch",
    "find_misnamed",
    "find_reordering",
    "keeps_order",
    "names_fit",
    "rebracket",
    "solve_unknown",
    "taken_names",
    "whole_constraint",
]
