"""What an output axis of a reshape contains, in terms of the input axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from nnspec.ir.axes import Atom, Axes, Axis, Size, divide, fuse, known_multiples, multiply
from nnspec.lazy import dataclass


class Kind(Enum):
    IDENTITY = "identity"
    MERGE = "merge"
    PART = "part"
    NEW = "new"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an output axis holds.

    Attributes:
        atoms: slow to fast; None where a bracket falls inside a digit (irreducible).
        axis: the input axis, for IDENTITY.
        shown: the atoms under the names that the input's axes have.
        sources: positions of the input axes that it takes from.
    """

    kind: Kind
    atoms: tuple[Atom, ...] | None
    axis: Axis | None = None
    shown: tuple[Atom, ...] = ()
    sources: tuple[int, ...] = ()

    @property
    def names(self) -> list[str]:
        """What it is made of, each once."""
        return list(dict.fromkeys(atom.name for atom in self.shown))

    def __str__(self) -> str:
        if self.kind is Kind.NEW:
            return "a new axis of size 1"
        if self.atoms is None:
            return "an irregular mixture"
        if self.kind is Kind.IDENTITY and self.axis is not None:
            return self.axis.name
        inner = ", ".join(str(atom) for atom in self.shown)
        return inner if len(self.shown) == 1 else f"({inner})"


@dataclass(frozen=True, slots=True)
class Piece:
    """The digits `(index // step) % size` of one of the input's atoms."""

    index: int
    size: Size
    step: Size = 1

    def cut(self, fast: Size) -> tuple[Piece, Piece]:
        slow = divide(self.size, fast)
        assert slow is not None
        return replace(self, size=slow, step=multiply((self.step, fast))), replace(self, size=fast)


class Reading:
    """The atoms of the axes that a reshape reads, each one thing, whatever it was cut from before."""

    def __init__(self, axes: Axes, sizes: Sequence[Size]) -> None:
        self.axes = axes
        self.atoms = [(i, atom) for i, axis in enumerate(axes) for atom in axis.atoms if atom.size != 1]
        self.multiples = known_multiples([*(atom.size for _, atom in self.atoms), *sizes])
        self.alone = {i for i, axis in enumerate(axes) if sum(place == i for place, _ in self.atoms) == 1}

    def pieces(self) -> list[Piece]:
        return [Piece(place, atom.size) for place, (_, atom) in enumerate(self.atoms)]

    def provenance(self, pieces: Sequence[Piece]) -> Provenance:
        atoms = tuple(self.digits(self.atoms[piece.index][1], piece) for piece in pieces)
        shown = fuse(self.shown(piece) for piece in pieces)
        sources = tuple(dict.fromkeys(self.atoms[piece.index][0] for piece in pieces))
        if any(piece.size != self.atoms[piece.index][1].size for piece in pieces):
            return Provenance(Kind.PART if len(pieces) == 1 else Kind.MIXED, atoms, None, shown, sources)
        whole = [i for i, (axis, _) in enumerate(self.atoms) if axis == sources[0]]
        if [piece.index for piece in pieces] == whole:
            return Provenance(Kind.IDENTITY, atoms, self.axes[sources[0]], shown, sources)
        return Provenance(Kind.MERGE, atoms, None, shown, sources)

    def digits(self, atom: Atom, piece: Piece) -> Atom:
        if piece.size == atom.size:
            return atom
        return replace(atom, size=piece.size, step=multiply((atom.step, piece.step)), label=None)

    def shown(self, piece: Piece) -> Atom:
        """A piece under the name of its axis, or, inside a merged one, under the name that it had before."""
        axis, atom = self.atoms[piece.index]
        name = self.axes[axis].name if axis in self.alone else atom.label
        if name is None:
            return self.digits(atom, piece)
        return self.digits(Atom(key=f"{piece.index}", name=name, size=atom.size, original_size=atom.size), piece)
