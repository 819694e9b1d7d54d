"""Named axes: what a tensor's dimensions *are*, not only how long they are.

A size is an `int` or a `Symbolic` monomial. An axis is a list of atoms, slow to fast; atoms survive merges, so that a
wrong unflatten is caught as surely as a wrong reshape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from fractions import Fraction
from math import lcm, prod

from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A positive monomial such as `T`, `5·T` or `T/2`: a coefficient times powers of symbols, sorted by name."""

    coefficient: Fraction
    powers: tuple[tuple[str, int], ...]

    @classmethod
    def symbol(cls, name: str) -> Symbolic:
        return cls(Fraction(1), ((name, 1),))

    @property
    def is_polynomial(self) -> bool:
        """Whether the denominator has no symbol."""
        return all(power > 0 for _, power in self.powers)

    def __str__(self) -> str:
        symbols = "·".join(name if power == 1 else f"{name}^{power}" for name, power in self.powers)
        text = symbols if self.coefficient.numerator == 1 else f"{self.coefficient.numerator}·{symbols}"
        return text if self.coefficient.denominator == 1 else f"{text}/{self.coefficient.denominator}"


Size = int | Symbolic


def _as_symbolic(size: Size) -> Symbolic:
    return Symbolic(Fraction(size), ()) if isinstance(size, int) else size


def _normal(coefficient: Fraction, powers: dict[str, int]) -> Size | None:
    kept = tuple(sorted((name, power) for name, power in powers.items() if power))
    if kept:
        return Symbolic(coefficient, kept)
    return int(coefficient) if coefficient.denominator == 1 else None


def multiply(sizes: Iterable[Size]) -> Size:
    """The product; of nothing, 1."""
    sizes = tuple(sizes)
    numbers = [size for size in sizes if isinstance(size, int)]
    if len(numbers) == len(sizes):
        return prod(numbers)
    coefficient, powers = Fraction(1), dict[str, int]()
    for size in sizes:
        if isinstance(size, int):
            coefficient *= size
            continue
        coefficient *= size.coefficient
        for name, power in size.powers:
            powers[name] = powers.get(name, 0) + power
    result = _normal(coefficient, powers)
    assert result is not None
    return result


def divide(size: Size, by: Size) -> Size | None:
    """`size / by`, None where both are numbers and it does not divide. A symbolic result may carry a fraction."""
    if isinstance(size, int) and isinstance(by, int):
        return size // by if by and size % by == 0 else None
    left, right = _as_symbolic(size), _as_symbolic(by)
    if not right.coefficient:
        return None
    powers = dict(left.powers)
    for name, power in right.powers:
        powers[name] = powers.get(name, 0) - power
    return _normal(left.coefficient / right.coefficient, powers)


def divides(by: Size, size: Size, multiples: Mapping[str, int] | None = None) -> bool:
    """Whether `size / by` is a whole number for every value of the symbols.

    Args:
        multiples: for symbols of which something is known, a number that divides them.
    """
    quotient = divide(size, by)
    if quotient is None:
        return False
    if isinstance(quotient, int):
        return quotient >= 1
    least = quotient.coefficient
    for name, power in quotient.powers:
        least *= (multiples or {}).get(name, 1) ** max(power, 0)
    return quotient.is_polynomial and least.denominator == 1


def known_multiples(sizes: Iterable[Size]) -> dict[str, int]:
    """What sizes that are whole numbers say of their symbols: where `T/2` is a size, 2 divides T."""
    result: dict[str, int] = {}
    for size in sizes:
        if isinstance(size, Symbolic) and len(size.powers) == 1 and size.powers[0][1] == 1:
            name = size.powers[0][0]
            result[name] = lcm(result.get(name, 1), size.coefficient.denominator)
    return result


def substitute(size: Size, name: str, number: int) -> Size:
    """The size where a symbol is this number; as it is where that would be no whole number."""
    if isinstance(size, int):
        return size
    power = dict(size.powers).get(name, 0)
    rest = {key: value for key, value in size.powers if key != name}
    found = _normal(size.coefficient * Fraction(number) ** power, rest)
    return size if found is None else found


