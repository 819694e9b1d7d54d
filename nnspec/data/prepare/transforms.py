"""Transforms of values before and after the network; the deployed graph applies the same ones.

All of it is float32, as in the graph, so that both give the same numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.data.arrays.gathered import each_chunk, is_gathered
from nnspec.data.prepare.functions import FUNCTIONS, INVERSES
from nnspec.data.prepare.levels import Levels
from nnspec.lazy import dataclass
from nnspec.runtime.ports import Metadata
from nnspec.runtime.rules.class_labels import shorten, spell_out

Array = np.ndarray
Float = NDArray[np.float32]
Edges: TypeAlias = "list[float] | list[Edges]"


def _as_float(values: ArrayLike) -> Float:
    return np.asarray(values, dtype=np.float32)


def _as_stand_in(values: ArrayLike) -> Array:
    """What stands in for missing values: floats, or texts as objects."""
    found = np.asarray(values)
    return found.astype(object) if found.dtype.kind == "U" else _as_float(found)


def statistic_of(measure: Callable[..., Array], values: Array, pooled: tuple[int, ...]) -> Array:
    """A statistic that leaves NaN out, taken along the axes `pooled`, which stay with size 1.

    An entry that holds nothing else, such as a late position of sequences that no row reaches, has that of all entries.

    Args:
        measure: as `np.nanmean`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of entries that hold nothing
        found = measure(values, axis=pooled, keepdims=True)
        if np.isnan(found).any():
            found = np.where(np.isnan(found), measure(values, keepdims=True), found)
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class Scaling:
    """`(x - offset) / divisor`. Both have the slot's axes without batch, 1 along those that share statistics."""

    offset: Float
    divisor: Float

    @classmethod
    def fit(cls, values: Array, method: str, along: tuple[int, ...]) -> Scaling:
        """Fits to values with axes `sample *slot`; `along` are positions among the slot's axes.

        NaN is left out; an entry that holds nothing else takes the statistics of all. Where nothing varies the divisor
        is 1.
        """
        pooled = tuple(i for i in range(values.ndim) if i - 1 not in along)
        wide = np.asarray(values, dtype=np.float64)
        if method == "standard":
            offset, divisor = statistic_of(np.nanmean, wide, pooled), statistic_of(np.nanstd, wide, pooled)
        elif method == "robust":
            low, offset, high = (
                statistic_of(partial(np.nanquantile, q=share), wide, pooled) for share in (0.25, 0.5, 0.75)
            )
            divisor = high - low
        elif method == "minmax":
            offset = statistic_of(np.nanmin, wide, pooled)
            divisor = statistic_of(np.nanmax, wide, pooled) - offset
        else:
            raise ValueError(f"unknown scaling {method!r}")
        return cls.of(offset, divisor)

    @classmethod
    def of(cls, offset: Array, divisor: Array) -> Scaling:
        """From statistics that keep the sample axis, with size 1."""
        # A deviation at the level of rounding errors is that of a constant.
        negligible = divisor <= 1e-7 * np.maximum(np.abs(offset), np.finfo(np.float32).tiny)
        divisor = np.where(negligible, 1.0, divisor)
        return cls(_as_float(offset[0]), _as_float(divisor[0]))

    def apply(self, values: Array) -> Float:
        return _as_float((_as_float(values) - self.offset) / self.divisor)

    def invert(self, values: Array) -> Float:
        return _as_float(_as_float(values) * self.divisor + self.offset)

    def to_json(self) -> dict[str, object]:
        return {"offset": self.offset.tolist(), "divisor": self.divisor.tolist()}

    @classmethod
    def from_json(cls, body: Metadata) -> Scaling:
        return cls(_as_float(body["offset"]), _as_float(body["divisor"]))


