"""The name of a series that several columns tell apart: one rule for checks, training and a deployed model.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MARK = ", "


def join_names(parts: Iterable[str]) -> str:
    """The parts as one name; no two series have the same."""
    return _MARK.join(f'"{part}"' if _MARK in part or '"' in part else part for part in parts)


def join_keys(columns: Sequence[Sequence[str]]) -> list[str]:
    """The name of each row's series, of its values in these columns."""
    known: dict[tuple[str, ...], str] = {}
    found = []
    for parts in zip(*columns, strict=True):
        if parts not in known:
            known[parts] = join_names(parts)
        found.append(known[parts])
    return found
