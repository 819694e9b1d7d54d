"""What a network will see: rows, columns, statistics, classes, samples and the leakage report, as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from nnspec.data.arrays.gathered import chunks, each_chunk, is_gathered, last_axis, numbered_chunks
from nnspec.data.arrays.mapped import LARGE
from nnspec.data.arrays.summary import summarize_columns
from nnspec.data.dataset import Dataset
from nnspec.data.overview.column_statistics import (
    Values,
    as_dates,
    describe_summary,
    statistics_of,
    summarize_dates,
    to_plain_number,
    type_of,
)
from nnspec.data.overview.leakage import find_leakage
from nnspec.data.overview.likely_markers import advise_words, describe_markers, words_of
from nnspec.data.prepare.encodings.words import WordEncoding
from nnspec.data.prepare.transforms import InputTransform
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.section.ports import port_names
from nnspec.diagnostics import Diagnostic
from nnspec.document.types import JsonObject
from nnspec.runtime.rules.likely_markers import is_written_as_marker
from nnspec.runtime.rules.marker_words import find_marker_words

MOST_CLASSES = 100
_SAMPLES = 3
_SHOWN = 8  # values of a sample


@dataclass(frozen=True, slots=True)
class Overview:
    """Attributes:
    body: the contract of `nnspec data --format json`, and of data.json in a build directory.
    warnings: about what the splits share.
    """

    body: JsonObject
    warnings: tuple[Diagnostic, ...]


def describe(plan: DataPlan, data: Dataset, outputs: Mapping[str, Slot]) -> Overview:
    """Goes through all samples once.

    Args:
        outputs: those of the model.
    """
    ports, leakage = port_names(plan, plan.outputs), find_leakage(plan, data)
    body = {
        "files": [path.name for path in plan.files()][:100],
        "splits": {name: _split(data, name) for name in data.splits},
        "inputs": {name: describe_input(slot, data, ports.get(name)) for name, slot in plan.inputs.items()},
        "outputs": {name: _output(slot, data, outputs.get(name)) for name, slot in plan.outputs.items()},
        "samples": _samples(data),
        "leakage": leakage.report,
    }
    body["notes"] = [*data.notes, *_markers(plan, data, body, ports)]
    return Overview(body, leakage.warnings)


def _markers(plan: DataPlan, data: Dataset, body: JsonObject, ports: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """What is said of numbers, and of words, that may mark missing values."""
    encodings = {port: one for encoded in data.deployment.columns.values() for port, one in encoded.ports.items()}
    for slot in plan.inputs.values():
        told = cast(JsonObject, cast(JsonObject, body["inputs"])[slot.name])
        ends = {column: _ends(cast(JsonObject, one)) for column, one in cast(JsonObject, told["columns"]).items()}
        odd = [column for column, own in ends.items() if column in slot.columns and any(map(is_written_as_marker, own))]
        values = _input_columns(slot, data, ports.get(slot.name)) if odd else {}
        found = [describe_markers(slot, column, values[column], ends[column]) for column in odd]
        yield from filter(None, found)
        for column, port in zip(slot.columns, ports.get(slot.name, ()), strict=False):
            one = encodings.get(port)
            marks = find_marker_words(dict.fromkeys(one.words if isinstance(one, WordEncoding) else (), 1))
            counts = words_of({name: split.raw[port] for name, split in data.splits.items()}, marks) if marks else {}
            if counts:
                yield advise_words(slot.source.source.options, column, counts, "values", "category")
    for slot in plan.outputs.values():
        output = cast(JsonObject, cast(JsonObject, body["outputs"])[slot.name])
        classes = Counter[str]()
        for found_classes in cast(Mapping[str, Mapping[str, int]], output.get("classes") or {}).values():
            classes.update(found_classes)
        if len(slot.columns) == 1 and (marks := find_marker_words(classes)):
            yield advise_words(slot.source.source.options, slot.columns[0], marks, "values", "class")
        own = _ends(output)
        if len(slot.columns) == 1 and any(map(is_written_as_marker, own)):
            yield from filter(None, [describe_markers(slot, slot.columns[0], _targets_of(slot.name, data), own)])


def _ends(told: JsonObject) -> tuple[float, ...]:
    """The least and the largest number of all splits; none of texts."""
    splits = cast(Mapping[str, JsonObject], told.get("splits") or {}).values()
    known = [(float(str(one["min"])), float(str(one["max"]))) for one in splits if one.get("min") is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else ()


def _split(data: Dataset, name: str) -> JsonObject:
    split, origins = data.splits[name], data.origins
    rows = origins.parts[name]
    found: JsonObject = {"rows": len(rows), "samples": split.size, "left_out": data.left_out.get(name, 0)}
    if split.weights is not None:
        weights = split.weights.astype(np.float64)
        found["weights"] = {"min": float(weights.min()), "max": float(weights.max()), "mean": float(weights.mean())}
    if data.left_out.get(name):
        found["missing"] = dict(data.gaps.get(name, {}))
    if origins.groups is not None:
        found["groups"] = len(np.unique(origins.groups[rows]))
    if origins.times is not None:
        times = np.sort(origins.times[rows])  # text has an order, but no minimum
        found |= {"first": _moment(times[0]), "last": _moment(times[-1])}
    return found


def _moment(time: object) -> str:
    """A time without the parts that are zero."""
    return str(time).removesuffix(".000000").removesuffix("T00:00:00")


def columns_of(plan: DataPlan, data: Dataset) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Every column of inputs and outputs with its values by split; classes by name."""
    ports = port_names(plan, plan.outputs)
    for slot in plan.inputs.values():
        for column, values in _input_columns(slot, data, ports.get(slot.name)).items():
            yield f"{slot.name}: {column}", dict(values)
    for name in plan.outputs:
        classes = data.outputs[name].classes
        codes = {split: found.y[name] for split, found in data.splits.items()}
        if classes is not None and codes["train"].dtype.kind in "iu":
            names = np.array([str(label) for label in classes])
            yield name, {split: names[found] for split, found in codes.items()}
        else:
            yield name, _targets_of(name, data)


