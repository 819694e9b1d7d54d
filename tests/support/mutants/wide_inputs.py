"""Inputs to judge a mutant by, drawn apart from the gate's: many scales, lengths, paddings, ties, extremes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnspec.ir.graph import Graph
from nnspec.ir.symbols import lengths_of, size_at

Arrays = dict[str, np.ndarray]
Make = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
SCALES = (1.0, 1e-2, 10.0, 100.0)
LENGTHS = (12, 7, 1, 25)
TEXTS = ["a", "b", "", " ", "the a the", "A b!", "zz", "ü ß", "?!", "b " * 30]


def wide_inputs(graph: Graph, make: Make | None, batch: int | None, examples: dict[str, list[Any]]) -> Iterator[Arrays]:
    """Raw inputs by name, some sixty times.

    Args:
        make: how the inputs of a case are made, where ordinary values do not do.
        batch: the only one that the model takes.
        examples: words and ids by input that the model knows.
    """
    for length in LENGTHS if is_open(graph) else LENGTHS[:1]:
        lengths = lengths_of(graph, length)
        shapes = {n: tuple(int(size_at(a.size, lengths)) for a in v.axes) for n, v in graph.inputs.items()}
        for number in range(40 if length == LENGTHS[0] else 12):
            rng = np.random.default_rng(77_777 * length + number)
            rows = batch or (1, 2, 6)[number % 3]
            yield {
                name: _drawn(value.dtype, (rows, *shapes[name]), number, rng, make, examples.get(name, []))
                for name, value in graph.inputs.items()
            }


def is_open(graph: Graph) -> bool:
    return any(not isinstance(axis.size, int) for value in graph.inputs.values() for axis in value.axes)


def _drawn(
    dtype: str,
    shape: tuple[int, ...],
    number: int,
    rng: np.random.Generator,
    make: Make | None,
    examples: list[Any],
) -> np.ndarray:
    if make is not None and number % 2:
        made = np.asarray(make(rng, shape))
    elif dtype == "string":
        made = rng.choice(np.array([*TEXTS, *examples], object), size=shape)
    elif dtype.startswith(("int", "uint")):
        largest = (3, 10, 100, 1000)[number // 2 % 4]
        made = rng.choice(np.array(examples), size=shape) if examples else rng.integers(0, largest, size=shape)
    elif dtype == "bool":
        made = rng.integers(0, 2, size=shape)
    else:
        made = _floats(shape, number // 2, rng)
    if number % 5 in (2, 3) and len(shape) > 1 and dtype != "bool":
        made = _padded(made, rng, "" if dtype == "string" else 0)
    return made.astype(object if dtype == "string" else dtype)


def _floats(shape: tuple[int, ...], number: int, rng: np.random.Generator) -> np.ndarray:
    """Normal values of a scale; whole ones and halves, so that there are ties; bytes of an image; constants; a few."""
    scale = SCALES[number // 6 % len(SCALES)]
    match number % 6:
        case 0:
            return rng.normal(size=shape) * scale
        case 1:
            return np.round(rng.normal(size=shape) * 4) / 2
        case 2:
            return rng.integers(0, 256, size=shape) / (1.0 if number % 4 else 255.0)
        case 3:
            return np.broadcast_to(rng.normal(size=(shape[0], *[1] * (len(shape) - 1))), shape) * scale
        case 4:
            return rng.normal(size=shape) * (rng.random(shape) < 0.3)
        case _:
            return rng.normal(size=shape) * scale + 3.0


def _padded(values: np.ndarray, rng: np.random.Generator, empty: str | float) -> np.ndarray:
    """Steps of the first axis, or of another, with nothing in them: at an end, in the middle, throughout."""
    axis = int(rng.integers(1, values.ndim))
    steps = values.shape[axis]
    if values.dtype.kind == "f" and rng.random() < 0.3:
        empty = -1.0
    result = values.astype(object) if values.dtype.kind == "U" else values.copy()
    for row in result:
        along = np.moveaxis(row, axis - 1, 0)
        first, last = sorted(rng.integers(0, steps + 1, 2))
        along[slice(*[(first, steps), (0, last), (first, last), (0, steps)][int(rng.integers(4))])] = empty
    return result
