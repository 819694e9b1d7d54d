"""Mistakes in the constants of a graph: weights transposed, permuted, negated, of other gates; sizes and places off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.support.mutants.model import Model, Mutation, set_constant

GATES = {"LSTM": 4, "GRU": 3}
ELEMENTS = 3  # of a constant that are changed one at a time
LARGEST = 4_000_000  # elements of a constant that is still changed


def mutations(model: Model, rng: np.random.Generator) -> Iterator[Mutation]:
    used = {name for node in model.nodes for name in node.input}
    for name, value in model.constants.items():
        if name not in used or not 0 < value.size <= LARGEST:
            continue
        for rule, what, changed in _changes(value, rng):
            yield _replaced(rule, f"`{name}` {value.shape}: {what}", name, changed)
    for node in model.nodes:
        if node.op_type in GATES:
            for name in node.input[1:4]:
                if name in model.constants:
                    yield from _gates(name, model.constants[name], GATES[node.op_type], list(node.input[3:4]) == [name])


def _replaced(rule: str, what: str, name: str, changed: np.ndarray) -> Mutation:
    return Mutation(rule, what, lambda proto: set_constant(proto, name, changed))


def _changes(value: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray]]:
    if value.dtype.kind in "OU":
        yield from _texts(value, rng)
    elif value.dtype.kind == "b":
        yield "negate a constant", "negated", ~value
    elif value.dtype.kind in "iu":
        yield from _whole_numbers(value, rng)
    elif value.dtype.kind == "f":
        yield from _floats(value, rng)
    if value.dtype.kind != "b":
        yield from _moved(value, rng)


def _texts(value: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray]]:
    flat = value.reshape(-1)
    for place in rng.choice(flat.size, min(ELEMENTS, flat.size), replace=False):
        changed = flat.astype(object)
        text = changed[place].decode() if isinstance(changed[place], bytes) else str(changed[place])
        changed[place] = text + "x"
        yield "change a word", f"word {place} `{text}` with an x", changed.reshape(value.shape)


def _whole_numbers(value: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray]]:
    for place in rng.choice(value.size, min(ELEMENTS, value.size), replace=False):
        for step in (1, -1):
            changed = value.copy()
            with np.errstate(over="ignore"):  # the largest number there is becomes the smallest
                changed.reshape(-1)[place] += step
            yield "a whole number off by one", f"element {place} {step:+d}", changed


def _floats(value: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray]]:
    finite = value[np.isfinite(value)]
    largest = value.dtype.type(np.max(np.abs(finite), initial=0.0) or 1.0)
    yield "scale a constant", "times 1.02", value * value.dtype.type(1.02)
    yield "shift a constant", f"plus {0.02 * largest:.3g}", value + value.dtype.type(0.02) * largest
    yield "negate a constant", "negated", -value
    if np.any(value):
        yield "zero a constant", "zeros", np.zeros_like(value)
    for place in rng.choice(value.size, min(ELEMENTS, value.size), replace=False):
        changed = value.copy()
        changed.reshape(-1)[place] += largest
        yield "change one element", f"element {place} plus {largest:.3g}", changed


def _moved(value: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray]]:
    """The same elements elsewhere: along an axis, or with two axes the other way round."""
    for axis, size in enumerate(value.shape):
        if size < 2:
            continue
        yield "reverse a constant", f"reversed along axis {axis}", np.flip(value, axis)
        one, other = rng.choice(size, 2, replace=False)
        order = np.arange(size)
        order[[one, other]] = order[[other, one]]
        yield "exchange slices of a constant", f"{one} and {other} of axis {axis}", np.take(value, order, axis)
        yield "roll a constant", f"rolled along axis {axis}", np.roll(value, 1, axis)
        for second in range(axis + 1, value.ndim):
            if value.shape[second] > 1:
                turned = np.swapaxes(value, axis, second).reshape(value.shape)
                what = f"axes {axis} and {second} transposed, of the old shape"
                yield "transpose a constant", what, turned


def _gates(name: str, value: np.ndarray, gates: int, is_bias: bool) -> Iterator[Mutation]:
    """Blocks of a recurrent operator's weights, of axes `direction gates*unit …`, in another order."""
    count = 2 * gates if is_bias or value.ndim == 2 else gates
    if value.shape[1] % count:
        return
    blocks = np.split(value, count, axis=1)
    for i in range(count):
        for j in range(i + 1, count):
            changed = list(blocks)
            changed[i], changed[j] = blocks[j], blocks[i]
            yield _replaced("swap gates", f"`{name}`: gates {i} and {j}", name, np.concatenate(changed, axis=1))
    if count == 2 * gates:
        turned = np.concatenate([*blocks[gates:], *blocks[:gates]], axis=1)
        yield _replaced("swap gates", f"`{name}`: the biases of input and state", name, turned)
