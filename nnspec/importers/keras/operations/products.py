"""Products summed over axes: einsum, matmul and similar, all written as einsum equations first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import Constant, ImportFault
from nnspec.importers.keras.operations.constants import as_value
from nnspec.importers.keras.operations.operation import Operation, Rule, rename_axes

_LETTERS = "abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOPQRSTUVWXY"


def _einsum(op: Operation) -> Read | None:
    equation = str(op.config["subscripts"]).replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if not arrow:
        every = "".join(terms).replace(".", "")
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set(every) if every.count(c) == 1))
    operands = op.tensors
    if len(terms) != len(operands):
        return None
    terms, right = _written_out(terms, right, _ranks(op, *operands))
    return add_einsum(op, operands, terms, right)


def _written_out(terms: Sequence[str], result: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The same with letters for `...`."""
    free = [letter for letter in _LETTERS if letter not in "".join(terms)]
    counts = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    most = max((count for term, count in zip(terms, counts, strict=True) if "..." in term), default=0)
    dots = "".join(free[:most])
    written = [term.replace("...", dots[most - count :]) for term, count in zip(terms, counts, strict=True)]
    return written, result.replace("...", dots)


def add_einsum(op: Operation, operands: Sequence[Read | Constant], terms: Sequence[str], result: str) -> Read:
    """A product by an equation; the term of every value that is read begins with the batch, that of no constant has it.

    Raises:
        ImportFault: where samples meet each other, or a term names an axis twice.
    """
    batch = result[:1]
    reads, terms = _as_values(op, operands, terms, batch)
    if not batch or any(term[:1] != batch for term in terms) or any(batch in term[1:] for term in (*terms, result)):
        raise op.over_batch()
    if any(len(set(term)) != len(term) for term in terms):
        raise ImportFault(f"{op.description} takes the diagonal of a value, which no layer expresses")
    if op.call.distributed:
        raise ImportFault(f"{op.description} multiplies inside a `TimeDistributed`, which no layer expresses")
    names: dict[str, str] = {}
    ready: list[Read] = []
    for read, term in zip(reads, terms, strict=True):
        axes = op.axes(read)
        taken = list(names.values())
        changes: dict[str, str] = {}
        gone = [place for place, letter in enumerate(term[1:]) if _is_repeated(op, reads, terms, place, letter, read)]
        for place, letter in enumerate(term[1:]):
            own = axes[place].name
            if place in gone:
                continue
            if letter not in names:
                names[letter] = free_name(own, taken) if own not in taken else free_name(f"other_{own}", taken)
                taken.append(names[letter])
            if names[letter] != own:
                changes[own] = names[letter]
        ready.append(rename_axes(op, op.dropped(read, gone), changes))
    if len(ready) == 1:
        raise ImportFault(f"{op.description} reads one value, where `einsum` multiplies several")
    unit = [letter for letter in result[1:] if letter not in names]
    made = op.add("einsum", {"axes": [names[letter] for letter in result[1:] if letter in names]}, ready)
    for letter in unit:
        made = op.inserted(made, result.index(letter) - 1)
    return made


def _as_values(
    op: Operation, operands: Sequence[Read | Constant], terms: Sequence[str], batch: str
) -> tuple[list[Read], list[str]]:
    """Constants as values, which have a batch as others do."""
    like = op.reads[0]
    reads, written = [], []
    for operand, term in zip(operands, terms, strict=True):
        if isinstance(operand, Constant):
            names = [op.new_name(f"part_{place + 1}", like) for place in range(operand.rank)]
            reads.append(as_value(op, operand, like, names))
            written.append(batch + term)
        else:
            reads.append(operand)
            written.append(term)
    return reads, written


def _is_repeated(
    op: Operation, reads: Sequence[Read], terms: Sequence[str], place: int, letter: str, read: Read
) -> bool:
    """Whether an axis of size 1 stands for any number of positions, which another value has."""
    if op.sizes(read)[place] != 1:
        return False
    sizes = [
        op.sizes(other)[term.index(letter) - 1]
        for other, term in zip(reads, terms, strict=True)
        if letter in term and other is not read
    ]
    return any(size != 1 for size in sizes)


def _matmul(op: Operation) -> Read | None:
    left, right = op.tensors
    ranks = _ranks(op, left, right)
    row, inner, column = (_LETTERS[40 + i] for i in range(3))
    if isinstance(left, Constant):
        return None
    if isinstance(right, Constant) and right.rank <= 2:
        along = _LETTERS[: ranks[0] - 1]
        out = column if right.rank == 2 else ""
        return add_einsum(op, [left, right], [along + inner, inner + out], along + out)
    if isinstance(right, Constant) or ranks[0] != ranks[1] or ranks[0] < 3:
        return None
    along = _LETTERS[: ranks[0] - 2]
    return add_einsum(op, [left, right], [along + row + inner, along + inner + column], along + row + column)


def _ranks(op: Operation, *operands: Read | Constant) -> list[int]:
    """How many axes each has, batch included where there is one."""
    return [operand.rank if isinstance(operand, Constant) else 1 + len(op.axes(operand)) for operand in operands]


def _dot(op: Operation) -> Read | None:
    """The last axis of one with the last but one of the other."""
    left, right = op.tensors
    if isinstance(left, Constant) or not isinstance(right, Constant) or not right.rank:
        return None  # two values would pair every sample with every other
    return _tensordot(op, ([-1], [-2 if right.rank > 1 else -1]))


def _tensordot(op: Operation, given: tuple[list[int], list[int]] | None = None) -> Read | None:
    left, right = op.tensors
    axes: int | Sequence[int | Sequence[int]] = given or op.config.get("axes", 2)
    if isinstance(left, Constant) or not isinstance(right, Constant):
        return None
    ranks = _ranks(op, left, right)
    if isinstance(axes, int):
        pairs = list(zip(range(ranks[0] - axes, ranks[0]), range(axes), strict=True))
    else:
        first, second = ([side] if isinstance(side, int) else list(side) for side in axes)
        pairs = [(a % ranks[0], b % ranks[1]) for a, b in zip(first, second, strict=True)]
    mine = list(_LETTERS[: ranks[0]])
    theirs = list(_LETTERS[ranks[0] : ranks[0] + ranks[1]])
    for a, b in pairs:
        theirs[b] = mine[a]
    summed = {mine[a] for a, _ in pairs}
    if mine[0] in summed:
        raise op.over_batch()
    result = [letter for letter in (*mine, *theirs) if letter not in summed]
    return add_einsum(op, [left, right], ["".join(mine), "".join(theirs)], "".join(result))


RULES: Mapping[str, Rule] = {"Einsum": _einsum, "Matmul": _matmul, "Dot": _dot, "Tensordot": _tensordot}
