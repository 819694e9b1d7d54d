"""Data that are ready to train on: the samples of each split, and the transforms that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnspec.data.augment.augmentation import Augmentation
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.further import Further
from nnspec.data.prepare.history import Past
from nnspec.data.prepare.transforms import InputTransform, OutputTransform

Array = np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Split:
    """One split's samples. Every array has the sample axis first, then the model's axes.

    Where inputs are large, `raw` and `x` hold a `Gathered` in place of an array: it has `shape`, `dtype` and `len()`,
    and `values[indices]` is an array.

    Attributes:
        raw: inputs as the deployed model takes them, by its input: a column each where columns are encoded.
        x: inputs as the network reads them: float32, or the input's own integer dtype.
        y: targets as the network learns them: float32 (scaled, relative, or 0 and 1), or int64 class indices.
        target: targets in original units, or labels.
        last: for each output, the last value of its own columns within the window, in the shape of `target`; None
            where no window holds them.
        rows: the number of each sample's row in the file, from 0; of a window, that of its last row.
        counted: of outputs that are padded, which of their targets count, in the shape of `y`.
        weights: how much each sample counts in a loss, axes `sample`; None where all count the same.
    """

    raw: dict[str, Array]
    x: dict[str, Array]
    y: dict[str, Array]
    target: dict[str, Array]
    last: dict[str, Array | None]
    size: int
    rows: NDArray[np.int64]
    counted: dict[str, NDArray[np.bool_] | None] = field(default_factory=dict)
    weights: NDArray[np.float32] | None = None

    def counts(self, output: str) -> NDArray[np.bool_] | None:
        """Which targets of an output count, axes as theirs; None where all do."""
        return self.counted.get(output)


@dataclass(frozen=True, eq=False)
class Origins:
    """Where samples come from.

    Attributes:
        parts: of each split the rows in the file that it consists of, from 0.
        times: each row's value of `order_by`; None where there is none.
        groups: what tells each row's group or series apart; None where there are none.
    """

    parts: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    times: Array | None = None
    groups: Array | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """All splits, and the transforms that were fitted on the training split.

    Attributes:
        deployment: the transforms.
        steps: of outputs that are padded, the positions of the axes of `y` that run through steps: each step is a row
            of its own to metrics that compare columns, since not every sample has every step.
        left_out: of each split, how many samples a missing value prevents.
        gaps: of each split, by column, how many of its rows lack a value that nothing fills.
        notes: what is worth knowing of the data and no fault.
        past: what it says of the targets of windows.
        origins: the rows that the samples come from.
        augmentation: how training samples are changed at random; None where they are not.
        further: the windows of forecasts that feed on themselves; None where the horizon is all that is forecast.
    """

    splits: dict[str, Split]
    _: KW_ONLY
    deployment: Deployment = field(default_factory=Deployment)
    steps: dict[str, tuple[int, ...]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    past: Past = field(default_factory=Past)
    origins: Origins = field(default_factory=Origins)
    augmentation: Augmentation | None = None
    further: Further | None = None

    def tell_left_out(self) -> str:
        """How many samples each split lacks for missing values, and which columns lack them; empty where none is."""
        if not any(self.left_out.values()):
            return ""
        told = []
        for name, count in self.left_out.items():
            columns = ", ".join(f"{column} {rows}" for column, rows in self.gaps.get(name, {}).items())
            told.append(f"{name} {count}" + (f" (rows without a value: {columns})" if columns else ""))
        return ", ".join(told)

    @property
    def inputs(self) -> Mapping[str, InputTransform]:
        return self.deployment.inputs

    @property
    def outputs(self) -> Mapping[str, OutputTransform]:
        return self.deployment.outputs
