"""The inputs of verification: batches of random inputs, rows not trained on, and hostile rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nnspec.verify.hostile_rows import hostile_rows, whole_rows
from nnspec.verify.samples import elements_of_sample, random_inputs, rows_that_fit
from nnspec.verify.subject import Subject
from nnspec.verify.variant import Variant

BATCHES = (1, 3, 32)
MANY_ELEMENTS = 1_000_000  # inputs of more are compared at the small batches alone: seconds, and nothing learnt
LENGTHS = (11, 17, 14, 24, 1)  # with every remainder by the strides that are common
SCALES = (
    30.0,
    10.0,
    0.01,
)  # of further random inputs, each measured by itself: what is small shows nothing beside the rest
HELD_OUT = 512  # rows at most

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Run:
    """Raw inputs to compare on.

    Attributes:
        rows: what each row is, in words; one for all.
        is_held_out: whether they are rows that training never saw.
    """

    raw: Arrays
    rows: tuple[str, ...]
    is_held_out: bool = False

    @property
    def batch(self) -> int:
        return len(next(iter(self.raw.values())))

    def row(self, place: int) -> str:
        return self.rows[place % len(self.rows)]


@dataclass(frozen=True, eq=False)
class Runs:
    """The batches to compare a subject on.

    Attributes:
        held_out: raw inputs of rows that training never saw; empty without data.
        fixed_batch: the only batch size that the model takes, if it takes one alone.
    """

    subject: Subject
    held_out: Arrays = field(default_factory=dict)
    fixed_batch: int | None = None

    def random(self, scale: float = 1.0) -> list[Run]:
        """Random inputs at several batch sizes and lengths, of deviation `scale` where the network expects 1."""
        subject = self.subject
        is_open = any(not isinstance(a.size, int) for v in self.subject.graph.inputs.values() for a in v.axes)
        batches = self.batches()
        every = batches[min(1, len(batches) - 1)]  # the batch size that all lengths are tried with
        made = [
            Run(
                random_inputs(subject.graph, subject.deployment, batch, length, subject.weights_of, scale),
                ("random inputs",),
            )
            for batch in batches
            for length in ((LENGTHS if batch == every else LENGTHS[::4]) if is_open else LENGTHS[:1])
        ]
        if any(node.layer.has_bounded_domain(node) for node in subject.graph.nodes):
            made += [Run(_without_signs(run.raw), ("random inputs that are not negative",)) for run in made]
        return made

    def scaled(self, scale: float) -> list[list[Run]]:
        """Random inputs much larger and much smaller than the network expects, each measured by its own scale."""
        subject = self.subject
        batch = self.fixed_batch or (8 if self.sample_size() * 8 <= MANY_ELEMENTS else self.few())
        if not any(value.dtype.startswith("float") for value in subject.graph.inputs.values()):
            return []
        found = []
        for times in SCALES:
            raw = random_inputs(subject.graph, subject.deployment, batch, LENGTHS[0], subject.weights_of, scale * times)
            found.append([Run(raw, (f"random inputs {times:g} times as large as usual",))])
        return found

    def real(self) -> list[Run]:
        """Held-out rows at the same batch sizes, and many of them at once."""
        if not self.held_out:
            return []
        count = len(next(iter(self.held_out.values())))
        rows = ("rows of the data",)
        sizes = [slice(0, batch) for batch in self.batches() if batch <= count]
        if self.fixed_batch is None and min(count, HELD_OUT) > max(self.batches()):
            sizes.append(slice(max(0, count - HELD_OUT), count))
        return [Run({name: a[part] for name, a in self.held_out.items()}, rows, is_held_out=True) for part in sizes]

    def hostile(self, scale: float) -> list[list[Run]]:
        """Padding and strange values in rows of the data, or in random ones; each list is measured by its own scale."""
        subject = self.subject
        base = self.held_out or random_inputs(
            subject.graph, subject.deployment, 8, LENGTHS[0], subject.weights_of, scale
        )
        groups = []
        for i, variant in enumerate(
            hostile_rows(subject.graph, base, subject.deployment, weights_of=subject.weights_of)
        ):
            if variant.name != "padding" and self.sample_size() * 8 > MANY_ELEMENTS:
                variant = variant.cut((0, 2, 4)[: self.few()] if variant.name == "values" else (0,))
            if variant.name == "silence" and self.fixed_batch is None:
                variant = whole_rows(variant, "zeros")  # nothing in the batch is any louder
            group = self.in_batches(variant)
            if variant.name == "padding" and i == 0 and self.fixed_batch is None:
                group += self.in_batches(whole_rows(variant))
            groups.append(group)
        return groups + self.scaled(scale)

    def carried(self, scale: float) -> list[Run]:
        """Batches of a stateful model, one after the other: each starts where the one before it ended."""
        subject, batch = self.subject, self.fixed_batch or 3
        draws = [
            random_inputs(subject.graph, subject.deployment, batch, length, subject.weights_of, scale)
            for length in LENGTHS[:3]
        ]
        return [Run(raw, (f"batch {number} of those that carry a state",)) for number, raw in enumerate(draws, 1)]

    def in_batches(self, variant: Variant) -> list[Run]:
        """A variant as one run, or as runs of the only batch size that the model takes, its first rows once more."""
        count = len(variant.rows)
        size = self.fixed_batch or count
        parts = [np.arange(start, start + size) % count for start in range(0, count, size)]
        return [
            Run({n: a[part] for n, a in variant.inputs.items()}, tuple(variant.described(int(i)) for i in part))
            for part in parts
        ]

    def sample_size(self) -> int:
        """How many elements one sample of all inputs has."""
        return elements_of_sample(self.subject.graph, max(LENGTHS))

    def batches(self) -> tuple[int, ...]:
        """The batch sizes to compare at: small ones alone where samples are large."""
        if self.fixed_batch:
            return (self.fixed_batch,)
        large = tuple(batch for batch in BATCHES[2:] if batch * self.sample_size() <= MANY_ELEMENTS)
        return (BATCHES[0], self.few(), *large)

    def few(self) -> int:
        """The smallest batch of several samples that is compared."""
        return rows_that_fit(self.subject.graph, BATCHES[1], max(LENGTHS))


def _without_signs(raw: Arrays) -> dict[str, np.ndarray]:
    return {name: np.abs(array) if array.dtype.kind == "f" else array for name, array in raw.items()}
