"""Values that a random draw does not have: constant, sparse, tied, those that the spec names, bytes, huge, odd words.

What is huge stands in a batch of its own: errors are measured against the largest value of a batch, which would hide
those of all others. So do what is silent and what is constant: beside anything else their own errors would not show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.ir.graph import Graph, Node
from nnspec.verify.hostile_inputs import readers
from nnspec.verify.samples import examples_of, integer_bound
from nnspec.verify.strange_texts import composed_texts, unknown_texts
from nnspec.verify.variant import Inputs, Variant, repeat_rows

EXTREME = 1e3  # times what the network expects
SILENT = 1e-2  # times the usual magnitude, of a constant that is next to nothing
MOST_NUMBERS = 64  # that a spec names
Numbers = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # values of a row, axes as the input without batch


@dataclass(frozen=True)
class Marks:
    """What padding of an input is made of."""

    values: frozenset[float] = frozenset()


NONE = Marks()


def strange_values(
    graph: Graph,
    drawn: Inputs,
    marks: Mapping[str, Marks],
    rng: np.random.Generator,
    columns: Collection[str] = (),
) -> Iterator[Variant]:
    """The drawn rows with strange values, those of one magnitude together.

    Args:
        drawn: ordinary raw inputs by name, axes `batch *axes of the input`.
        marks: what padding is made of, by input.
        columns: those of the drawn inputs that are single columns, which stay as they are.

    Yields:
        `values`; `composed texts` where there are texts; `bytes` and `huge values` where there are floats; `silence`
        and `constant values` where there are those or whole numbers that nothing looks up.
    """
    named = _numbers_of(graph)

    def constant(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.full_like(row, _usual(row) / 2)

    def named_ones(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.choice(named, size=row.shape) if len(named) else row

    def close_to_named(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return named_ones(row, rng) + rng.uniform(-0.4, 0.4, size=row.shape) if len(named) else row

    def named_steps(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Some positions with one of the numbers along the whole last axis, as marked steps have."""
        if not len(named) or row.ndim < 2:
            return row
        made = np.broadcast_to(rng.choice(named, size=(*row.shape[:-1], 1)), row.shape)
        return np.where(rng.random((*row.shape[:-1], 1)) < 0.5, made, row)

    ordinary: dict[str, Numbers] = {
        "ordinary": lambda row, rng: row,
        "zeros": lambda row, rng: np.zeros_like(row),
        "constant": constant,
        "mostly zeros": lambda row, rng: np.where(
            rng.random(row.shape) < 0.2, row, 0
        ),  # not -0, which may be a minimum
        "negative": lambda row, rng: -np.abs(row),
        "wholes and halves": lambda row, rng: np.round(2 * row) / 2,
        "fractions of 1": lambda row, rng: rng.random(row.shape),
        "numbers that the spec names": named_ones,
        "close to numbers that the spec names": close_to_named,
        "steps of numbers that the spec names": named_steps,
        "far from 0": lambda row, rng: np.abs(row) + 2 * _usual(row),
        "neighbours that cancel out": lambda row, rng: _cancelling(row),
    }
    yield _variant("values", named, ordinary, graph, drawn, marks, rng, columns)
    composed = composed_texts(graph, drawn, rng, columns)
    if composed is not None:
        yield composed
    if any(value.dtype.startswith("float") for value in graph.inputs.values()):
        bytes_: dict[str, Numbers] = {
            "noise": lambda row, rng: rng.integers(0, 256, size=row.shape).astype(row.dtype),
            "dark noise": lambda row, rng: rng.integers(0, 32, size=row.shape).astype(row.dtype),
        }
        yield _variant("bytes", named, bytes_, graph, drawn, marks, rng, columns)
        huge: dict[str, Numbers] = {
            "of both signs": lambda row, rng: row * EXTREME,
            "negative": lambda row, rng: -np.abs(row) * EXTREME,
        }
        yield _variant("huge values", named, huge, graph, drawn, marks, rng, columns)
    if any(_is_quantity(graph, name) for name in graph.inputs if name in drawn and name not in columns):
        silent: dict[str, Numbers] = {
            "zeros": lambda row, rng: np.zeros_like(row),
            "next to nothing": lambda row, rng: np.full_like(row, SILENT * _usual(row)),
        }
        yield _variant("silence", named, silent, graph, drawn, marks, rng, columns)
        same: dict[str, Numbers] = {
            "positive": lambda row, rng: np.full_like(row, _usual(row) / 2),
            "negative": lambda row, rng: np.full_like(row, -_usual(row) / 2),
        }
        yield _variant("constant values", named, same, graph, drawn, marks, rng, columns)


