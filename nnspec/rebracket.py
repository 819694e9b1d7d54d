"""What a row-major reshape does to named axes, decided exactly.

A reshape never reorders elements, it only moves brackets. Walking the input's atoms against the output's sizes tells of
every output axis whether it *is* an input axis, a merge of whole ones, a part of one, or a mix of pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import permutations

from nnspec.axes import Atom, Axes, Axis, Size, Symbolic, divide, divides, fuse, multiply

MAX_PERMUTED_AXES = 6  # 720 orders


class Kind(Enum):
    IDENTITY = "identity"
    MERGE = "merge"
    PART = "part"
    NEW = "new"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an output axis holds. `atoms` is None where no bracket falls on a boundary (irreducible)."""

    kind: Kind
    atoms: tuple[Atom, ...] | None
    axis: Axis | None = None  # the input axis, for IDENTITY

    def __str__(self) -> str:
        if self.kind is Kind.NEW:
            return "a new axis of size 1"
        if self.atoms is None:
            return "an irregular mixture"
        inner = ", ".join(str(atom) for atom in self.atoms)
        if self.kind is Kind.IDENTITY:
            return self.axis.name if self.axis else inner
        return inner if len(self.atoms) == 1 else f"({inner})"


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
            message = f"{total} elements become {known}, which agrees only where {total} = {known}"
            raise SizeMismatch(message, is_certain=False)
        raise SizeMismatch(f"{total} elements cannot become {known}")
    quotient = divide(total, known)
    if quotient is None or (isinstance(quotient, Symbolic) and not quotient.is_polynomial):
        raise SizeMismatch(f"{total} elements do not divide by {known}")
    constraints: tuple[str, ...] = ()
    if isinstance(quotient, Symbolic) and quotient.coefficient.denominator != 1:
        numerator = Symbolic(Fraction(quotient.coefficient.numerator), quotient.powers)
        constraints = (f"{numerator} % {quotient.coefficient.denominator} == 0",)
    return tuple(quotient if size is None else size for size in sizes), constraints


def rebracket(axes: Axes, sizes: Sequence[Size]) -> Rebracketing:
    """Provenance of every output axis of a row-major reshape from `axes` to `sizes` (which hold as many elements)."""
    atoms = fuse(atom for axis in axes for atom in axis.atoms if atom.size != 1)
    filled = [i for i, size in enumerate(sizes) if size != 1]
    needed = [sizes[i] for i in filled]
    lists: Sequence[tuple[Atom, ...] | None] | None = _walk(atoms, needed)
    if lists is None:  # a leading symbol: the brackets may still be found from the right
        mirrored = _walk(atoms[::-1], needed[::-1], from_right=True)
        lists = None if mirrored is None else [pieces[::-1] for pieces in reversed(mirrored)]
    outputs: list[Provenance] = [Provenance(Kind.NEW, ())] * len(sizes)
    if lists is None:
        lists = _aligned_pieces(atoms, needed)
    for i, pieces in zip(filled, lists, strict=True):
        outputs[i] = Provenance(Kind.MIXED, None) if pieces is None else _classify(fuse(pieces), axes)
    return Rebracketing(tuple(outputs))


def _walk(atoms: Sequence[Atom], sizes: Sequence[Size], *, from_right: bool = False) -> list[tuple[Atom, ...]] | None:
    """The atoms that fill each output, None where a bracket falls inside a digit (irreducible)."""
    queue = list(atoms[::-1])
    result: list[tuple[Atom, ...]] = []
    for size in sizes:
        need, taken = size, list[Atom]()
        while need != 1:
            if not queue:
                return None
            atom = queue.pop()
            if divides(atom.size, need):
                taken.append(atom)
                quotient = divide(need, atom.size)
            elif divides(need, atom.size):
                rest = divide(atom.size, need)
                assert rest is not None
                slow, fast = atom.cut(need if from_right else rest)
                taken.append(fast if from_right else slow)
                queue.append(slow if from_right else fast)
                quotient = 1
            else:
                return None
            assert quotient is not None
            need = quotient
        result.append(tuple(taken))
    return None if queue else result


def _aligned_pieces(atoms: Sequence[Atom], sizes: Sequence[Size]) -> list[tuple[Atom, ...] | None]:
    """Where the whole is irreducible: the outputs both of whose brackets fall between digits are still exact."""
    return [_piece(atoms, sizes, i) for i in range(len(sizes))]


def _piece(atoms: Sequence[Atom], sizes: Sequence[Size], place: int) -> tuple[Atom, ...] | None:
    """The atoms of one output; its brackets are looked for from the right, then from the left."""
    rest = _cut(atoms, multiply(sizes[place + 1 :]), from_right=True)
    found = None if rest is None else _cut(rest[0], sizes[place], from_right=True)
    if found is not None:
        return found[1]
    rest = _cut(atoms, multiply(sizes[:place]), from_right=False)
    found = None if rest is None else _cut(rest[1], sizes[place], from_right=False)
    return None if found is None else found[0]


def _cut(atoms: Sequence[Atom], size: Size, *, from_right: bool) -> tuple[tuple[Atom, ...], tuple[Atom, ...]] | None:
    """The atoms in two, the fast (or, from the left, the slow) part holding `size` elements; None inside a digit."""
    queue = list(atoms if from_right else atoms[::-1])
    taken: list[Atom] = []
    while size != 1:
        if not queue:
            return None
        atom = queue.pop()
        if divides(atom.size, size):
            taken.append(atom)
            quotient = divide(size, atom.size)
            assert quotient is not None
            size = quotient
        elif divides(size, atom.size):
            rest = divide(atom.size, size)
            assert rest is not None
            slow, fast = atom.cut(size if from_right else rest)
            taken.append(fast if from_right else slow)
            queue.append(slow if from_right else fast)
            size = 1
        else:
            return None
    return (tuple(queue), tuple(taken[::-1])) if from_right else (tuple(taken), tuple(queue[::-1]))


def _classify(atoms: tuple[Atom, ...], axes: Axes) -> Provenance:
    for axis in axes:
        if axis.atoms and fuse(a for a in axis.atoms if a.size != 1) == atoms:
            return Provenance(Kind.IDENTITY, atoms, axis)
    if all(_is_complete(atom, axes) for atom in atoms):
        return Provenance(Kind.MERGE, atoms)
    if len(atoms) == 1:
        return Provenance(Kind.PART, atoms)
    return Provenance(Kind.MIXED, atoms)


def _is_complete(atom: Atom, axes: Axes) -> bool:
    """Whether the atom is whole, or as whole as it ever was in the input."""
    return atom.is_whole or any(atom in axis.atoms for axis in axes)


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
        result = rebracket(tuple(axes[i] for i in order), sizes)
        if not result.is_scrambled and agrees(result, declared):
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


def agrees(result: Rebracketing, declared: Sequence[str | None] | None) -> bool:
    """Whether declared names say what the outputs are: an identity keeps its name, no other output takes an input's."""
    if declared is None:
        return True
    return all(name is None or misnamed(p, name) is None for p, name in zip(result.outputs, declared, strict=True))


def misnamed(provenance: Provenance, name: str) -> str | None:
    """What an output that is declared as `name` really holds, None where the name is right."""
    if provenance.kind is Kind.IDENTITY and provenance.axis is not None:
        return None if provenance.axis.name == name else provenance.axis.name
    if provenance.atoms and any(atom.name == name for atom in provenance.atoms):
        return str(provenance)
    return None
