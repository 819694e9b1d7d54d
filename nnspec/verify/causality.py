"""Causality on the built model: the gradient of a step with respect to what comes after it is zero.

Loaded only by what builds. Inputs that hold whole numbers have no gradient; theirs are changed instead, which must
leave the step as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from nnspec.backends.keras import Compiled, as_model_inputs, reset_states
from nnspec.backends.onnx.deploy import Deployment
from nnspec.causal import carriers, position_of
from nnspec.checks.expect import expected_causal
from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.document import Node as SourceNode
from nnspec.graph import Graph, Steps, Value
from nnspec.verify.samples import random_inputs

MOST_STEPS = 16  # of a long axis so many are looked at, the first and the last among them
TOLERANCE = 1e-6  # of the largest gradient: what rounding leaves where a softmax gives a masked step no weight
LENGTH = 12  # of axes whose length is open


@dataclass
class Found:
    """Of one value along one axis: the largest influence of what comes after a step, and of what does not."""

    after: float = 0.0
    before: float = 0.0
    steps: int = 0
    worst: tuple[int, int, str] = (0, 0, "")  # step, the later position that it depends on, the input

    @property
    def is_causal(self) -> bool:
        return self.after <= TOLERANCE * max(self.before, self.after)


def verify_causality(
    section: SourceNode | None, graph: Graph, compiled: Compiled, fixed_batch: int | None = None
) -> dict[str, Any]:
    """What `expect` says to be causal, tried on the built model.

    Returns:
        For each output or layer and axis: the values looked at, the steps, the largest gradients.

    Raises:
        SpecError: NN707 where a step depends on what comes after it.
    """
    expected = list(expected_causal(section, graph))
    if not expected:
        return {}
    arrays = random_inputs(graph, Deployment(), fixed_batch or 2, LENGTH)
    result: dict[str, Any] = {}
    faults = []
    for what, value, axis, span in expected:
        values = carriers(graph, value, axis)
        found = {_key(v): _try(graph, compiled, arrays, v, axis) for v in values}
        result.setdefault(what.replace("`", ""), {})[axis] = {
            "values": list(found),
            "steps": sum(f.steps for f in found.values()),
            "max_gradient_after": max((f.after for f in found.values()), default=0.0),
            "max_gradient": max((f.before for f in found.values()), default=0.0),
        }
        faults += [_fault(what, axis, name, f, span) for name, f in found.items() if not f.is_causal]
    if faults:
        raise SpecError(faults)
    return result


def _key(value: Value) -> str:
    return value.node if value.port == "output" else f"{value.node}.{value.port}"


def _fault(what: str, axis: str, name: str, found: Found, span: Span) -> Diagnostic:
    step, later, source = found.worst
    return Diagnostic(
        "NN707",
        f"{what} is expected to be causal along `{axis}`, but in the built model step {step} of `{name}` depends on "
        f"position {later} of input `{source}`",
        span,
        notes=(f"its largest gradient there is {found.after:.3g}, that of what comes before {found.before:.3g}",),
    )


def _try(graph: Graph, compiled: Compiled, arrays: Mapping[str, np.ndarray], value: Value, axis: str) -> Found:
    """Steps of a value against all later positions of every input that has the axis."""
    import keras

    probe = keras.Model(compiled.model.input, compiled.tensors[_key(value)])
    place = position_of(value, axis)
    assert place is not None
    stride = value.fields[axis].stride
    found = Found()
    sources = {
        name: 1 + next(i for i, own in enumerate(v.axes) if own.name == axis)
        for name, v in graph.inputs.items()
        if any(own.name == axis for own in v.axes)
    }
    reset_states(compiled.model)
    count = np.asarray(probe(as_model_inputs(graph, arrays), training=False)).shape[1 + place]
    for step in sorted({round(i) for i in np.linspace(0, count - 1, min(count, MOST_STEPS))}):
        last = _last_allowed(step, stride)
        found.steps += 1
        for name, influence in _influences(graph, probe, compiled, arrays, 1 + place, step, sources).items():
            along = np.moveaxis(influence, sources[name], 0).reshape(influence.shape[sources[name]], -1).max(axis=1)
            later = along[last + 1 :]
            if later.size and later.max() > found.after:
                found.worst = (step, last + 1 + int(np.argmax(later > TOLERANCE * later.max())), name)
                found.after = float(later.max())
            found.before = max(found.before, float(along[: last + 1].max(initial=0.0)))
    return found


def _last_allowed(step: int, stride: Steps) -> int:
    """The last position that belongs to a step."""
    return floor(stride * step + max(Fraction(stride) - 1, Fraction(0)))


def _influences(
    graph: Graph,
    probe: Any,
    compiled: Compiled,
    arrays: Mapping[str, np.ndarray],
    place: int,
    step: int,
    sources: Mapping[str, int],
) -> dict[str, np.ndarray]:
    """How strongly one step of the probe's value depends on every element of the inputs: magnitudes."""
    import tensorflow as tf

    reset_states(compiled.model)
    tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
    floats = [name for name in sources if arrays[name].dtype.kind == "f"]
    result: dict[str, np.ndarray] = {}
    with tf.GradientTape() as tape:
        for name in floats:
            tape.watch(tensors[name])
        made = tf.gather(probe(as_model_inputs(graph, tensors), training=False), step, axis=place)
        weights = np.random.default_rng(step).normal(size=made.shape).astype(np.float32)
        total = tf.reduce_sum(made * weights)
    for name, gradient in zip(floats, tape.gradient(total, [tensors[name] for name in floats]), strict=True):
        result[name] = np.zeros(arrays[name].shape) if gradient is None else np.abs(np.asarray(gradient))
    for name in sources:
        if name not in result:
            result[name] = _by_change(graph, probe, compiled, arrays, place, step, name, sources[name], made)
    return result


def _by_change(
    graph: Graph,
    probe: Any,
    compiled: Compiled,
    arrays: Mapping[str, np.ndarray],
    place: int,
    step: int,
    name: str,
    axis: int,
    made: Any,
) -> np.ndarray:
    """For each position of an input that holds whole numbers: how much the step changes with it."""
    result = np.zeros(arrays[name].shape)
    for position in range(arrays[name].shape[axis]):
        changed = np.moveaxis(arrays[name].copy(), axis, 0)
        here = changed[position]
        changed[position] = ~here if here.dtype.kind == "b" else np.where(here > 0, here - 1, here + 1)
        reset_states(compiled.model)
        inputs = {**arrays, name: np.moveaxis(changed, 0, axis)}
        other = np.take(np.asarray(probe(as_model_inputs(graph, inputs), training=False)), step, axis=place)
        np.moveaxis(result, axis, 0)[position] = np.abs(other - np.asarray(made)).max()
    return result
