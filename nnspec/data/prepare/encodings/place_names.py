"""What the places of an encoding of words are called, as features of the network."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.data.section.column_plan import UNKNOWN


def place_names(
    column: str, words: Sequence[str], unused: int, *, has_gap_place: bool, unknown_first: bool = False
) -> tuple[str, ...]:
    """A name for each known word, each spare place, unknown words, and gaps where they have a place.

    Args:
        unused: places that were counted for words that no training row has.
        unknown_first: whether the place of unknown words is 0, as an index has it.
    """
    known = [f"{column}={word}" for word in words] + [f"{column}=(unused)"] * unused
    unknown, gap = [f"{column}={UNKNOWN}"], [f"{column}=(missing)"] * has_gap_place
    return tuple([*unknown, *known, *gap] if unknown_first else [*known, *unknown, *gap])
