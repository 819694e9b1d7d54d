"""The windows that forecasts which feed on themselves are compared with: their targets reach further than a horizon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encode import to_dtype
from nnspec.data.prepare.history import History, Series, error_scale, naive_rows, trained_scale, trained_series
from nnspec.data.prepare.raw_columns import ColumnRows, raw_columns
from nnspec.data.prepare.rows import Rows
from nnspec.data.prepare.splits import first_rows
from nnspec.data.prepare.windows import take_targets
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan, WindowPlan
from nnspec.data.section.ports import port_names

Array = np.ndarray
Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Further:
    """Of each split the windows that have all rows ahead within it.

    Attributes:
        window: its horizon are all rows that are forecast.
        ends: the position of each window's last row, by split.
        raw: the inputs of windows that end at some positions, by port; those known ahead reach the last row.
        values: of each output its columns, NaN where a value is missing; axes `row column`.
        columns: the names of these.
        series: the series of each row.
        train: the positions of the rows that are trained on.
    """

    window: WindowPlan
    ends: Mapping[str, Positions]
    raw: Callable[[Positions], dict[str, Array]]
    values: Mapping[str, Array]
    columns: Mapping[str, tuple[str, ...]]
    series: Series
    train: Positions

    def targets(self, split: str, output: str) -> Array:
        """Axes `sample row column`."""
        return take_targets(self.values[output], self.ends[split], self.window)

    def history(self, split: str, output: str) -> History:
        """What the past says of these targets, in their shape."""
        values, ends, codes = self.values[output], self.ends[split], self.series.codes
        count, season = len(self.window.horizon), self.window.season
        naive = None if season == 1 else values[naive_rows(ends, first_rows(codes), self.window)]
        scales, is_trained = trained_scale(values, codes, self.train, season), trained_series(codes, self.train)
        scale = error_scale(values, codes, scales, is_trained, ends, season)(ends)
        last = values[ends]
        return History(
            naive=None if naive is None or np.isnan(naive).any() else naive,
            last=None if np.isnan(last).any() else np.repeat(last[:, None], count, axis=1),
            scale=np.repeat(scale[:, None], count, axis=1),
            series=codes[ends],
            horizon=self.window.horizon,
            step=1,
        )


def further_of(
    plan: DataPlan,
    rows: Mapping[tuple[str, str], Rows],
    series: Series,
    train: Positions,
    ends: Mapping[str, Positions],
    raw: Callable[[Positions], dict[str, Array]],
) -> Further:
    """The windows of a plan whose horizon are all rows that are forecast (`WindowPlan.furthest`).

    Args:
        rows: of each input and output, in their final order.
        train: the positions of the rows that are trained on.
        ends: the position of each window's last row, by split.
        raw: the inputs of windows that end at some positions.
    """
    assert plan.window is not None
    values = {}
    for name in plan.outputs:
        given = rows["outputs", name]
        values[name] = np.where(given.missing, np.nan, given.values.astype(np.float64))
    columns = {name: slot.columns for name, slot in plan.outputs.items()}
    return Further(window=plan.window, ends=ends, raw=raw, values=values, columns=columns, series=series, train=train)


def raw_inputs(
    plan: DataPlan,
    rows: Mapping[tuple[str, str], Rows],
    models: Mapping[tuple[str, str], Slot],
    filled: Callable[[SlotPlan, Positions], Array],
    gather: Callable[[SlotPlan, Positions], Array],
    at: Positions,
) -> dict[str, Array]:
    """The inputs of samples at these positions, by port, as the deployed model takes them.

    Args:
        filled: a slot's values with axes `sample *steps *data axes`; `gather`: with those of the model.
    """
    found: dict[str, Array] = {}
    ports = port_names(plan, plan.outputs)
    for slot in plan.inputs.values():
        own = rows["inputs", slot.name]
        if isinstance(own, ColumnRows):
            found |= dict(zip(ports[slot.name], raw_columns(slot, own, filled(slot, at)), strict=True))
        else:
            found[slot.name] = to_dtype(slot, models["inputs", slot.name], gather(slot, at))
    return found
