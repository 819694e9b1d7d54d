"""What stands where a column may have no gap, of samples whose predictions nobody sees."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count

from nnspec.runtime.ports import Metadata
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.markers import Markers, marker_key
from nnspec.runtime.rules.truth import spellings


def stand_in(body: Metadata, column: str) -> str | int:
    """A value that an input takes for a column, and that is no marker of a missing one.

    Args:
        body: the input, in the metadata; its cells are read (a date is a number).
    """
    encoding = body.get("encoding")
    candidates: Iterable[str | int] = count()
    if encoding in ("category", "multi_hot"):
        candidates = (f"word {number}" for number in count())
    elif encoding == "boolean":
        given = body.get("truths")
        no, yes = spellings((str(given[0]), str(given[1])) if given else None)
        candidates = chain((*no, *yes), no)
    markers = Markers.from_options(body.get("options") or {}).of(column)
    return next(value for value in candidates if marker_key(value) not in markers and not is_missing(str(value)))
