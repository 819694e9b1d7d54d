"""The columns that sort, group and label rows, and what follows from them for their order and their splits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped, ordered
from nnspec.data.prepare.labels import label_array
from nnspec.data.prepare.loading import ColumnCache, reporting_faults
from nnspec.data.prepare.membership import drawn_by_key, file_source, named_by_file, read_starts, rows_of_files
from nnspec.data.prepare.missing import missing_key
from nnspec.data.prepare.splits import Keys, group_codes
from nnspec.data.prepare.time_order import check_time_order
from nnspec.data.prepare.time_steps import describe_gaps
from nnspec.data.prepare.windows import window_ends
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import Reading
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import SpecError
from nnspec.runtime.rules.series_keys import join_keys

Array = np.ndarray
Positions = NDArray[np.int64]


def _is_ascending(times: Array) -> bool:
    """Whether rows are in order already, equal ones among them; what has no order of its own (NaN) is sorted."""
    before, after, size = times[:-1], times[1:], mapped.STRETCH
    return all(
        bool((after[start : start + size] >= before[start : start + size]).all())
        for start in range(0, len(before), size)
    )


class RowKeys:
    """Reads them when they are asked for.

    Attributes:
        order: each position's row in the file: sorted by `order_by`, series together.
        series: a number for each position's series.
        names: each position's value of the column that tells series apart; None where there is none.
        groups: each position's group, series or key; None where there is none.
        times: each position's value of `order_by`; None where there is none.
        notes: what is worth knowing of the order.

    Raises:
        SpecError: NN504 where a key has gaps, NN514 where rows cannot be sorted by time.
    """

    def __init__(self, plan: DataPlan, tables: ColumnCache, count: int) -> None:
        self.plan, self.tables, self.count = plan, tables, count
        self.order: Positions = mapped.arange(count)
        self.notes: tuple[str, ...] = ()
        times = self.column(plan.order_by) if plan.order_by is not None else None
        if times is not None:
            self.check_order(times)
            if not _is_ascending(times):
                self.order = ordered.argsort(times)
        labels = None if plan.series_column is None else self.column(plan.series_column, is_label=True)
        codes = self.codes(labels)
        if codes is None:
            self.series: Positions = mapped.zeros((count,), np.int64)
        else:
            groups = group_codes(self.in_order(codes), count)
            if _is_ascending(groups):
                self.series = groups
            else:
                together = ordered.argsort(groups)
                self.order, self.series = mapped.take(self.order, together), mapped.take(groups, together)
        self.names = None if labels is None else self.in_order(labels)
        group = plan.split.group or plan.series or plan.split.hash_column
        self.groups = None if group is None else self.in_order(self.column(group, is_label=True))
        self.times = None if times is None else self.in_order(times)
        if self.times is not None and plan.window is not None:
            gaps = describe_gaps(self.times, self.series)
            self.notes = (gaps,) if gaps else ()

    def in_order(self, values: Array) -> Array:
        """What stands by row in the file, by position."""
        return values if mapped.is_arange(self.order) else mapped.take(values, self.order)

    def column(self, name: str, *, is_label: bool = False) -> Array:
        """A column of `source` that orders, labels or groups rows, a row in the file each."""
        source = self.plan.source
        assert source is not None
        parts = self.plan.parts_of(name)
        if len(parts) > 1:
            cells = [self.column(part, is_label=True).tolist() for part in parts]
            return np.array(join_keys([list(map(label_key, each)) for each in cells]), str)
        column = self.tables.columns(source, [name], Reading.LABEL if is_label else Reading.ORDER)[0]
        if column.missing.any():
            span, where = next((s, w) for key, s, w in self.plan.row_keys() if key == name)
            listed = (np.flatnonzero(column.missing) + 1).tolist()
            raise SpecError([missing_key(source, name, listed, span, where)])
        return label_array(column.values) if is_label else column.values

    def check_order(self, values: Array) -> None:
        """Text sorts by time only where it is written the year first, all in one form."""
        if self.plan.split.by != "time" or values.dtype.kind not in "US":
            return
        fault = check_time_order(self.plan, [str(value) for value in values])
        if fault is not None:
            raise SpecError([fault])

    def codes(self, codes: Array | None) -> Array | None:
        """What tells series apart, a row in the file each; None where there is one."""
        if self.plan.joins_files:
            return codes
        files = self.file_numbers()
        return files if codes is None else group_codes(codes, self.count) * (files.max() + 1) + files

    def file_numbers(self) -> Positions:
        """The number of each row's file."""
        source = file_source(self.plan)
        assert source is not None
        with reporting_faults(source):
            counts = [rows for _, rows in rows_of_files(source)]
        ends, numbers = np.cumsum(counts), mapped.arange(int(sum(counts)))
        return mapped.map_rows(lambda rows: np.asarray(np.searchsorted(ends, rows, side="right")), numbers)

    def by_row(self, values: Array | None) -> Array | None:
        """What stands by position, by row in the file."""
        if values is None:
            return None
        if mapped.is_arange(self.order):
            return values
        found = mapped.empty(values.shape, values.dtype)
        for part in mapped.stretches(len(values), values.dtype.itemsize + 8):
            found[self.order[part]] = values[part]
            mapped.trim(len(found[part]) * mapped.AROUND)
        return found

    def split_keys(self, ok: Mapping[str, NDArray[np.bool_]], strata: Array | None) -> Keys:
        """What decides where rows go.

        Args:
            ok: whether a row lacks nothing, by role; axes `position`.
            strata: each position's class, of the first output that is a single label.
        """
        split, groups = self.plan.split, None
        if self.plan.group_column is not None:
            groups = group_codes(self.in_order(self.column(self.plan.group_column, is_label=True)), self.count)
        elif split.has_whole_files:
            groups = group_codes(self.in_order(self.file_numbers()), self.count)
        if split.stratum is not None:
            strata = self.in_order(self.column(split.stratum, is_label=True))
        elif split.is_stratified is False:
            strata = None
        starts = None
        if split.has_starts:
            assert self.times is not None
            found, faults = read_starts(self.plan, self.times[:1].tolist()[0])
            if faults:
                raise SpecError(faults)
            moments = {
                name: np.datetime64(start) if self.times.dtype.kind == "M" and start is not None else start
                for name, start in found.items()
            }
            starts = (self.times, moments)
        return Keys(
            labels=self.labels(),
            starts=starts,
            series=self.series,
            groups=groups,
            usable=self.usable(ok, groups),
            strata=strata,
        )

    def labels(self) -> Array | None:
        """Each position's label, or the split that it names by itself."""
        split = self.plan.split
        if split.by == "files" and split.has_labels:
            source = file_source(self.plan)
            assert source is not None
            named = [next(iter(named_by_file(path, source, split.parts)), "") for path in source.files()]
            table = np.array(named)
            return mapped.map_rows(lambda numbers: table[numbers], self.in_order(self.file_numbers()))
        if split.hash_column is not None:
            keys, names = self.in_order(self.column(split.hash_column, is_label=True)), [p.name for p in split.parts]
            wide = np.array(["", *names]).dtype

            def draw(part: Array) -> Array:
                values, inverse = np.unique(part, return_inverse=True)
                drawn = drawn_by_key(map(label_key, values.tolist()), split.parts, split.seed)
                return np.array([name or "" for name in drawn], wide)[inverse]

            return mapped.map_rows(draw, keys)
        if split.label_column is not None:
            labels = self.in_order(self.column(split.label_column, is_label=True))
            wide = ordered.distinct(labels).astype(str).dtype
            return mapped.map_rows(lambda part: part.astype(wide), labels)
        return None

    def usable(self, ok: Mapping[str, NDArray[np.bool_]], groups: Positions | None) -> NDArray[np.bool_]:
        """Whether a position can be a sample: of windows, of those within one series and group."""
        window = self.plan.window
        if window is None:
            return mapped.map_rows(np.logical_and, ok["inputs"], ok["outputs"])
        runs = (
            self.series if groups is None else group_codes(self.series * (int(groups.max()) + 1) + groups, self.count)
        )
        usable, member = mapped.zeros((self.count,), np.bool_), mapped.zeros((self.count,), np.bool_)
        member[:] = True
        usable[window_ends(member, runs, ok["inputs"], ok["outputs"], window, ok["ahead"])] = True
        return usable