def _is_quantity(graph: Graph, name: str) -> bool:
    """Whether an input holds floats, or whole numbers, that nothing looks up or selects by."""
    dtype = graph.inputs[name].dtype
    is_whole = dtype.startswith(("int", "uint")) and integer_bound(graph, name) is None
    return (dtype.startswith("float") or is_whole) and not examples_of(graph, name)


def _cancelling(row: np.ndarray) -> np.ndarray:
    """Along the last axis every other value is the opposite of the one before it, so that a sum is 0 where none is."""
    if not row.ndim or row.shape[-1] < 2:
        return row
    made = row.copy()
    made[..., 1::2] = -made[..., : row.shape[-1] // 2 * 2 : 2]
    if row.shape[-1] % 2:
        made[..., -1] = 0
    return made


def _usual(row: np.ndarray) -> float:
    return float(np.max(np.abs(row), initial=0.0)) or 1.0


def _variant(
    name: str,
    named: np.ndarray,
    kinds: Mapping[str, Numbers],
    graph: Graph,
    drawn: Inputs,
    marks: Mapping[str, Marks],
    rng: np.random.Generator,
    columns: Collection[str],
) -> Variant:
    rows = tuple(kinds)
    inputs = {port: repeat_rows(array, len(rows)) for port, array in drawn.items() if port in columns}
    for input_name, value in graph.inputs.items():
        if input_name not in drawn or input_name in columns:
            continue
        array = repeat_rows(drawn[input_name], len(rows)).copy()
        if value.dtype == "string":
            array = unknown_texts(graph, input_name, array) if name == "values" else array.astype(object)
        elif value.dtype.startswith("float") and not examples_of(graph, input_name):
            for place, change in enumerate(kinds.values()):
                made = np.asarray(change(array[place], rng), array.dtype)
                known = marks.get(input_name, NONE)
                if rows[place] == "constant":
                    made = np.where(np.isin(made, list(known.values)), _usual(array[place]) / 3, made)
                array[place] = made
        elif name == "silence" and _is_quantity(graph, input_name):
            array = np.stack([np.zeros_like(array[0]), np.minimum(array[1], 1)])
        elif name == "constant values" and _is_quantity(graph, input_name):
            array = np.stack([np.full_like(array[0], np.max(array) // 2), np.full_like(array[1], 1)])
        elif name == "values":
            array = _whole_numbers(graph, input_name, array, value.dtype, named)
        inputs[input_name] = array
    return Variant(name, inputs, rows)


def _whole_numbers(graph: Graph, name: str, array: np.ndarray, dtype: str, named: np.ndarray) -> np.ndarray:
    """The least and the largest throughout, of ids or of what an image has; others where they are no ids."""
    if dtype == "bool":
        array[1], array[2] = False, True
        return array
    bound, examples = integer_bound(graph, name), examples_of(graph, name)
    if examples:
        least, largest = min(examples), max(examples)
        if bound is None and not dtype.startswith("u") and _has_places_for_unknown(graph, name):
            array[3] = -np.abs(array[3]) - 1
    else:
        least, largest = 0, bound - 1 if bound is not None else min(255, np.iinfo(dtype).max)
    array[1], array[2] = least, largest
    if bound is None and not examples:
        array[3] = array[3] * (array[3] % 3 == 0)
        array[5], array[6] = array[5] // 16, np.minimum(array[6], 1)
        limits = np.iinfo(dtype)
        near = np.concatenate([np.floor(named), np.ceil(named), [0]]).clip(limits.min, limits.max)
        array[7] = np.resize(near.astype(dtype), array[7].shape)
        if not dtype.startswith("u"):
            array[4] = -array[4]
    return array


def _has_places_for_unknown(graph: Graph, name: str) -> bool:
    """Whether each layer that looks an input up has a vocabulary, and a place for what is not in it."""
    looked_up = [node for node, _ in readers(graph, name) if node.layer.examples(node)]
    return bool(looked_up) and all(node.args.get("num_oov_indices") for node in looked_up)


def _numbers_of(graph: Graph) -> np.ndarray:
    """The numbers among the arguments of all layers and in formulas: bounds, thresholds, offsets, markers."""
    found: dict[float, None] = {}
    for node in graph.nodes:
        found |= dict.fromkeys(node.layer.numbers_within(node))
        for argument in _arguments(node):
            found |= dict.fromkeys(_numbers_in(argument))
    chosen = [number for number in found if abs(number) <= EXTREME]
    return np.asarray(chosen[:MOST_NUMBERS], np.float64)


def _arguments(node: Node) -> Iterator[object]:
    while True:
        yield from node.args.values()
        if node.inner is None:
            return
        node = node.inner


def _numbers_in(argument: object) -> Iterator[float]:
    if isinstance(argument, int | float) and not isinstance(argument, bool):
        yield float(argument)
    elif isinstance(argument, list | tuple) and len(argument) <= MOST_NUMBERS:
        for part in argument:
            yield from _numbers_in(part)
