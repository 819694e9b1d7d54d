"""What the past of a series says of its future: the seasonal naive forecast, and how large its errors are.

Formula: the seasonal naive forecast of row t + h is the value of row t + h - m·⌈h / m⌉, for a season of m rows; it is
persistence for m = 1. Errors are scaled as Hyndman and Koehler do ("Another look at measures of forecast accuracy",
2006): by the mean of |y(t) - y(t - m)| over the rows of the series that are trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks
from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.rows import Rows, arrange
from nnspec.data.prepare.splits import first_rows
from nnspec.data.section.plan import DataPlan, SlotPlan, WindowPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.runtime.rows.past import error_so_far

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """Of the samples of a split, for one output.

    Attributes:
        naive: the seasonal naive forecast, in the shape of the targets; None where the season is one row, or values
            are missing.
        last: the window's last values, in the shape of the targets; None where no input has them, or some are missing.
        scale: the mean error of seasonal naive forecasts within the training rows of the sample's series, in the shape
            of the targets; of a series without training rows, within its rows up to the window's last one. Not a
            number where it would be zero.
        series: a number for each sample's series.
        horizon: how many rows after the window's last one the targets are.
        step: the axis of the targets that runs along `horizon`, sample included; None where it is a single one.
    """

    naive: np.ndarray | None
    last: np.ndarray | None
    scale: np.ndarray
    series: Positions
    horizon: tuple[int, ...]
    step: int | None

    def first(self, count: int) -> History:
        """The history of the first samples alone."""
        return self.of(slice(0, count))

    def of(self, samples: slice | NDArray[np.bool_]) -> History:
        """The history of some of the samples."""
        naive = None if self.naive is None else self.naive[samples]
        last = None if self.last is None else self.last[samples]
        return replace(self, naive=naive, last=last, scale=self.scale[samples], series=self.series[samples])


@dataclass(frozen=True, eq=False)
class Series:
    """The series of each row, in the final order: a number, and its name; None where there is a single one."""

    codes: Positions
    labels: np.ndarray | None = None

    @property
    def names(self) -> dict[int, str]:
        if self.labels is None:
            return {}
        first = first_rows(self.codes)
        return dict(zip(self.codes[first].tolist(), self.labels[first].astype(str), strict=True))


@dataclass(frozen=True, eq=False)
class Past:
    """What the past says of the targets of windows.

    Attributes:
        histories: by split and output, where these are numbers.
        names: of each number of a series, its name; empty where there is a single one.
        trained: by output, the scale of errors of each series that has training rows, a value a column, by its name.
    """

    histories: dict[tuple[str, str], History] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    trained: dict[str, dict[str, list[float]]] = field(default_factory=dict)


def past_of(
    plan: DataPlan,
    rows: Mapping[tuple[str, str], Rows],
    layouts: Mapping[tuple[str, str], Layout],
    of_rows: Series,
    train: Positions,
    samples: Mapping[str, Positions],
) -> Past:
    """The past of outputs with windows whose data are columns of numbers.

    Args:
        rows: of each input and output, in their final order.
        train: the positions of the rows that are trained on.
        samples: the position of each window's last row, by split.
    """
    window, series = plan.window, of_rows.codes
    found: dict[tuple[str, str], History] = {}
    trained: dict[str, dict[str, list[float]]] = {}
    names = of_rows.names
    for slot in plan.outputs.values() if window is not None else ():
        assert window is not None
        given, layout = rows["outputs", slot.name], layouts["outputs", slot.name]
        is_number = given.values.dtype.kind in "iuf" and slot.classes is None
        if not slot.columns or not slot.is_windowed or not is_number or 0 in window.horizon:
            continue
        values = mapped.map_rows(
            lambda own, gaps: np.where(gaps, np.nan, own.astype(np.float64)), given.values, given.missing
        )
        step = layout.position(0) if window.has_steps else None
        scales, is_trained = trained_scale(values, series, train, window.season), trained_series(series, train)
        codes = np.flatnonzero(is_trained).tolist()
        trained[slot.name] = {label_key(names.get(code, "")): scales[code].tolist() for code in codes}
        made = partial(_apply_to_windows, layout, len(window.horizon) if window.has_steps else 0)
        for name, ends in samples.items():
            errors = error_scale(values, series, scales, is_trained, ends, window.season)
            naive = None
            if window.season > 1:
                naive = mapped.map_row_numbers(
                    partial(_naive_values, values, series, first_rows(series), window, layout), ends
                )
            last = made(lambda at, values=values: values[at], ends) if _is_read(plan, slot) else None  # type: ignore[misc]
            found[name, slot.name] = History(
                naive=None if naive is None or has_nan(naive) else naive,
                last=None if last is None or has_nan(last) else last,
                scale=made(errors, ends),
                series=mapped.take(series, ends),
                horizon=window.horizon,
                step=None if step is None else step + 1,
            )
    return Past(found, names, trained)


def _apply_to_windows(
    layout: Layout, steps: int, function: Callable[[Positions], np.ndarray], ends: Positions
) -> np.ndarray:
    """What a function gives for windows, `sample *data`, once for each step: axes as the targets."""

    def of_part(part: Positions) -> np.ndarray:
        given = function(part)
        return arrange(np.repeat(given[:, None], steps, axis=1) if steps else given, layout)

    return mapped.map_row_numbers(of_part, ends)


def _naive_values(
    values: np.ndarray, series: Positions, starts: Positions, window: WindowPlan, layout: Layout, ends: Positions
) -> np.ndarray:
    found = values[naive_rows(ends, starts, window)]
    return arrange(found if window.has_steps else found[:, 0], layout)


def has_nan(values: np.ndarray) -> bool:
    """Whether some value is none."""
    return any(bool(np.isnan(part).any()) for part in chunks(values))


def _is_read(plan: DataPlan, output: SlotPlan) -> bool:
    """Whether the network sees the past of an output's columns, however they are encoded."""
    return any(
        slot.is_windowed and slot.ahead == "no" and set(output.columns) <= set(slot.columns)
        for slot in plan.inputs.values()
        if slot.source.identity == output.source.identity
    )


