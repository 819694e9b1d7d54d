"""Inputs too large to be written out: samples are gathered from prepared rows, by the same rules that arrays follow.

What is done to values is done to each row once, wherever it does not depend on the window: casts, encodings, scaling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered, chunk_size, count_rows
from nnspec.data.prepare.encode import dtype_of, to_dtype
from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.encodings.words import GAP, Places, WordEncoding
from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.raw_columns import ColumnRows, Words, raw_column, raw_columns
from nnspec.data.prepare.rows import Rows, arrange
from nnspec.data.prepare.transforms import InputTransform
from nnspec.data.section.column_plan import ColumnPlan
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan

Array = np.ndarray
Positions = NDArray[np.int64]
Samples = Mapping[str, Positions]  # the row of each sample, by split


def steps_of(plan: DataPlan, slot: SlotPlan) -> range | None:
    """The rows that a sample of an input has, relative to its own; None where it is one row without steps."""
    return None if plan.window is None or not slot.is_windowed else plan.window.rows_of(slot)


def is_lazy(plan: DataPlan, slot: SlotPlan, model: Slot, rows: Rows, samples: Samples) -> bool:
    """Whether an input's samples are gathered when they are asked for, rather than written out."""
    if model.is_text or rows.between is not None:  # what lies between known values depends on the window
        return False
    steps = steps_of(plan, slot)
    count = sum(map(len, samples.values())) * (1 if steps is None else len(steps))
    return mapped.is_large((count, *rows.sizes), dtype_of(model))


def raw_samples(
    plan: DataPlan, slot: SlotPlan, model: Slot, layout: Layout, rows: Rows, samples: Samples
) -> dict[str, Gathered]:
    """The samples as the deployed model takes them, by split.

    Raises:
        SpecError: NN506, as `to_dtype`.
    """
    steps, wanted = steps_of(plan, slot), dtype_of(model)
    cast = rows.values
    if cast.dtype != wanted or not cast.flags.c_contiguous:
        cast = mapped.empty(rows.values.shape, wanted)
        for part, used in _used_stretches(rows.values, steps, samples):
            values = rows.values[part]
            to_dtype(slot, model, values[used])
            with np.errstate(invalid="ignore", over="ignore"):
                cast[part] = values.astype(wanted)
    finish = partial(arrange, layout=layout)
    return {name: Gathered(cast, at, steps=steps, finish=finish) for name, at in samples.items()}


def network_samples(raw: Gathered, transform: InputTransform, layout: Layout) -> Gathered:
    """Raw samples as the network reads them. Rows are transformed once where all steps are treated alike."""
    if transform.scaling is None and transform.fill is None and raw.dtype.kind != "f":
        return raw
    step = None if raw.steps is None else layout.position(0)
    fitted = [] if transform.scaling is None else [transform.scaling.offset, transform.scaling.divisor]
    fitted += [] if transform.fill is None else [transform.fill]
    is_alike = transform.pad_value is None and (
        raw.steps is None or (step is not None and all(each.shape[step] == 1 for each in fitted if each.ndim))
    )
    if not fitted and raw.dtype == np.float32:
        return raw
    if not is_alike:
        finish = raw.finish
        assert finish is not None
        return Gathered(raw.rows, raw.at, steps=raw.steps, finish=lambda values: transform.apply(finish(values)))

    def of_rows(values: Array) -> Array:
        """Axes `row *data` to `row *others`: the step axis, which is one row long, comes back as rows are gathered."""
        done = transform.apply(arrange(values if step is None else values[:, None], layout))
        return done if step is None else np.take(done, 0, axis=1 + step)

    rows = _each_row(raw.rows, of_rows)
    return Gathered(rows, raw.at, steps=raw.steps, finish=None if step is None else partial(_with_steps, step=step))


def with_samples(made: Gathered, at: Positions) -> Gathered:
    """The same rows, gathered for the samples of another split."""
    return Gathered(made.rows, at, steps=made.steps, finish=made.finish)