@dataclass(frozen=True)
class InputTransform:
    """From raw input values to what the network reads.

    Attributes:
        scaling: None leaves values as they are.
        pad_value: steps that hold nothing but this are padding, and stay it.
        step: the position, batch included, of the axis that padding runs along.
        outer: those of the axes before it for each of whose positions padding is another: words within sentences.
        fill: what stands in for missing values (NaN, or the empty text), axes `*input`, 1 along those that share it;
            objects where it is text, and None where none may be missing.
        markers: what stands for missing values where something fills them in, axes as `fill`; each has NaN or the
            empty text for columns that have fewer.
    """

    scaling: Scaling | None = None
    pad_value: float | None = None
    step: int | None = None
    _: KW_ONLY
    fill: Array | None = None
    markers: tuple[Array, ...] = ()
    outer: tuple[int, ...] = ()

    def padding(self, raw: Array) -> NDArray[np.bool_] | None:
        """Where `raw` is padding: axes `batch time` kept, 1 along all others; None where nothing is padded."""
        if self.pad_value is None or self.step is None:
            return None
        others = tuple(i for i in range(1, raw.ndim) if i not in (self.step, *self.outer))
        return np.asarray(np.all(_as_float(raw) == np.float32(self.pad_value), axis=others, keepdims=True))

    def apply(self, raw: Array) -> Array:
        """Axes `batch *input` to the same; float32 where values are scaled."""
        if self.fill is not None:
            values = raw if self.fills_texts else _as_float(raw)
            gaps = self.is_gap(values)
            for marker in self.markers:
                gaps |= values == marker
            raw = np.where(gaps, self.fill, values)
        if self.scaling is None:
            return raw if raw.dtype.kind in "biuOU" else _as_float(raw)
        scaled = self.scaling.apply(raw)
        padding = self.padding(raw)
        return scaled if padding is None else _as_float(np.where(padding, np.float32(self.pad_value or 0.0), scaled))

    @property
    def fills_texts(self) -> bool:
        """Whether what is filled in is text, of which the empty one is missing; NaN is, among numbers."""
        return self.fill is not None and self.fill.dtype.kind == "O"

    @property
    def may_miss(self) -> NDArray[np.bool_]:
        """Which values something stands in for, axes as those of `fill`."""
        stand_ins = np.asarray(np.nan if self.fill is None else self.fill)
        return np.ones(stand_ins.shape, bool) if self.fills_texts else ~np.isnan(stand_ins)

    def is_gap(self, raw: Array) -> NDArray[np.bool_]:
        """Which raw values are missing, by themselves rather than by a marker."""
        return np.asarray(raw == "" if self.fills_texts else np.isnan(raw), np.bool_)

    def to_json(self) -> dict[str, object]:
        scaling = self.scaling.to_json() if self.scaling else None
        fill = {} if self.fill is None else {"fill": self.fill.tolist()}
        markers = {"markers": [marker.tolist() for marker in self.markers]} if self.markers else {}
        outer = {"outer": list(self.outer)} if self.outer else {}
        return {"scaling": scaling, "pad_value": self.pad_value, "step": self.step, **outer, **fill, **markers}

    @classmethod
    def from_json(cls, body: Metadata) -> InputTransform:
        scaling = Scaling.from_json(body["scaling"]) if body.get("scaling") else None
        fill = _as_stand_in(body["fill"]) if body.get("fill") is not None else None
        markers = tuple(map(_as_stand_in, body.get("markers") or ()))
        outer = tuple(body.get("outer") or ())
        return cls(scaling, body.get("pad_value"), body.get("step"), fill=fill, markers=markers, outer=outer)


@dataclass(frozen=True, kw_only=True)
class Relative:
    """Targets are changes against the last value of the same columns in a windowed input.

    Attributes:
        input: the input's name.
        columns: where the target's columns stand along the raw input's feature axis.
        axis: the name of the axis whose last step is meant.
        step: that axis' position in the raw input, batch included; None where the window is one row without an axis.
        feature: the feature axis' position, batch included; None where the input has a single column and no such axis.
        shape: what the last values are reshaped to, batch left out, to be added to the target.
        is_scaled: whether changes are in units of the window's mean magnitude, so that series of unlike scales are
            alike to the network.
    """

    input: str
    columns: tuple[int, ...]
    axis: str
    step: int | None = 1
    feature: int | None = 2
    shape: tuple[int, ...] = (-1,)
    is_scaled: bool = False

    def last(self, raw: Array) -> Float:
        """The last values, axes `batch *shape`, from the raw input."""
        if is_gathered(raw):
            return each_chunk(self.last, raw.step(-1))
        values = self._columns_of(raw)
        if self.step is not None:
            values = np.take(values, -1, axis=self.step)
        return _as_float(values.reshape(len(raw), *self.shape))

    def magnitude(self, raw: Array) -> Float:
        """The mean magnitude of the window's values, 1 where all are 0: axes `batch *shape`."""
        if is_gathered(raw):
            return each_chunk(self.magnitude, raw)
        values = np.abs(self._columns_of(raw))
        if self.step is not None:
            values = values.mean(axis=self.step, dtype=np.float32)
        return _as_float(np.where(values == 0, np.float32(1), values).reshape(len(raw), *self.shape))

    def change(self, values: Array, raw: Array) -> Float:
        """Values as changes: axes `batch *output`."""
        apart = _as_float(values - self.last(raw))
        return _as_float(apart / self.magnitude(raw)) if self.is_scaled else apart

    def restore(self, changes: Array, raw: Array) -> Float:
        """The inverse of `change`."""
        apart = _as_float(changes * self.magnitude(raw)) if self.is_scaled else changes
        return _as_float(apart + self.last(raw))

    def _columns_of(self, raw: Array) -> Float:
        values = _as_float(raw)
        return values if self.feature is None else np.take(values, self.columns, axis=self.feature)

    def to_json(self) -> dict[str, object]:
        return {
            "input": self.input,
            "columns": list(self.columns),
            "axis": self.axis,
            "step": self.step,
            "feature": self.feature,
            "shape": list(self.shape),
            **({"is_scaled": True} if self.is_scaled else {}),
        }

    @classmethod
    def from_json(cls, body: Metadata) -> Relative:
        places = {"step": body["step"], "feature": body["feature"], "shape": tuple(body["shape"])}
        places["is_scaled"] = bool(body.get("is_scaled", False))
        return cls(input=body["input"], columns=tuple(body["columns"]), axis=body["axis"], **places)


