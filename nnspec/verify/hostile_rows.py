"""Difficult rows that random inputs do not cover: padding anywhere, empty texts, extreme values.

One batch holds a row of every kind, so that the whole set costs one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.verify.hostile_inputs import padding_of
from nnspec.verify.raw_columns import hostile_columns
from nnspec.verify.samples import WeightsOf
from nnspec.verify.strange_values import Marks, strange_values
from nnspec.verify.variant import Inputs, Variant, repeated

PADDINGS = ("none", "right", "left", "middle", "all but one", "whole", "left", "scattered")


@dataclass(frozen=True, eq=False)
class Padding:
    """How the rows of an input are padded.

    Attributes:
        value: what padded positions hold.
        step: the axis (batch included) that padding runs along; what lies along all others is padded together.
    """

    value: Any
    step: int


def hostile_rows(
    graph: Graph,
    drawn: Inputs,
    deployment: Deployment | None = None,
    *,
    weights_of: WeightsOf = lambda node: {},
    seed: int = 0,
) -> Iterator[Variant]:
    """The drawn rows made hostile: padded, then with strange values.

    Args:
        drawn: ordinary raw inputs by name, axes `batch *axes of the input`: random ones, or rows of the data. They are
            repeated where there are fewer than rows are wanted.
        deployment: what the data say of padding; none without data.
        weights_of: a node's weights, where they are known.

    Yields:
        `padding` for each way in which the inputs are padded together, where something of the graph knows padding;
        then strange values, those of one magnitude together.
    """
    rng = np.random.default_rng(seed)
    known = paddings(graph, deployment or Deployment(), weights_of)
    for turn in range(max((len(found) for found in known.values()), default=0)):
        chosen = {name: found[turn % len(found)] for name, found in known.items()}
        yield _padded(drawn, chosen, rng)
    columns = deployment.column_ports if deployment else set()
    made = hostile_columns(deployment.columns if deployment else {}, drawn, rng)
    if made is not None:
        yield made
    yield from strange_values(graph, drawn, {name: _marks(found) for name, found in known.items()}, rng, columns)


def whole_rows(variant: Variant, kind: str = "whole") -> Variant:
    """The first row of a kind by itself: a batch of one."""
    return replace(variant.cut([variant.rows.index(kind)]), name=f"{variant.name}, a batch of one")


# ------------------------------------------------------------------------------------------------- padding


def paddings(graph: Graph, deployment: Deployment, weights_of: WeightsOf) -> dict[str, list[Padding]]:
    """How each input may be padded: what the data say, else what the layers that make masks of it take for padding."""
    found: dict[str, list[Padding]] = {}
    for name, value in graph.inputs.items():
        if name in deployment.columns:
            continue
        transform = deployment.inputs.get(name)
        if transform is not None and transform.pad_value is not None and transform.step is not None:
            found[name] = [Padding(transform.pad_value, transform.step)]
            continue
        made = padding_of(graph, name, weights_of)
        if made is not None and value.axes:
            every = reversed(range(1, 1 + len(value.axes)))  # an id or a word is padding at any position
            steps = every if not value.dtype.startswith("float") else [made.axis or 1]
            found[name] = [Padding(made.value, step) for step in steps]
    return found


def _marks(found: Sequence[Padding]) -> Marks:
    values = {float(one.value) for one in found if isinstance(one.value, int | float)}
    return Marks(frozenset(values))


def _padded(drawn: Inputs, how: Mapping[str, Padding], rng: np.random.Generator) -> Variant:
    count = len(PADDINGS)
    inputs = {name: repeated(array, count) for name, array in drawn.items()}
    for name, padding in how.items():
        array = inputs[name].astype(object) if inputs[name].dtype.kind == "U" else inputs[name]
        size = array.shape[padding.step]
        flags = np.stack([padded_steps(kind, size, rng) for kind in PADDINGS])
        spread = [count, *(size if i == padding.step else 1 for i in range(1, array.ndim))]
        inputs[name] = np.where(flags.reshape(spread), np.asarray(padding.value, array.dtype), array)
    return Variant("padding", inputs, PADDINGS)


def padded_steps(kind: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Which of `size` steps are padding, at random lengths: bool, axes `step`."""
    place = np.arange(size)
    count = int(rng.integers(1, size)) if size > 1 else 0
    made: Mapping[str, Callable[[], np.ndarray]] = {
        "none": lambda: place < 0,
        "right": lambda: place >= size - count,
        "left": lambda: place < count,
        "middle": lambda: (place >= (size - count + 1) // 2) & (place < (size + count) // 2),
        "all but one": lambda: place > 0,
        "scattered": lambda: rng.random(size) < 0.5,
        "whole": lambda: place >= 0,
    }
    return made[kind]()
