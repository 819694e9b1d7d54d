"""What an input or output takes from a source that makes its values to fit it."""

from __future__ import annotations

from enum import Enum

from nnspec.lazy import dataclass

FOLDER = "folder"  # the column of labels that the subfolders of files are


class Reading(Enum):
    """What a column's values are wanted as.

    NUMBER: numbers. LABEL: labels in one spelling. WORD: words as they stand. ORDER: what sorts rows.
    """

    NUMBER = "number"
    LABEL = "label"
    WORD = "word"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The axes and kind of values that an input or output takes.

    Attributes:
        axes: names and sizes without batch; of targets that are labels, without classes.
        has_labels: whether values are labels rather than numbers.
        is_binary: whether there are two of them.
        ignore: the label of targets that do not count.
        fill: what pads samples that are shorter.
    """

    axes: tuple[tuple[str, int | str | None], ...]
    has_labels: bool = False
    is_binary: bool = False
    ignore: float | str | bool | None = None
    fill: float = 0.0
