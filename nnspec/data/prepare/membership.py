"""Which split a row belongs to where its own key, its time or its file decides. Standard library only.

`nnspec check` and the loader ask the same functions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.section.plan import DataPlan
from nnspec.data.section.split_plan import Part
from nnspec.data.sources.base import SourceError, SourcePlan
from nnspec.data.sources.time_order import find_unsortable
from nnspec.diagnostics import Diagnostic
from nnspec.runtime.rules.times import parse_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 64


def drawn_by_key(keys: Iterable[str], parts: Sequence[Part], seed: int) -> list[str | None]:
    """The split of each key: a hash of it and the seed, as a fraction, falls into one; None beyond the last.

    A key stays in its split whatever other rows there are.
    """
    ends: list[tuple[float, str]] = []
    total = 0.0
    for part in parts:
        total += part.fraction or 0.0
        ends.append((1.0 if total > 1 - 1e-9 else total, part.name))
    from hashlib import blake2b  # it loads OpenSSL, which few specs need

    known: dict[str, str | None] = {}
    found = []
    for key in keys:
        if key not in known:
            digest = blake2b(f"{seed}\0{key}".encode("utf-8", "surrogatepass"), digest_size=_BITS // 8).digest()
            fraction = int.from_bytes(digest, "big") / 2**_BITS
            known[key] = next((name for end, name in ends if fraction < end), None)
        found.append(known[key])
    return found


def rows_of_files(source: SourcePlan) -> list[tuple[Path, int]]:
    """The files of a source with their numbers of rows, in the order of the rows.

    Raises:
        SourceError: where the rows are not those of files, one after the other.
    """
    if source.source.is_per_file:
        return [(path, 1) for path in source.files()]
    found = []
    for path in source.files():
        facts = source.source.probe(replace(source, path=path), (), ())
        column = facts.column(facts.names[0]) if facts.names else None
        if column is None or not source.source.is_pattern:
            raise SourceError("its rows are not those of several files")
        found.append((path, column.rows))
    return found


def file_source(plan: DataPlan) -> SourcePlan | None:
    """The source whose files `by: files` divides: the section's, else the first folder whose files are samples."""
    folders = (slot.source for slot in plan.slots() if slot.source.source.is_per_file)
    return plan.source or next(folders, None)


def named_by_file(path: Path, source: SourcePlan, parts: Iterable[Part]) -> list[str]:
    """The splits whose pattern a file matches.

    Within a folder whose files are samples it is the path below the folder, so that `train/*` takes all that is in
    `train`; otherwise the end of the path, as many folders deep as the pattern is.
    """
    labels = [(part.name, part.label) for part in parts if part.label is not None]
    if source.source.is_per_file:
        within = path.relative_to(source.path).as_posix()
        return [name for name, label in labels if fnmatchcase(within, label)]
    names = path.as_posix().split("/")
    return [name for name, label in labels if fnmatchcase("/".join(names[-label.count("/") - 1 :]), label)]


def cut_at_starts(keys: Sequence[Any] | NDArray[Any], starts: Mapping[str, Any], gap: int) -> dict[str, range]:
    """Ranges of consecutive rows, one a split: each begins at its start, `gap` rows later if it is not the first.

    Args:
        keys: ascending.
        starts: of each split in order the key at which it begins; None for the first.
    """
    begins = [0 if start is None else bisect_left(keys, start) for start in starts.values()]
    ends = [*begins[1:], len(keys)]
    return {
        name: range(min(begin + (gap if number else 0), end), end)
        for number, (name, begin, end) in enumerate(zip(starts, begins, ends, strict=True))
    }


def read_starts(plan: DataPlan, sample: object) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The starts of the splits as values of `order_by`, and NN514 where they are none, or not ascending.

    Args:
        sample: one of the values.
    """
    starts: dict[str, Any] = {}
    faults = []
    for part in plan.split.parts:
        start, reason = (None, "") if part.start is None else _as_key(part.start, sample)
        starts[part.name] = start
        before = [other for other in starts.values() if other is not None][:-1]
        if not reason and start is not None and before and not before[-1] < start:
            reason = "is not later than the time at which the split before it begins"
        if reason:
            message = f"`{part.name}: {part.start}` {reason}"
            shown = f"the times look like `{sample}`"
            faults.append(Diagnostic("NN514", message, part.span, path="data.split.by", notes=(shown,)))
            break
    return starts, faults


def _as_key(start: str | float, sample: object) -> tuple[Any, str]:
    """A start as a value of the same kind as `sample`, and why it is none."""
    if isinstance(sample, int | float):
        number = _number(start)
        return number, "" if number is not None else f"is not a number, but the values of the column are (`{sample}`)"
    if isinstance(sample, str):
        strange = find_unsortable([sample, str(start)])
        return str(start), "" if strange is None else "is not in the format of the column"
    moments = parse_times([str(start)])
    return (None, "is not a date such as 2024-06-01") if moments is None else (moments[0], "")


def _number(start: str | float) -> float | None:
    try:
        return float(start)
    except ValueError:
        return None
