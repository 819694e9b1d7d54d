"""Tests causality on the built model: gradients with respect to later positions are zero.

Loaded only by what builds. Inputs that hold whole numbers have no gradient; theirs are changed instead, which must
leave the step as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import Compiled, as_model_inputs, reset_states
from nnspec.backends.registry import running_backend
from nnspec.backends.types import KerasModel, Tensor
from nnspec.checks.expect import expected_causal
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.document import Node as SourceNode
from nnspec.ir.causality import carriers, position_of
from nnspec.ir.coverage import find_holes
from nnspec.ir.graph import Graph, Steps, Value
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
    section: SourceNode | None,
    graph: Graph,
    compiled: Compiled,
    fixed_batch: int | None = None,
    backend: TrainingBackend | None = None,
) -> dict[str, dict[str, object]]:
    """What `expect` says to be causal, tried on the built model.

    Args:
        fixed_batch: the only batch size that the model takes, if it takes one alone.
        backend: what computes the gradients; default the engine that Keras runs on.

    Returns:
        For each output or layer and axis: the values looked at, the steps, the largest gradients.

    Raises:
        SpecError: NN707 where a step depends on what comes after it.
    """
    expected = list(expected_causal(section, graph))
    if not expected:
        return {}
    engine = backend or running_backend()
    arrays = random_inputs(graph, Deployment(), fixed_batch or 2, LENGTH)
    result: dict[str, dict[str, object]] = {}
    faults = []
    for what, value, axis, span in expected:
        values = carriers(graph, value, axis)
        found = {
            _key(v): _try(Probe.of(graph, compiled, arrays, v, axis, engine), v.fields[axis].stride) for v in values
        }
        result.setdefault(what.replace("`", ""), {})[axis] = {
            "values": list(found),
            "steps": sum(f.steps for f in found.values()),
            "unseen": {_key(v): missed for v in values if (missed := find_holes(graph, v, axis))},
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
        f"{what} must be causal along `{axis}`, but in the built model step {step} of `{name}` depends on "
        f"position {later} of input `{source}`",
        span,
        notes=(f"its largest gradient there is {found.after:.3g}, and {found.before:.3g} for earlier positions",),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Probe:
    """A value of the built model, one step of which is looked at.

    Attributes:
        model: from the model's inputs to the value.
        place: the dimension of the axis in it, batch included.
        arrays: the inputs that it is looked at on.
        sources: the inputs that have the axis, and its dimension in each.
        backend: what computes the gradients.
    """

    graph: Graph
    compiled: Compiled
    model: KerasModel
    place: int
    arrays: Mapping[str, np.ndarray]
    sources: Mapping[str, int]
    backend: TrainingBackend

    @classmethod
    def of(
        cls,
        graph: Graph,
        compiled: Compiled,
        arrays: Mapping[str, np.ndarray],
        value: Value,
        axis: str,
        backend: TrainingBackend,
    ) -> Probe:
        import keras

        place = position_of(value, axis)
        assert place is not None
        sources = {
            name: 1 + next(i for i, own in enumerate(v.axes) if own.name == axis)
            for name, v in graph.inputs.items()
            if any(own.name == axis for own in v.axes)
        }
        model = keras.Model(compiled.model.input, compiled.tensors[_key(value)])
        return cls(
            graph=graph,
            compiled=compiled,
            model=model,
            place=1 + place,
            arrays=arrays,
            sources=sources,
            backend=backend,
        )

    def run(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The value, from fresh states."""
        reset_states(self.compiled.model)
        return self.model(as_model_inputs(self.graph, inputs), training=False)

    def influences(self, step: int) -> dict[str, np.ndarray]:
        """How strongly a step depends on every element of each source: magnitudes, of the source's shape."""
        from keras import ops

        def weighed(tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            """The step, and a sum of it in which its elements cannot cancel out."""
            value = ops.take(self.run(tensors), step, axis=self.place)
            weights = np.random.default_rng(step).normal(size=value.shape).astype(np.float32)
            return ops.sum(value * weights), value

        floats = [name for name in self.sources if self.arrays[name].dtype.kind == "f"]
        made, gradients = self.backend.gradients(weighed, self.arrays, floats)
        result = {name: np.abs(gradient) for name, gradient in gradients.items()}
        for name in self.sources:
            if name not in result:
                result[name] = self.influence_of_whole_numbers(name, step, made)
        return result

    def influence_of_whole_numbers(self, name: str, step: int, made: np.ndarray) -> np.ndarray:
        """For each position of a source that holds whole numbers: how much the step, now `made`, changes with it."""
        array, axis = self.arrays[name], self.sources[name]
        result = np.zeros(array.shape)
        for position in range(array.shape[axis]):
            changed = np.moveaxis(array.copy(), axis, 0)
            here = changed[position]
            changed[position] = ~here if here.dtype.kind == "b" else np.where(here > 0, here - 1, here + 1)
            value = self.run({**self.arrays, name: np.moveaxis(changed, 0, axis)})
            other = np.take(np.asarray(value), step, axis=self.place)
            np.moveaxis(result, axis, 0)[position] = np.abs(other - made).max()
        return result


def _try(probe: Probe, stride: Steps) -> Found:
    """Steps of a value against all later positions of every input that has the axis."""
    found = Found()
    count = np.asarray(probe.run(probe.arrays)).shape[probe.place]
    for step in sorted({round(i) for i in np.linspace(0, count - 1, min(count, MOST_STEPS))}):
        last = _last_allowed(step, stride)
        found.steps += 1
        for name, influence in probe.influences(step).items():
            place = probe.sources[name]
            along = np.moveaxis(influence, place, 0).reshape(influence.shape[place], -1).max(axis=1)
            later = along[last + 1 :]
            if later.size and later.max() > found.after:
                found.worst = (step, last + 1 + int(np.argmax(later > TOLERANCE * later.max())), name)
                found.after = float(later.max())
            found.before = max(found.before, float(along[: last + 1].max(initial=0.0)))
    return found


def _last_allowed(step: int, stride: Steps) -> int:
    """The last position that belongs to a step."""
    return floor(stride * step + max(Fraction(stride) - 1, Fraction(0)))
