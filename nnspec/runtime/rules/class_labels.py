"""Labels of classes as a file says them: a list, or where classes have no names their number."""

from __future__ import annotations

from collections.abc import Sequence

Labels = list[str | int]
MOST = 10_000_000  # beyond which a number is damage


def spell_out(said: Labels | int | None) -> Labels | None:
    """The labels, of a number those from 0.

    Raises:
        ValueError: where it is not a number of classes.
    """
    if not isinstance(said, int):
        return said
    if not 0 < said <= MOST:
        raise ValueError(f"{said} is not a number of classes")
    return list(range(said))


def shorten(labels: Sequence[str | int] | None) -> Labels | int | None:
    """What `spell_out` reads: a number in place of the labels 0, 1, 2, …"""
    if labels is None:
        return None
    is_counted = all(type(label) is int and label == i for i, label in enumerate(labels))
    return len(labels) if labels and is_counted else list(labels)
