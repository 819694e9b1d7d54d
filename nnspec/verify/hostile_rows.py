"""Difficult rows that random inputs do not cover: padding anywhere, empty texts, extreme values.

One batch holds a row of every kind, so that the whole set costs one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.verify.hostile_inputs import padding_of
from nnspec.verify.raw_columns import hostile_columns, rows_with_gaps
from nnspec.verify.samples import WeightsOf
from nnspec.verify.strange_values import Marks, strange_values
from nnspec.verify.variant import Inputs, Variant, repeat_rows

PADDINGS = ("none", "right", "left", "middle", "all but one", "whole", "left", "scattered")


@dataclass(frozen=True, eq=False)
class Padding:
    """How the rows of an input are padded.

    Attributes:
        value: what padded positions hold.
        step: the axis (batch included) that padding runs along; what lies along all others is padded together.
        outer: the axes before it for each of whose positions padding is another: words within sentences.
    """

    value: object
    step: int
    outer: tuple[int, ...] = ()


def hostile_rows(
    graph: Graph,
    drawn: Inputs,
    deployment: Deployment | None = None,
    *,
    weights_of: WeightsOf = lambda node: {},
    seed: int = 0,
) -> Iterator[Variant]:
    """The drawn rows made hostile: padded, with gaps, then with strange values.

    Args:
        drawn: ordinary raw inputs by name, axes `batch *axes of the input`: random ones, or rows of the data. They are
            repeated where there are fewer than rows are wanted.
        deployment: what the data say of padding; none without data.
        weights_of: a node's weights, where they are known.

    Yields:
        `padding` for each way in which the inputs are padded together, where something of the graph knows padding;
        `gaps` where the deployed graph fills missing numbers in;
        then strange values, those of one magnitude together.
    """
    rng = np.random.default_rng(seed)
    known = paddings(graph, deployment or Deployment(), weights_of)
    for turn in range(max((len(found) for found in known.values()), default=0)):
        chosen = {name: found[turn % len(found)] for name, found in known.items()}
        yield _pad_row(drawn, chosen, rng)
    gaps = rows_with_gaps(deployment or Deployment(), drawn, rng)
    if gaps is not None:
        yield gaps
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
            found[name] = _of_levels(Padding(transform.pad_value, transform.step), transform.outer)
            continue
        made = padding_of(graph, name, weights_of)
        if made is not None and value.axes:
            # an id or a word is padding at any position, and so is a step of features
            last = (made.axis or 1) if value.dtype.startswith("float") else len(value.axes)
            found[name] = _of_levels(Padding(made.value, last), tuple(range(1, last)))
    return found


def _of_levels(first: Padding, outer: tuple[int, ...]) -> list[Padding]:
    """Padding along an axis, along each of those before it, and of each position of those by itself."""
    along = [first, *(replace(first, step=step) for step in reversed(outer))]
    return [*along, replace(first, outer=outer)] if outer else along


def _marks(found: Sequence[Padding]) -> Marks:
    values = {float(one.value) for one in found if isinstance(one.value, int | float)}
    return Marks(frozenset(values))


def _pad_row(drawn: Inputs, how: Mapping[str, Padding], rng: np.random.Generator) -> Variant:
    count = len(PADDINGS)
    inputs = {name: repeat_rows(array, count) for name, array in drawn.items()}
    for name, padding in how.items():
        array = inputs[name].astype(object) if inputs[name].dtype.kind == "U" else inputs[name]
        size = array.shape[padding.step]
        around = [array.shape[i] for i in padding.outer]
        flags = np.stack([_nested_padding(PADDINGS, row, [*around, size], rng) for row in range(count)])
        kept = (*padding.outer, padding.step)
        spread = [count, *(array.shape[i] if i in kept else 1 for i in range(1, array.ndim))]
        inputs[name] = np.where(flags.reshape(spread), np.asarray(padding.value, array.dtype), array)
    return Variant("padding", inputs, PADDINGS)


def _nested_padding(kinds: Sequence[str], row: int, sizes: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Which steps of a row are padding, of each position of the outer axes in another way: bool, axes `outer step`."""
    *outer, size = sizes
    if not outer:
        return padded_steps(kinds[row], size, rng)
    turns = range(row, row + int(np.prod(outer)))
    return np.stack([padded_steps(kinds[turn % len(kinds)], size, rng) for turn in turns]).reshape(sizes)


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
