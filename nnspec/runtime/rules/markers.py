"""What stands for a missing value beside what always does (`rules.csv.NULLS`): `na_values` of a source.

    na_values: ["?", -999]                    in all columns
    na_values: {age: -999, "*": "?"}          in a column; `*` are all that the mapping does not name

A marker is text without the blanks around it, or a number, however it is written: `-999` is `-999.0` too. Standard
library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnspec.runtime.rules.label_keys import label_key

OPTION = "na_values"
OTHERS = "*"
Keys = frozenset[str]


@dataclass(frozen=True)
class Markers:
    """The markers of a table.

    Attributes:
        named: by column, in one spelling.
        others: those of all further columns.
    """

    named: tuple[tuple[str, Keys], ...] = ()
    others: Keys = frozenset()

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> Markers:
        """Those of a source's keys."""
        given = options.get(OPTION)
        if given is None:
            return NO_MARKERS
        if not isinstance(given, Mapping):
            return cls((), _keys(given))
        named = tuple((str(name), _keys(values)) for name, values in given.items() if name != OTHERS)
        return cls(named, _keys(given.get(OTHERS, ())))

    def __bool__(self) -> bool:
        return bool(self.named or self.others)

    def of(self, column: str) -> Keys:
        """The markers of a column."""
        return next((keys for name, keys in self.named if name == column), self.others)


NO_MARKERS = Markers()


def _keys(values: object) -> Keys:
    listed = values if isinstance(values, list | tuple) else [values]
    return frozenset(marker_key(value) for value in listed)


def marker_key(value: object) -> str:
    """A value in the spelling that is compared: numbers alike, however they are written."""
    text = label_key(value).strip()
    number = number_of(text)
    return text if number is None else label_key(number)


def number_of(text: str) -> float | None:
    """The number that a text is; None where it is none, or has no end."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def numbers_in(keys: Keys) -> tuple[float, ...]:
    """The markers that are numbers, sorted."""
    return tuple(sorted(number for key in keys if (number := number_of(key)) is not None))


def blank_markers(cells: Sequence[str], keys: Keys) -> Sequence[str]:
    """Cells of which those that are markers hold nothing."""
    found = {cell for cell in set(cells) if marker_key(cell) in keys} if keys else set()
    return ["" if cell in found else cell for cell in cells] if found else cells