def raw_ports(
    plan: DataPlan, slot: SlotPlan, rows: ColumnRows, ports: tuple[str, ...], samples: Samples
) -> dict[str, dict[str, Gathered]]:
    """Each column of an input of encoded columns as the deployed model takes it, by split and port.

    Raises:
        SpecError: NN506, as `raw_columns`.
    """
    steps = steps_of(plan, slot)
    numbers = [place for place, words in enumerate(rows.words) if words is None]
    alone = replace(slot, encodings=tuple(slot.encodings[place] for place in numbers))
    for part, used in _used_stretches(rows.values, steps, samples):
        raw_columns(alone, replace(rows, words=(None,) * len(numbers)), rows.values[part][used][:, numbers])
    found: dict[str, dict[str, Gathered]] = {}
    for name, at in samples.items():
        found[name] = {
            port: Gathered(
                rows.values[:, place], at, steps=steps, finish=partial(raw_column, slot.encodings[place], words)
            )
            for place, (port, words) in enumerate(zip(ports, rows.words, strict=True))
        }
    return found


def encoded_samples(plan: DataPlan, slot: SlotPlan, rows: ColumnRows, encoded: EncodedInput, at: Positions) -> Gathered:
    """Encoded columns as the network reads them.

    Each row is encoded once, but for words: rows have the numbers of their cells, which become features as samples are
    gathered. So memory grows with rows and with categories, and not with one times the other.
    """
    blocks = [_Block.of(*each) for each in zip(slot.encodings, encoded.ports.values(), rows.words, strict=True)]
    ends = np.cumsum([block.width for block in blocks]).tolist()
    # a float32 has whole numbers up to 2**24
    is_short = all(words is None or len(words) < 1 << 24 for words in rows.words)

    def of_rows(values: Array) -> Array:
        parts = [block.stored(values[:, place]) for place, block in enumerate(blocks)]
        return np.concatenate(parts, axis=-1).astype(np.float32 if is_short else np.float64)

    def finish(values: Array) -> Array:
        parts = [block.read(values[..., end - block.width : end]) for block, end in zip(blocks, ends, strict=True)]
        return encoded.arranged(np.concatenate(parts, axis=-1))

    return Gathered(_each_row(rows.values, of_rows), at, steps=steps_of(plan, slot), finish=finish)


@dataclass(frozen=True, eq=False)
class _Block:
    """How the rows of an encoded column are kept until their features are asked for.

    Attributes:
        width: how many numbers a row has.
        places: what each cell becomes, and last a gap, where it is cells' numbers that are kept.
    """

    column: ColumnPlan
    encoding: Encoding
    words: Words | None
    width: int
    places: Places | None

    @classmethod
    def of(cls, column: ColumnPlan, encoding: Encoding, words: Words | None) -> _Block:
        if words is None or not isinstance(encoding, WordEncoding):
            return cls(column, encoding, words, len(encoding.features), None)
        return cls(column, encoding, words, 1, encoding.places_of_all([*words, GAP]))

    def stored(self, own: Array) -> Array:
        """Axes `row` to `row width`."""
        if self.places is None:
            return self.encoding.apply(raw_column(self.column, self.words, own))
        assert self.words is not None
        return np.where(np.isnan(own), len(self.words), own)[:, None]

    def read(self, values: Array) -> Array:
        """Axes `sample *step width` to `sample *step feature`."""
        return values if self.places is None else self.places.encode(values[..., 0].astype(np.int64))


def _with_steps(values: Array, step: int) -> Array:
    """Axes `sample step *others` with the steps where the model has them."""
    return values if step == 0 else np.ascontiguousarray(np.moveaxis(values, 1, 1 + step))


def _used_stretches(values: Array, steps: range | None, samples: Samples) -> Iterator[tuple[slice, NDArray[np.bool_]]]:
    """Stretches of rows, each with the rows in it that some sample has."""
    is_used = mapped.zeros((len(values),), np.bool_)
    for at in samples.values():
        is_used |= count_rows(at, steps, len(values)) > 0
    size = chunk_size(values)
    for start in range(0, len(values), size):
        part = slice(start, start + size)
        yield part, is_used[part]


def _each_row(rows: Array, function: Callable[[Array], Array]) -> Array:
    """What a function gives for rows, in an array that is mapped where it is large."""
    found: Array | None = None
    size = chunk_size(rows)
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        made = function(rows[part])
        if found is None:
            found = mapped.empty((len(rows), *made.shape[1:]), made.dtype)
        found[part] = made
        mapped.trim(made.nbytes)
    assert found is not None
    return found
