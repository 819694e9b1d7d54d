"""Fits the transforms of each input and output on the training split, and encodes the targets of every split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered, chunks, each_chunk, is_gathered
from nnspec.data.prepare.fit import FEATURE_NAMES, Layout, has_steps, padded_axes
from nnspec.data.prepare.fit_gaps import fit_fill, markers_for_fill
from nnspec.data.prepare.labels import encode, fit_labels, zeros_and_ones
from nnspec.data.prepare.levels import Levels
from nnspec.data.prepare.missing import fills_in_graph
from nnspec.data.prepare.rows import Rows, arrange
from nnspec.data.prepare.streamed_fit import fit_array, fit_samples
from nnspec.data.prepare.transforms import Edges, InputTransform, OutputTransform, Relative, Scaling, statistic_of
from nnspec.data.section.column_plan import is_outside
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.section.ports import port_names
from nnspec.diagnostics import SpecError
from nnspec.ir.levels import LEVEL
from nnspec.lazy import dataclass

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Fitted:
    """An output's transform, what else encoding its targets takes, and where its last values stand."""

    transform: OutputTransform
    task: str
    labels: list[str | int] | None = None
    last: Relative | None = None


def dtype_of(model: Slot) -> np.dtype[np.generic]:
    """The dtype of an input's raw values as arrays: NumPy has no bfloat16."""
    return np.dtype(np.float32) if model.dtype == "bfloat16" else np.dtype(model.dtype)


def to_dtype(slot: SlotPlan, model: Slot, values: Array) -> Array:
    """Raw input values in the input's dtype.

    Raises:
        SpecError: NN506 where that would change them: a fraction to an integer, or a number out of range.
    """
    if model.is_text:
        return values.astype(object)
    wanted = dtype_of(model)

    def cast(own: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):
            found = own.astype(wanted)
        changed = np.isinf(found) & np.isfinite(own) if wanted.kind == "f" else found != own
        if changed.any():
            first = own[changed].reshape(-1)[0]
            message = f"input `{slot.name}` has dtype {model.dtype}, which cannot represent {first}"
            raise SpecError.single("NN506", message, slot.span_of(slot.data_key), path=slot.where(slot.data_key))
        return found

    return mapped.map_rows(cast, values)


def _own_statistics(plan: DataPlan, slot: SlotPlan, model: Slot, layout: Layout) -> tuple[int, ...]:
    """The positions of the axes whose entries are scaled each for itself."""
    along = slot.scale.along if slot.scale else None
    if along is not None:
        return tuple(i for i, (name, _) in enumerate(model.data_axes) if name in along)
    if slot.columns:
        columns = layout.position(1 if has_steps(plan, slot) else 0)
        return () if columns is None else (columns,)
    return tuple(
        i for i, (name, size) in enumerate(model.data_axes) if name.lower() in FEATURE_NAMES and isinstance(size, int)
    )


def fit_input(
    plan: DataPlan, slot: SlotPlan, model: Slot, layout: Layout, rows: Rows, train: NDArray[np.int64], raw: Array
) -> InputTransform:
    """Fits an input's scaling on the training rows, each counted once, however many windows it is in.

    Args:
        rows: the slot's rows, in order.
        train: the positions of the training rows.
        raw: the training samples, axes `sample *input`.

    Raises:
        SpecError: NN506 where padding cannot be told from data.
    """
    steps = padded_positions(slot, model, layout, rows)
    bare = InputTransform(None, slot.pad_value, steps[-1] if steps else None, outer=tuple(steps[:-1]))
    fill = fit_fill(plan, slot, layout, rows, train) if fills_in_graph(slot, model) else None
    markers = markers_for_fill(slot, fill)
    if slot.scale is None or slot.scale.method == "none":
        return replace(bare, fill=fill, markers=markers)
    along = _own_statistics(plan, slot, model, layout)
    values = raw
    if plan.window is not None and slot.is_windowed and layout.position(0) not in along:
        complete = train if rows.has_none_missing else mapped.take(train, mapped.take(rows.complete, train))
        alone = Gathered(rows.values, complete, finish=lambda v: arrange(v[:, None], layout))
        values = cast(Array, alone) if mapped.is_long(rows.values) else alone[:]
    if is_gathered(values):
        if slot.pad_value is None:
            scaling = fit_samples(values, slot.scale.method, along, fill)
            return replace(bare, scaling=scaling, fill=fill, markers=markers)
        values = np.asarray(values)  # what is padded is no window, and few sequences are so many
    if fill is not None:
        values = np.where(np.isnan(values), fill, values)
    padding = bare.padding(raw)
    if padding is not None:
        values = np.where(padding, np.nan, raw)
    fitted = replace(bare, scaling=Scaling.fit(values, slot.scale.method, along), fill=fill, markers=markers)
    if padding is not None:
        again = fitted.padding(fitted.apply(raw))
        if again is not None and (again & ~padding).any():
            message = f"some scaled steps of input `{slot.name}` contain only {slot.pad_value}, which marks padding"
            span, where = slot.span_of("pad_value"), slot.where("pad_value")
            raise SpecError.single("NN506", message, span, notes=["choose another `pad_value`"], path=where)
    return fitted


