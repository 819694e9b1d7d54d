"""Whether the files of a plan are the same from their check to the end of reading them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import SourcePlan
from nnspec.diagnostics import Fix, SpecError

_Stamp = tuple[int, int, int]


@contextmanager
def refusing_changes(plan: DataPlan) -> Iterator[None]:
    """Raises NN568 where a file changes meanwhile, whatever else that led to.

    A file that grows gives columns of unlike lengths, or half a row: what is told then is that it changed.
    """
    before = {path: (source, _stamp(path)) for source in _sources(plan) for path in source.files()}
    try:
        yield
    except Exception:  # columns of unlike lengths fail anywhere, and not as errors of the user
        _compare(plan, before)
        raise
    _compare(plan, before)


def _stamp(path: Path) -> _Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _compare(plan: DataPlan, before: Mapping[Path, tuple[SourcePlan, _Stamp | None]]) -> None:
    for path, (source, old) in before.items():
        new = _stamp(path)
        if old is None or old == new:
            continue
        what = "was removed" if new is None else f"changed from {old[1]:,} to {new[1]:,} bytes"
        raise _report_change(source, path, what if new is None or old[1] != new[1] else "changed")
    for source in _sources(plan):
        for path in source.files():
            if path not in before:
                raise _report_change(source, path, "is new")


def _report_change(source: SourcePlan, path: Path, what: str) -> SpecError:
    message = f"`{path.name}` {what} while the data was read"
    fix = Fix("wait until nothing writes to it, or read a copy")
    return SpecError.single("NN568", message, source.span, path=source.where, fixes=(fix,))


def _sources(plan: DataPlan) -> Iterator[SourcePlan]:
    """What names files; of a column of paths, the table that has it."""
    for source in [*(slot.source for slot in plan.slots()), *([plan.source] if plan.source else [])]:
        table = source if source.table is None else source.table
        yield from table.parts.values() if table.parts else [table]