def seasonal_rows(ends: Positions, horizon: Sequence[int], season: int) -> Positions:
    """The rows whose values the seasonal naive forecast repeats: axes `sample step`."""
    steps = np.asarray(horizon)
    return np.asarray(ends[:, None] + steps - season * -(-steps // season))


def naive_rows(ends: Positions, starts: Positions, window: WindowPlan) -> Positions:
    """`seasonal_rows`, a window's last row where one is before its series begins.

    Args:
        starts: the position at which each series begins.
    """
    rows = seasonal_rows(ends, window.horizon, window.season)
    first = starts[np.searchsorted(starts, ends, side="right") - 1]
    return np.where(rows >= first[:, None], rows, ends[:, None])


def error_scale(
    values: np.ndarray,
    series: Positions,
    scales: NDArray[np.float64],
    is_trained: NDArray[np.bool_],
    ends: Positions,
    season: int,
) -> Callable[[Positions], NDArray[np.float64]]:
    """The mean absolute difference of rows a season apart, for windows by their last rows: axes `sample *data`.

    Args:
        values: of all rows in their final order, NaN where one is missing; axes `row *data`.
        scales: of each series, from `trained_scale`.
        is_trained: whether a series has training rows.
        ends: the last rows that it is asked for.
    """
    if all(bool(is_trained[series[part]].all()) for part in chunks(ends)):
        return lambda part: scales[series[part]]
    so_far = _error_so_far(values, first_rows(series), season)

    def of_part(part: Positions) -> NDArray[np.float64]:
        found = scales[series[part]]
        return np.where(_column(is_trained[series[part]], found), found, so_far[part])

    return of_part


def _error_so_far(values: np.ndarray, starts: Positions, season: int) -> np.ndarray:
    if not mapped.is_long(values):
        return error_so_far(values, starts, season)
    found = mapped.empty(values.shape, np.float64)
    for start, stop in pairwise([*starts.tolist(), len(values)]):  # a series is in memory at a time
        found[start:stop] = error_so_far(np.array(values[start:stop]), np.zeros(1, np.int64), season)
    return found


def trained_series(series: Positions, train: Positions) -> NDArray[np.bool_]:
    """Whether each series has rows that are trained on: axes `series`."""
    found = np.zeros(_highest(series) + 1, bool)
    for part in chunks(train):
        found[series[part]] = True
    return found


def _highest(series: Positions) -> int:
    return max(int(part.max()) for part in chunks(series))


def trained_scale(values: np.ndarray, series: Positions, train: Positions, season: int) -> NDArray[np.float64]:
    """The mean absolute difference of training rows a season apart, of each series: axes `series *data`; NaN where
    there are none, or it is zero."""
    is_trained = mapped.zeros((len(values),), np.bool_)
    is_trained[train] = True
    size = (_highest(series) + 1, *values.shape[1:])
    total, count = np.zeros(size), np.zeros(size)
    width = 6 * values.nbytes // max(1, len(values))
    for part in mapped.stretches(max(0, len(values) - season), width):
        then = slice(part.start + season, part.stop + season)
        is_counted = is_trained[then] & is_trained[part] & (series[then] == series[part])
        apart = np.abs(values[then].astype(np.float64) - values[part].astype(np.float64))
        within = np.where(_column(is_counted, apart), apart, np.nan)
        np.add.at(total, series[then], np.nan_to_num(within))
        np.add.at(count, series[then], ~np.isnan(within))
        mapped.trim(2 * apart.nbytes)
    return _mean(total, count)


def _column(flags: NDArray[np.bool_], like: np.ndarray) -> NDArray[np.bool_]:
    return flags.reshape(-1, *(1,) * (like.ndim - 1))


def _mean(total: np.ndarray, count: np.ndarray) -> NDArray[np.float64]:
    """NaN where nothing is counted, or where it is zero: there is no scale then."""
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=(count > 0) & (total > 0)))
