"""Products summed over axes: einsum, matmul and their like, all of them said in letters first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.operations.operation import Operation, Rule, renamed

_LETTERS = "abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOPQRSTUVWXY"


def _einsum(op: Operation) -> Read | None:
    equation = str(op.config["subscripts"]).replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if not arrow:
        every = "".join(terms).replace(".", "")
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set(every) if every.count(c) == 1))
    ranks = [1 + len(op.axes(read)) for read in op.reads]
    if len(terms) != len(op.operands) or len(op.reads) != len(terms):
        return None
    terms, right = _written_out(terms, right, ranks)
    return contracted(op, op.reads, terms, right)


def _written_out(terms: Sequence[str], result: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The same with letters for `...`."""
    free = [letter for letter in _LETTERS if letter not in "".join(terms)]
    counts = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    most = max((count for term, count in zip(terms, counts, strict=True) if "..." in term), default=0)
    dots = "".join(free[:most])
    written = [term.replace("...", dots[most - count :]) for term, count in zip(terms, counts, strict=True)]
    return written, result.replace("...", dots)


def contracted(op: Operation, reads: Sequence[Read], terms: Sequence[str], result: str) -> Read:
    """A product by an equation whose every term begins with the batch.

    Raises:
        ImportFault: where samples meet each other, or a term names an axis twice.
    """
    batch = result[:1]
    if not batch or any(term[:1] != batch for term in terms) or any(batch in term[1:] for term in (*terms, result)):
        raise op.over_batch()
    if any(len(set(term)) != len(term) for term in terms):
        raise ImportFault(f"{op.said} takes the diagonal of a value, which no layer expresses")
    if op.call.distributed:
        raise ImportFault(f"{op.said} multiplies inside a `TimeDistributed`, which no layer expresses")
    names: dict[str, str] = {}
    operands: list[Read] = []
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
        operands.append(renamed(op, op.dropped(read, gone), changes))
    if len(operands) == 1:
        raise ImportFault(f"{op.said} reads one value, where `einsum` multiplies several")
    unit = [letter for letter in result[1:] if letter not in names]
    made = op.add("einsum", {"axes": [names[letter] for letter in result[1:] if letter in names]}, operands)
    for letter in unit:
        made = op.inserted(made, result.index(letter) - 1)
    return made


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
    if len(op.reads) != 2 or op.constants:
        return None
    left, right = op.reads
    ranks = len(op.axes(left)), len(op.axes(right))
    if ranks[0] != ranks[1] or ranks[0] < 2:
        return None
    along = _LETTERS[: ranks[0] - 1]
    row, inner, column = (_LETTERS[ranks[0] + i] for i in range(3))
    return contracted(op, op.reads, [along + row + inner, along + inner + column], along + row + column)


RULES: Mapping[str, Rule] = {"Einsum": _einsum, "Matmul": _matmul}