def derived(text: str) -> Symbolic:
    """A size that is not a monomial, such as `(T - 4)`, as a new symbol."""
    return Symbolic.symbol(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """An indivisible piece of an axis: the digits `(index // step) % size` of the axis `name`, which has
    `original_size` elements.

    `key` tells originals of the same name apart; `origin` is the input axis whose positions it follows, if any;
    `label` is what the axis that it made up alone was called before it was merged; `is_loose` says that its digits have
    no order of their own to lose, as those of units and filters have none.
    """

    key: str
    name: str
    size: Size
    original_size: Size
    step: Size = 1
    origin: str | None = None
    label: str | None = field(default=None, compare=False)
    is_loose: bool = field(default=False, compare=False)

    @property
    def is_whole(self) -> bool:
        return self.step == 1 and self.size == self.original_size

    def cut(self, fast: Size) -> tuple[Atom, Atom]:
        """The slow and the fast piece, the latter of size `fast`."""
        slow = divide(self.size, fast)
        assert slow is not None
        return (
            replace(self, size=slow, step=multiply((self.step, fast)), label=None),
            replace(self, size=fast, label=None),
        )

    def __str__(self) -> str:
        if self.is_whole:
            return self.name
        if self.step == 1:
            return f"{self.name} % {self.size}"
        text = f"{self.name} // {self.step}"
        return text if multiply((self.size, self.step)) == self.original_size else f"({text}) % {self.size}"


def fuse(atoms: Iterable[Atom]) -> tuple[Atom, ...]:
    """Joins neighbours that are consecutive digits of one original."""
    result: list[Atom] = []
    for atom in atoms:
        last = result[-1] if result else None
        if last is not None and last.key == atom.key and last.step == multiply((atom.step, atom.size)):
            result[-1] = replace(atom, size=multiply((last.size, atom.size)), label=None)
        else:
            result.append(atom)
    return tuple(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A named axis.

    Attributes:
        atoms: what it consists of, slow to fast; an axis of size 1 may have none.
        is_learned: made by a layer (units, filters), so its order means nothing in itself.
        is_laid_out: learned, and cut or named as places by the author: whatever order it is given is its order, as
            there was none to lose (the height and width that a generator makes of its units).
        origin: the input axis whose positions it still follows (`time` after a convolution over time), if any.
    """

    name: str
    size: Size
    atoms: tuple[Atom, ...]
    is_learned: bool = False
    origin: str | None = None
    is_laid_out: bool = False

    def renamed(self, name: str) -> Axis:
        """The axis under another name; a learned one that is named as places are is laid out."""
        return replace(self, name=name, is_laid_out=self.is_laid_out or (self.is_learned and names_places(name)))

    def __str__(self) -> str:
        return f"{self.name} {self.size}"


Axes = tuple[Axis, ...]


def fresh(
    name: str,
    size: Size,
    owner: str,
    *,
    is_learned: bool = False,
    origin: str | None = None,
    is_laid_out: bool = False,
) -> Axis:
    """A new axis that consists of itself. `owner` (a node or input) tells axes of the same name apart."""
    is_loose = is_learned and not is_laid_out
    atom = Atom(
        key=atom_key(owner, name), name=name, size=size, original_size=size, step=1, origin=origin, is_loose=is_loose
    )
    atoms = () if size == 1 else (atom,)
    return Axis(name=name, size=size, atoms=atoms, is_learned=is_learned, origin=origin, is_laid_out=is_laid_out)


def atom_key(owner: str, name: str) -> str:
    """What tells the axis `name` that `owner` made from all others of that name."""
    return f"{owner}.{name}"


def whole_of(atoms: Iterable[Atom]) -> Atom | None:
    """The one original that these atoms are when put together, if they are one."""
    fused = fuse(atoms)
    return fused[0] if len(fused) == 1 and fused[0].is_whole else None


def origin_of(atoms: Iterable[Atom]) -> str | None:
    """The input axis that atoms follow, where they are one whole axis again."""
    whole = whole_of(atoms)
    return whole.origin if whole is not None else None


def named_atoms(atoms: tuple[Atom, ...], name: str) -> tuple[Atom, ...]:
    """The atoms of an axis called `name`: pieces that are called after their original are that original again."""
    whole = whole_of(atoms)
    return (replace(whole, label=None),) if whole is not None and whole.name == name else atoms


def resized(axis: Axis, size: Size, owner: str) -> Axis:
    """The axis after a window slid along it: same name and origin, new positions."""
    return fresh(
        axis.name,
        size,
        owner,
        is_learned=axis.is_learned,
        origin=axis.origin,
        is_laid_out=axis.is_laid_out,
    )


def names(axes: Iterable[Axis]) -> tuple[str, ...]:
    return tuple(axis.name for axis in axes)


def sizes(axes: Iterable[Axis]) -> tuple[Size, ...]:
    return tuple(axis.size for axis in axes)


def index_of(axes: Sequence[Axis], name: str) -> int | None:
    return next((i for i, axis in enumerate(axes) if axis.name == name), None)


def describe(axes: Iterable[Axis]) -> str:
    """`(time 10, feature 5)`."""
    return "(" + ", ".join(str(axis) for axis in axes) + ")"


def known_size(size: Size) -> int | None:
    """The size as a number, None where it is symbolic."""
    return size if isinstance(size, int) else None


def size_to_json(size: Size) -> int | str:
    return size if isinstance(size, int) else str(size)


# What the usual names say about an axis, in the singular. Unknown names say nothing.
SEQUENCE = frozenset(
    (
        *("time", "step", "timestep", "time_step", "t", "frame", "position", "token", "word", "lookback", "look_back"),
        *("sequence", "seq", "seq_len", "sequence_length", "lag", "date", "second", "minute", "hour", "day", "week"),
        *("month", "quarter", "year", "char", "letter", "sample", "block", "segment", "chunk"),
    )
)
PLACES = frozenset(("height", "width", "depth", "row", "column", "patch", "pixel", "point", "place", "region"))
UNORDERED = frozenset(
    (
        *("feature", "channel", "filter", "unit", "class", "embedding", "variable", "cepstrum", "mfcc", "output"),
        *("sensor", "logit", "head"),
    )
)


def has_word(name: str | None, words: frozenset[str]) -> bool:
    """Whether a name, or what it is the plural of, is one of the words."""
    word = (name or "").lower()
    return word in words or word.removesuffix("s") in words or word.removesuffix("es") in words


# What layers call the axes that they make where the spec gives no name; a number tells several apart.
_MADE_UP = r"(unit|filter|embedding)(_\d+)?"


def has_own_name(axis: Axis) -> bool:
    """Whether its name says something: that of an input, or one that the spec gave."""
    return not axis.is_learned or re.fullmatch(_MADE_UP, axis.name) is None


def is_named_freely(axis: Axis) -> bool:
    """Whether the spec gave what a layer made a name that is not one of features: `as: hour`."""
    return axis.is_learned and has_own_name(axis) and not has_word(axis.name, UNORDERED)


def names_places(name: str | None) -> bool:
    """Whether a name says that neighbours are neighbours in time or space."""
    return has_word(name, SEQUENCE | PLACES)


def is_sequence(axis: Axis) -> bool:
    is_known = not axis.is_learned or axis.is_laid_out
    return is_known and (has_word(axis.name, SEQUENCE) or has_word(axis.origin, SEQUENCE))


def is_unordered(axis: Axis) -> bool:
    """Whether stepping along it makes no sense: features, channels, learned axes that nobody laid out."""
    return (axis.is_learned and not axis.is_laid_out) or has_word(axis.name, UNORDERED)