def padded_positions(slot: SlotPlan, model: Slot, layout: Layout, rows: Rows) -> list[int]:
    """The positions, batch included, of the axes that padding runs along, the outermost first; empty without any."""
    if slot.pad_value is None:
        return []
    positions = [place + 1 for place in map(layout.position, rows.steps) if place is not None]
    if positions:
        return positions
    found = padded_axes(model.data_axes, is_float=model.is_float)
    if not found:
        message = (
            f"`pad_value` of input `{slot.name}` needs a sequence axis, but none of its axes has the name "
            "of one, such as `time`"
        )
        raise SpecError.single("NN506", message, slot.span_of("pad_value"), path=slot.where("pad_value"))
    names = [name for name, _ in model.data_axes]
    return [names.index(name) + 1 for name in found]


def relative_of(plan: DataPlan, slot: SlotPlan, layout: Layout, source: SlotPlan, source_layout: Layout) -> Relative:
    """Where an output's columns have their last values in the raw input `source`."""
    step, feature = source_layout.position(0), source_layout.position(1)
    columns = tuple(source.columns.index(name) for name in slot.columns)
    name, at = source.name, None if step is None else step + 1
    if source.encodings:  # the column is an input of the file by itself
        name, at = port_names(plan, plan.outputs)[name][columns[0]], 1 if has_steps(plan, source) else None
        columns, feature = (0,), None
    shape = [1] * len(layout.axes)
    place = layout.position(1 if has_steps(plan, slot) else 0)
    if place is not None:
        shape[place] = len(columns)
    return Relative(
        input=name,
        columns=columns,
        axis=source_layout.axes[step] if step is not None else "",
        step=at,
        feature=None if feature is None else feature + 1,
        shape=tuple(shape),
    )


def fit_output(
    plan: DataPlan,
    slot: SlotPlan,
    model: Slot,
    layout: Layout,
    train: Array,
    last: Relative | None,
    raw: Mapping[str, Array],
    counted: Array | None = None,
) -> Fitted:
    """Fits an output's transform on the training targets, axes `sample *output`.

    Args:
        counted: which of them count, axes as theirs; None where all do.

    Raises:
        SpecError: NN508 and NN513, as `labels.fit_labels`.
    """
    task = model.task or "regression"
    if task == "multilabel":
        names: list[str | int] | None = list(model.classes) if model.classes else list(slot.columns) or None
        return Fitted(OutputTransform(classes=names), task)
    if task in ("classification", "binary"):
        if slot.classes is not None and slot.classes.kind in ("quantiles", "edges"):
            edges = _edges(slot, model, train if counted is None else np.where(counted, train, np.nan))
            return Fitted(OutputTransform(classes=_names(slot, model), edges=edges), task)
        labels, classes = fit_labels(slot, model, train if counted is None else train[counted])
        return Fitted(OutputTransform(classes=classes), task, labels)
    relative = replace(last, is_scaled=slot.is_window_scaled) if slot.is_relative and last is not None else None
    unscaled = OutputTransform(relative=relative, function=slot.function)
    if slot.function is not None:
        _check_domain(slot, train)
    scaling = None
    if slot.scale is not None and slot.scale.method != "none":
        along = _own_statistics(plan, slot, model, layout)
        learned = encode_target(unscaled, train, raw)
        known = learned if counted is None else each_chunk(lambda v, c: np.where(c, v, np.nan), learned, counted)
        scaling = fit_array(known, slot.scale.method, along)
    transform = OutputTransform(scaling, relative, function=slot.function)
    return Fitted(_over_levels(transform, model) if model.levels else transform, task, last=last)