def _input_columns(slot: SlotPlan, data: Dataset, ports: tuple[str, ...] | None) -> dict[str, Values]:
    if ports is None:
        transform, whole = _padding_of(slot, data), {name: split.raw[slot.name] for name, split in data.splits.items()}
        if transform is not None:
            whole = {name: _without_padding(values, transform) for name, values in whole.items()}
        return _by_column(slot, whole)
    dates = _dates_of(slot)
    return {
        column: {
            name: _each(as_dates, split.raw[port]) if column in dates else split.raw[port]
            for name, split in data.splits.items()
        }
        for column, port in zip(slot.columns, ports, strict=True)
    }


def _dates_of(slot: SlotPlan) -> set[str]:
    return {column.name for column in slot.encodings if column.is_date}


def _each(function: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """What a function gives for samples; of those that are gathered, when they are asked for."""
    return cast(np.ndarray, values.then(function)) if is_gathered(values) else function(values)


def describe_input(slot: SlotPlan, data: Dataset, ports: tuple[str, ...] | None) -> JsonObject:
    """An input's shape, and by column its type and the statistics of each split.

    Args:
        ports: of an input whose columns the file encodes, what they are called there.
    """
    first = next(iter(data.splits.values()))
    whole = {name: split.raw[slot.name] for name, split in data.splits.items()} if ports is None else {}
    transform = _padding_of(slot, data) if ports is None else None
    is_large = bool(whole) and transform is None and all(map(is_gathered, whole.values()))
    if is_large and slot.columns and first.raw[slot.name].ndim > 1:
        found = _gathered_columns(slot, whole)
        if found is not None:
            return found
    columns = _input_columns(slot, data, ports)
    shape = first.x[slot.name].shape[1:] if slot.name in first.x else first.raw[slot.name].shape[1:]
    separators = {column.name: column.separator for column in slot.encodings if column.kind == "multi_hot"}
    told: dict[str, JsonObject] = {}
    for place, (name, given) in enumerate(columns.items()):
        port = ports[place] if ports is not None and name in _dates_of(slot) else None
        if port is not None and is_gathered(first.raw[port]):
            splits = {split: summarize_dates(found.raw[port]) for split, found in data.splits.items()}
            told[name] = {"type": "text", "splits": splits}
        else:
            told[name] = {"type": type_of(whole or given), **statistics_of(given, separators.get(name, ""))}
    if transform is not None:  # which counted as missing so far
        for split, values in whole.items():
            for column in told.values():
                column["splits"][split]["missing"] -= _padded_values(values, transform) // len(told)
    return {"shape": list(shape), "columns": told}


def _gathered_columns(slot: SlotPlan, values: Values) -> JsonObject | None:
    """The same of a large table of numbers, all columns at once; None where its last axis is another one."""
    shape, dtype = next(iter(values.values())).shape, next(iter(values.values())).dtype
    if shape[-1] != len(slot.columns) or dtype.kind not in "biuf":
        return None
    found = {split: [describe_summary(each) for each in summarize_columns(given)] for split, given in values.items()}
    columns = {
        name: {"type": str(dtype), "splits": {split: each[index] for split, each in found.items()}}
        for index, name in enumerate(slot.columns)
    }
    return {"shape": list(shape[1:]), "columns": columns}


def _by_column(slot: SlotPlan, values: Values) -> dict[str, Values]:
    """The parts that have statistics of their own: a table's columns, else everything together."""
    last = next(iter(values.values())).shape[-1:]
    if slot.columns and last == (len(slot.columns),):
        return {
            name: {split: last_axis(found, index) for split, found in values.items()}
            for index, name in enumerate(slot.columns)
        }
    if len(slot.columns) == 1:  # a window of one column, without an axis for it
        return {slot.columns[0]: values}
    return {slot.array or slot.source.kind: values}


def _padding_of(slot: SlotPlan, data: Dataset) -> InputTransform | None:
    """What tells an input's padding; None where it has none that statistics could count."""
    transform = data.inputs.get(slot.name)
    if transform is None or transform.pad_value is None or transform.step is None:
        return None
    return transform if next(iter(data.splits.values())).raw[slot.name].dtype.kind in "biuf" else None


def _without_padding(values: np.ndarray, transform: InputTransform) -> np.ndarray:
    """NaN for what fills sequences up; what is gathered stays so."""

    def blank(part: np.ndarray) -> np.ndarray:
        return np.where(_flags(part, transform), np.nan, part.astype(np.float64))

    return cast(np.ndarray, values.then(blank)) if is_gathered(values) else each_chunk(blank, values)


def _padded_values(values: np.ndarray, transform: InputTransform) -> int:
    """How many values are padding."""
    return sum(int(np.broadcast_to(_flags(part, transform), part.shape).sum()) for part in chunks(values, LARGE))


def _flags(values: np.ndarray, transform: InputTransform) -> np.ndarray:
    found = transform.padding(values)
    assert found is not None
    return found


def _output(slot: SlotPlan, data: Dataset, model: Slot | None) -> JsonObject:
    transform = data.outputs[slot.name]
    first = next(iter(data.splits.values()))
    found: JsonObject = {
        "task": model.task if model is not None else None,
        "shape": list(first.target[slot.name].shape[1:]),
        "columns": list(slot.columns),
    }
    classes = transform.classes or (("0", "1") if model is not None and model.task == "binary" else None)
    if classes is not None and len(classes) <= MOST_CLASSES and _has_codes(first.y[slot.name]):
        found["classes"] = {name: _counts(data, name, slot.name, [str(c) for c in classes]) for name in data.splits}
    else:
        found |= statistics_of(_targets_of(slot.name, data))
    return found


def _targets_of(output: str, data: Dataset) -> dict[str, np.ndarray]:
    """Targets by split, without those of padding."""
    found = {}
    for name, split in data.splits.items():
        targets, counted = split.target[output], split.counts(output)
        if counted is not None and counted.shape == targets.shape:
            targets = np.concatenate([part[counted[at]] for at, part in numbered_chunks(targets, LARGE)])
        found[name] = targets
    return found


def _has_codes(targets: np.ndarray) -> bool:
    return targets.dtype.kind in "iu" or all(bool(np.isin(part, (0, 1)).all()) for part in chunks(targets, LARGE))


def _counts(data: Dataset, split: str, output: str, classes: list[str]) -> dict[str, int]:
    codes, counted = data.splits[split].y[output], data.splits[split].counts(output)
    counts = np.zeros(len(classes), np.int64)
    for part, found in numbered_chunks(codes, LARGE):
        kept = found.reshape(-1) if counted is None else found[counted[part]]
        counts += np.bincount(kept.astype(np.int64), minlength=len(classes))[: len(classes)]
    return {name: int(count) for name, count in zip(classes, counts, strict=False)}


def _samples(data: Dataset) -> list[JsonObject]:
    """The first samples of training, with the first values of each input."""
    train = data.splits["train"]
    encodings = {port: one for encoded in data.deployment.columns.values() for port, one in encoded.ports.items()}
    dates = {port for port, one in encodings.items() if one.kind == "date"}
    return [
        {
            "row": int(train.rows[i]) + 1,
            "inputs": {n: _first_values(as_dates(v[i]) if n in dates else v[i]) for n, v in train.raw.items()},
            "targets": {name: _first_values(values[i]) for name, values in train.target.items()},
        }
        for i in range(min(_SAMPLES, train.size))
    ]


def _first_values(values: np.ndarray) -> list[float | int | str | None]:
    flat = np.asarray(values).reshape(-1)[:_SHOWN].tolist()
    return [_to_shown(value) for value in flat]


def _to_shown(value: object) -> float | int | str | None:
    return to_plain_number(value) if isinstance(value, float) else value if isinstance(value, int) else str(value)