@dataclass(frozen=True)
class OutputTransform:
    """From what the network says to original units, or to labels.

    Attributes:
        scaling: of a regression's targets.
        relative: the last values to add back after the scaling is undone.
        classes: the labels in the order of the class indices.
        edges: of numbers cut into classes; nested like the output's axes (1 along those that share edges), then edges.
        function: what a regression's targets go through before they are scaled, see `functions`.
        levels: of quantiles; `scaling` and `relative` then have the output's axes, 1 along that of the levels.
        threshold: where yes begins, chosen on the validation split; None where the spec says it.
    """

    scaling: Scaling | None = None
    relative: Relative | None = None
    classes: list[str | int] | None = None
    _: KW_ONLY
    edges: Edges | None = None
    levels: Levels | None = None
    function: str | None = None
    threshold: float | None = None

    def encode(self, target: Array, raw_inputs: Mapping[str, Array]) -> Float:
        """A regression's targets, axes `batch *output` in original units, as the network learns them.

        Those of quantiles have the axes of the output but for its levels.
        """
        if self.levels is not None:
            plain = replace(self, levels=None)
            return _as_float(self.levels.without(plain.encode(self.levels.beside(target), raw_inputs)))
        values = _as_float(target)
        if self.relative is not None:
            values = self.relative.change(values, raw_inputs[self.relative.input])
        if self.function is not None:
            with np.errstate(all="ignore"):
                values = _as_float(FUNCTIONS[self.function](values))
        return values if self.scaling is None else self.scaling.apply(values)

    def restore(self, prediction: Array, raw_inputs: Mapping[str, Array]) -> Array:
        """The inverse of `encode`; of class indices (integers), the labels. Probabilities stay what they are."""
        if self.classes is not None:
            is_index = np.asarray(prediction).dtype.kind in "iu"
            return np.asarray(self.classes)[prediction] if is_index else np.asarray(prediction)
        values = _as_float(prediction) if self.levels is None else self.levels.moved(prediction)
        if self.scaling is not None:
            values = self.scaling.invert(values)
        if self.function is not None:
            values = _as_float(INVERSES[self.function](values))
        if self.relative is not None:
            values = self.relative.restore(values, raw_inputs[self.relative.input])
        return values

    def cut(self, values: Array) -> NDArray[np.int64]:
        """The class of each number; a value on an edge belongs to the class below.

        Raises:
            ValueError: where there are no edges.
        """
        if self.edges is None:
            raise ValueError("this output has no edges")
        edges = np.asarray(self.edges, dtype=np.float64)
        return np.asarray((np.asarray(values, dtype=np.float64)[..., None] > edges).sum(axis=-1), dtype=np.int64)

    def to_json(self) -> dict[str, object]:
        return {
            "scaling": self.scaling.to_json() if self.scaling else None,
            "relative": self.relative.to_json() if self.relative else None,
            "classes": shorten(self.classes),
            "edges": self.edges,
            **({} if self.levels is None else {"levels": self.levels.to_json()}),
            **({} if self.function is None else {"function": self.function}),
            **({} if self.threshold is None else {"threshold": self.threshold}),
        }

    @classmethod
    def from_json(cls, body: Metadata) -> OutputTransform:
        scaling = Scaling.from_json(body["scaling"]) if body.get("scaling") else None
        relative = Relative.from_json(body["relative"]) if body.get("relative") else None
        levels = Levels.from_json(body["levels"]) if body.get("levels") else None
        return cls(
            scaling,
            relative,
            spell_out(body.get("classes")),
            edges=body.get("edges"),
            levels=levels,
            function=body.get("function"),
            threshold=body.get("threshold"),
        )
