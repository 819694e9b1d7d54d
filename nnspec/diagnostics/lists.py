"""Writes several things in a sentence: "`a`, `b` and `c`"."""

from __future__ import annotations

from collections.abc import Iterable

MAX_SHOWN = 24  # of a long list, the first


def joined(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    known = list(words)
    return f" {last} ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def quoted(names: Iterable[object]) -> str:
    """The same with each name in backquotes."""
    return joined(f"`{name}`" for name in names)


def enumerated(names: Iterable[object], most: int = MAX_SHOWN) -> str:
    """Names in backquotes behind a colon, and `…` where there are more: valid keys: `a`, `b`, …."""
    known = list(names)
    return ", ".join(f"`{name}`" for name in known[:most]) + (", …" if len(known) > most else "")
