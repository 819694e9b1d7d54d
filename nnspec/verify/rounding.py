"""Measures how much rounding error changes a network's results; if it is much, two correct runtimes differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from nnspec.backends.keras.engine import uncompiled_predictions
from nnspec.verify.comparison import Measure, errors
from nnspec.verify.exact_sums import sums_in_parts
from nnspec.verify.samples import examples_of, readers_of
from nnspec.verify.subject import Subject

SMALLEST_SCALE = 1 / 256  # of random inputs to a network that amplifies rounding error
TRIALS = 3
MARGIN = 4.0  # times what JITTER does to a row: a difference beyond that is no rounding
JITTER = 2.0**-15  # relative; more than rounding, so that it is visible after a nearly certain softmax
BETWEEN_KERNELS = 2.0**-20  # relative: what sums over a thousand products, or approximated functions, differ by
SIGMOID_STEP = 2.0**-22  # absolute: ONNX Runtime's sigmoid is off by 1.7e-7 at most, and 0 from 18 below zero on


def blows_up(moved: float, tolerance: float) -> bool:
    """Whether two right programs may differ, so that a difference tells nothing."""
    return moved * BETWEEN_KERNELS > tolerance


def explained_by_rounding(error: np.ndarray, moved: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether rounding explains the error of each row, all axes `row`: two right programs may differ by that."""
    return np.asarray((moved * BETWEEN_KERNELS > tolerance) & (error <= MARGIN * JITTER * moved))


def moved_by_rounding(
    subject: Subject, raw: Mapping[str, np.ndarray], measures: Mapping[str, Measure]
) -> dict[str, np.ndarray]:
    """By how much more than the inputs and weights themselves Keras' own outputs move, both relative.

    By output, axes `row`.

    Args:
        measures: what each output's differences are measured against.
    """
    weights = subject.model.get_weights()
    wanted = subject.predicted(raw)
    rows = len(next(iter(raw.values())))
    found = {name: np.zeros(rows) for name in measures}
    kept, compared = padding_values(subject), only_compared(subject)
    try:
        for trial in range(TRIALS):
            rng = np.random.default_rng(trial)
            subject.model.set_weights([jitter(values, rng) for values in weights])
            moved = subject.predicted(
                {name: values if name in compared else jitter(values, rng, kept) for name, values in raw.items()}
            )
            for name, measure in measures.items():
                found[name] = np.maximum(found[name], _largest_difference(moved[name], wanted[name], measure))
    finally:
        subject.model.set_weights(weights)
    return {name: apart / JITTER for name, apart in found.items()}


def moved_by_saturation(
    subject: Subject, raw: Mapping[str, np.ndarray], measures: Mapping[str, Measure]
) -> dict[str, np.ndarray]:
    """How far Keras' own outputs move if its sigmoids are as coarse as those that runtimes approximate.

    They are exact to so much of 1, not of themselves: what is made of nearly closed gates alone, such as a vector of
    them that is normalized to length 1, is not the same in two right programs.

    By output, axes `row`, in units of the output's scale.
    """
    with coarse_sigmoids() as asked:
        moved = subject.predicted(raw)
    wanted = subject.predicted(raw) if asked else moved
    return {name: _largest_difference(moved[name], wanted[name], measure) for name, measure in measures.items()}


def moved_by_summing(
    subject: Subject, raw: Mapping[str, np.ndarray], measures: Mapping[str, Measure]
) -> dict[str, np.ndarray]:
    """How far Keras' own outputs move if it adds in parts, which is more exact.

    It adds float32 values one by one: a mean of 264 × 264 equal values is off by 3e-4 (relative).

    By output, axes `row`, in units of the output's scale.
    """
    with sums_in_parts() as asked:
        moved = subject.predicted(raw)
    wanted = subject.predicted(raw) if asked else moved
    return {name: _largest_difference(moved[name], wanted[name], measure) for name, measure in measures.items()}


def explained_rows(
    subject: Subject, raw: Mapping[str, np.ndarray], measures: Mapping[str, Measure], found: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The rows that are further off than the tolerance, but no further than two right programs may be.

    By output, axes `row`.

    Args:
        found: the error of each row, in units of the output's scale.
    """
    moved, tolerance = moved_by_rounding(subject, raw, measures), subject.tolerance
    let_pass = {name: explained_by_rounding(rows, moved[name], tolerance) for name, rows in found.items()}
    if any(((rows > tolerance) & ~let_pass[name]).any() for name, rows in found.items()):
        saturated, summed = moved_by_saturation(subject, raw, measures), moved_by_summing(subject, raw, measures)
        for name, rows in found.items():
            let_pass[name] |= rows <= MARGIN * (saturated[name] + summed[name])
    return {name: (rows > tolerance) & let_pass[name] for name, rows in found.items()}


def _largest_difference(moved: np.ndarray, wanted: np.ndarray, measure: Measure) -> np.ndarray:
    """The largest difference in each row, axes `row`: of numbers, in units of the output's scale."""
    apart = errors(moved, wanted)
    apart = apart / measure.scale if wanted.dtype.kind not in "OU" else apart
    return np.asarray(apart.reshape(len(wanted), -1).max(axis=1, initial=0.0))


@contextmanager
def coarse_sigmoids() -> Iterator[list[str]]:
    """Within it, all of Keras' sigmoids give multiples of `SIGMOID_STEP`. Gives the names of those that were asked.

    Whatever computes one, a layer's activation, the gates of a cell or a formula, asks the engine's function at last.
    """
    import keras
    from keras.src import backend

    functions = backend.nn
    exact, own = functions.sigmoid, functions.silu
    asked: list[str] = []

    def sigmoid(x: np.ndarray) -> np.ndarray:
        asked.append("sigmoid")
        made: np.ndarray = keras.ops.round(exact(x) / SIGMOID_STEP) * SIGMOID_STEP
        return made

    functions.sigmoid, functions.silu = sigmoid, lambda x: x * sigmoid(x)
    try:
        with uncompiled_predictions():
            yield asked
    finally:
        functions.sigmoid, functions.silu = exact, own


def only_compared(subject: Subject) -> set[str]:
    """The inputs that nothing is computed of before they are compared: no rounding decides there."""
    found = set()
    for name in subject.graph.inputs:
        transform = subject.deployment.inputs.get(name)
        behind = [node for node in readers_of(subject.graph, name) if not node.layer.moves_values]
        is_given = name not in subject.deployment.columns and (transform is None or transform.scaling is None)
        selects = bool(examples_of(subject.graph, name))  # positions and ids, which no rounding makes others
        if selects or (is_given and behind and all(node.layer.only_compares for node in behind)):
            found.add(name)
    return found


def padding_values(subject: Subject) -> set[float]:
    """What padding is made of: moved, it would be data."""
    made = [node.layer.masked_value(node) for node in subject.graph.nodes]
    masks = {value for value in made if value is not None}
    pads = {t.pad_value for t in subject.deployment.inputs.values() if t.pad_value is not None}
    return masks | pads


def jitter(values: np.ndarray, rng: np.random.Generator, kept: Iterable[float] = ()) -> np.ndarray:
    """Floats changed by a random part of JITTER, but those that are to be kept; anything else as it is."""
    if values.dtype != np.float32:
        return values
    moved = values * (1 + JITTER * rng.uniform(-1, 1, values.shape)).astype(np.float32)
    return np.where(np.isin(values, list(kept)), values, moved)
