"""What the past of a series says of its future: the seasonal naive forecast, and how large its errors are.

Formula: the seasonal naive forecast of row t + h is the value of row t + h - m·⌈h / m⌉, for a season of m rows; it is
persistence for m = 1. Errors are scaled as Hyndman and Koehler do ("Another look at measures of forecast accuracy",
2006): by the mean of |y(t) - y(t - m)| over the rows of the series that are trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.rows import Rows, arrange
from nnspec.data.section.plan import DataPlan, SlotPlan, WindowPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.runtime.past import error_so_far

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
        return {} if self.labels is None else dict(zip(self.codes.tolist(), self.labels.astype(str), strict=True))


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
        values = np.where(given.missing, np.nan, given.values.astype(np.float64))
        step = layout.position(0) if window.has_steps else None
        scales = trained_scale(values, series, train, window.season)
        codes = np.unique(series[train]).tolist()
        trained[slot.name] = {label_key(names.get(code, "")): scales[code].tolist() for code in codes}
        for name, ends in samples.items():
            scale = error_scale(values, series, train, ends, window.season)
            last, at = values[ends], naive_rows(ends, series, window)
            naive = None if at is None else values[at]
            if window.has_steps:
                scale, last = (np.repeat(each[:, None], len(window.horizon), axis=1) for each in (scale, last))
            elif naive is not None:
                naive = naive[:, 0]
            found[name, slot.name] = History(
                naive=None if naive is None or np.isnan(naive).any() else arrange(naive, layout),
                last=arrange(last, layout) if _is_read(plan, slot) and not np.isnan(last).any() else None,
                scale=arrange(scale, layout),
                series=series[ends],
                horizon=window.horizon,
                step=None if step is None else step + 1,
            )
    return Past(found, names, trained)


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


def naive_rows(ends: Positions, series: Positions, window: WindowPlan) -> Positions | None:
    """`seasonal_rows`, a window's last row where one is before its series begins; None where there is no season."""
    if window.season == 1:
        return None
    rows = seasonal_rows(ends, window.horizon, window.season)
    return np.where(rows >= _first_rows(series, ends)[:, None], rows, ends[:, None])


def _first_rows(series: Positions, at: Positions) -> Positions:
    """The first row of the series of each of these rows."""
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    return np.asarray(starts[np.searchsorted(starts, at, side="right") - 1])


def error_scale(
    values: np.ndarray, series: Positions, train: Positions, ends: Positions, season: int
) -> NDArray[np.float64]:
    """The mean absolute difference of rows a season apart: axes `sample *data`.

    Args:
        values: of all rows in their final order, NaN where one is missing; axes `row *data`.
        train: the positions of the rows that are trained on.
        ends: each window's last row.
    """
    found = trained_scale(values, series, train, season)[series[ends]]
    so_far = error_so_far(values.astype(np.float64), np.flatnonzero(np.diff(series, prepend=-1)), season)[ends]
    is_known = np.isin(series[ends], np.unique(series[train]))
    return np.where(_column(is_known, found), found, so_far)


def trained_scale(values: np.ndarray, series: Positions, train: Positions, season: int) -> NDArray[np.float64]:
    """The mean absolute difference of training rows a season apart, of each series: axes `series *data`; NaN where
    there are none, or it is zero."""
    wide = values.astype(np.float64)
    is_trained = np.zeros(len(wide), dtype=bool)
    is_trained[train] = True
    apart = np.full_like(wide, np.nan)
    apart[season:] = np.abs(wide[season:] - wide[:-season])
    apart[season:][series[season:] != series[:-season]] = np.nan
    apart[:season] = np.nan
    within = np.where(_column(is_trained & np.roll(is_trained, season), wide), apart, np.nan)
    return _mean(*_by_series(within, series))


def _column(flags: NDArray[np.bool_], like: np.ndarray) -> NDArray[np.bool_]:
    return flags.reshape(-1, *(1,) * (like.ndim - 1))


def _by_series(values: np.ndarray, series: Positions) -> tuple[np.ndarray, np.ndarray]:
    """The sum and the number of the values of each series, NaN left out: axes `series *data`."""
    size = (int(series.max()) + 1, *values.shape[1:])
    total, count = np.zeros(size), np.zeros(size)
    np.add.at(total, series, np.nan_to_num(values))
    np.add.at(count, series, ~np.isnan(values))
    return total, count


def _mean(total: np.ndarray, count: np.ndarray) -> NDArray[np.float64]:
    """NaN where nothing is counted, or where it is zero: there is no scale then."""
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=(count > 0) & (total > 0)))
