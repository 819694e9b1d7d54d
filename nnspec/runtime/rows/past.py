"""What the rows of a series before a window say: the seasonal naive forecast, and how large its errors are.

Ports that `nnspec evaluate` reads beside a model's inputs name these by `past`: training has the same of its splits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.ports import Array, Metadata

Positions = NDArray[np.int64]


def error_so_far(values: Array, starts: Positions, season: int) -> Array:
    """Of each row the mean absolute difference of rows a season apart, within its series and up to it.

    NaN where there is none, or it is zero. Axes `row column`.

    Args:
        starts: the position at which each series begins.
    """
    count = np.diff(np.append(starts, len(values)))
    begin = np.repeat(starts, count)
    apart = np.full(values.shape, np.nan)
    apart[season:] = np.abs(values[season:] - values[:-season])
    apart[np.arange(len(values)) < begin + season] = np.nan
    known = ~np.isnan(apart)
    zero = np.zeros((1, *values.shape[1:]))
    total = np.concatenate([zero, np.nancumsum(apart, axis=0)])
    number = np.concatenate([zero, np.cumsum(known, axis=0)])
    total, number = total[1:] - total[begin], number[1:] - number[begin]
    return np.asarray(np.divide(total, number, out=np.full(values.shape, np.nan), where=(number > 0) & (total > 0)))


def seasonal_rows(ends: Positions, starts: Positions, horizon: Sequence[int], season: int) -> Positions:
    """The rows whose values the seasonal naive forecast repeats, a window's last row where one is before its series.

    Axes `sample step`.
    """
    steps = np.asarray(horizon)
    rows = ends[:, None] + steps - season * -(-steps // season)
    first = starts[np.searchsorted(starts, ends, side="right") - 1]
    return np.where(rows >= first[:, None], rows, ends[:, None])


def read_past(body: Metadata, values: Array, ends: Positions, starts: Positions) -> Array:
    """What a port reads of the past of windows: axes `sample column`, or `sample step column`.

    Args:
        body: its `past` is `{"errors": season}` or `{"naive": season, "horizon": [...]}`.
        values: of all rows, axes `row column`.
        ends: each window's last row.
    """
    past = body["past"]
    if "errors" in past:
        return np.asarray(error_so_far(values.astype(np.float64), starts, int(past["errors"]))[ends])
    return np.asarray(values[seasonal_rows(ends, starts, past["horizon"], int(past["naive"]))])
