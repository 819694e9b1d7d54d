"""Which axis of one value is which of another that has the same contents."""

from __future__ import annotations

from collections.abc import Sequence

Named = Sequence[tuple[str, int | str | None]]  # names and sizes; a str is a symbol, None any size


def matching_order(given: Named, wanted: Named) -> tuple[int, ...] | None:
    """For each of the axes `wanted`, the position of the one of `given` that is the same; None where they do not match.

    Axes of one name are the same, the others follow one another: `time feature` and `unit time` are `time feature` and
    `feature time`. Sizes must agree as far as they are known.
    """
    if len(given) != len(wanted):
        return None
    names = [name for name, _ in given]
    shared = {name for name, _ in wanted} & set(names)
    rest = iter([i for i, name in enumerate(names) if name not in shared])
    order = tuple(names.index(name) if name in shared else next(rest) for name, _ in wanted)
    sizes = [(given[i][1], size) for i, (_, size) in zip(order, wanted, strict=True)]
    fits = all(a == b or not (isinstance(a, int) and isinstance(b, int)) for a, b in sizes)
    return order if fits else None