def _over_levels(transform: OutputTransform, model: Slot) -> OutputTransform:
    """The transform of targets, for every level of them."""
    place = [name for name, _ in model.axes].index(LEVEL)
    scaling, relative = transform.scaling, transform.relative
    if scaling is not None:
        scaling = Scaling(np.expand_dims(scaling.offset, place), np.expand_dims(scaling.divisor, place))
    if relative is not None:
        relative = replace(relative, shape=(*relative.shape[:place], 1, *relative.shape[place:]))
    return replace(transform, scaling=scaling, relative=relative, levels=Levels(model.levels, place + 1))


def _check_domain(slot: SlotPlan, targets: Array) -> None:
    """Whether a function is defined for all targets.

    Raises:
        SpecError: NN551.
    """
    if outside := sum(is_outside(slot.function, each) for part in chunks(targets) for each in part.ravel().tolist()):
        message = f"{outside} targets of output `{slot.name}` are outside the domain of {slot.function}"
        raise SpecError.single("NN551", message, slot.span_of("columns"), path=slot.where("columns"))


def _names(slot: SlotPlan, model: Slot) -> list[str | int]:
    count = slot.classes.count if slot.classes is not None else None
    return list(model.classes) if model.classes is not None else list(range(count or 0))


def _edges(slot: SlotPlan, model: Slot, train: Array) -> Edges:
    """Edges between classes: axes `*output edge`, 1 along the axes that share them."""
    plan = slot.classes
    assert plan is not None
    if plan.kind == "edges":
        return list(np.array(plan.edges).reshape(*(1,) * (train.ndim - 1), -1).tolist())
    names = [name for name, _ in model.data_axes]
    own = names if plan.along is None else plan.along
    pooled = (0, *(i + 1 for i, name in enumerate(names) if name not in own))
    shares = np.linspace(0, 1, plan.quantiles + 1)[1:-1]
    wide = np.asarray(train, dtype=np.float64)
    found = statistic_of(partial(np.nanquantile, q=shares), wide, pooled)
    return list(np.moveaxis(found[:, 0], 0, -1).tolist())


def _with_harmless(fitted: Fitted, values: Array, counted: Array) -> Array:
    """The values, those that do not count replaced by one that can be encoded."""
    harmless: str | int = fitted.labels[0] if fitted.labels else 0
    if values.dtype.kind in "US":  # text of another row may be longer than the label
        values, harmless = values.astype(object), str(harmless)
        return np.where(counted, values, harmless).astype(str)
    return np.where(counted, values, harmless)


def encode_output(
    slot: SlotPlan,
    split: str,
    fitted: Fitted,
    values: Array,
    raw: Mapping[str, Array],
    counted: Array | None = None,
) -> tuple[Array, Array, Array | None]:
    """A split's targets as the network learns them, in original units or labels, and the last values before them.

    Args:
        counted: which of them count, axes as theirs; None where all do. Those that do not are learned as zeros.
    """
    transform = fitted.transform
    if counted is not None:
        values = _with_harmless(fitted, values, counted)
    if fitted.task == "multilabel":
        ones = each_chunk(partial(zeros_and_ones, slot), values)
        return ones, ones, None
    if fitted.task in ("classification", "binary"):
        cut = transform.cut if transform.edges is not None else partial(_codes, slot, split, fitted.labels or [])
        index = each_chunk(cut, values)
        names = each_chunk(lambda codes: np.asarray(transform.classes)[codes], index)
        return (
            each_chunk(lambda codes: codes.astype(np.float32), index) if fitted.task == "binary" else index,
            names,
            None,
        )
    target = each_chunk(lambda part: part.astype(np.float32), values)
    learned = encode_target(transform, target, raw)
    if counted is not None:
        learned = each_chunk(lambda part, kept: np.where(kept, part, np.float32(0)), learned, counted)
    last = fitted.last.last(raw[fitted.last.input]) if fitted.last else None
    return (
        learned,
        target,
        None if last is None else each_chunk(lambda a, b: np.broadcast_to(a, b.shape).copy(), last, target),
    )


def _codes(slot: SlotPlan, split: str, labels: list[str | int], values: Array) -> Array:
    return encode(slot, split, values, labels)


def encode_target(transform: OutputTransform, target: Array, raw: Mapping[str, Array]) -> Array:
    """`transform.encode`, of many samples in chunks."""
    relative = transform.relative
    if relative is None:
        return each_chunk(lambda part: transform.encode(part, {}), target)
    name = relative.input
    if is_gathered(raw[name]) or mapped.is_long(target):  # of windows the last values alone may be read
        return each_chunk(lambda part, given: transform.encode(part, {name: given}), target, raw[name])
    return transform.encode(target, raw)
