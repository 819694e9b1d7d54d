"""The comparison itself: ONNX Runtime against Keras, on random inputs and on rows that training never saw."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime

from nnspec.backends.keras.model import predict, read_weights, reset_states
from nnspec.backends.onnx.deploy import Deployment, label_axes, label_name
from nnspec.backends.onnx.export import Exported
from nnspec.diagnostics import Diagnostic, Source, Span, SpecError
from nnspec.ir.graph import Graph, Node
from nnspec.ir.names import keras_name
from nnspec.ir.symbols import lengths_of, size_at
from nnspec.verify.comparison import Comparison, differences
from nnspec.verify.form import check_form, check_interface, control_flow, deployed_order, open_session
from nnspec.verify.samples import random_inputs

BATCHES = (1, 3, 32)
MANY_ELEMENTS = 1_000_000  # inputs of more are compared at the small batches alone: seconds, and nothing learnt
LENGTHS = (11, 17)
SMALLEST_SCALE = 1 / 256  # of random inputs to a network that blows rounding up
TRIALS = 3
JITTER = 2.0**-15  # relative; more than rounding, so that it shows behind a softmax that is nearly certain
BETWEEN_KERNELS = (
    2.0**-20
)  # relative: what sums over a thousand products, or functions that are approximated, differ by

Run = tuple[dict[str, np.ndarray], bool]  # raw inputs, and whether they are rows that training never saw


@dataclass(frozen=True, eq=False)
class Gate:
    """An ONNX model beside what it must be equal to.

    Attributes:
        model: the Keras model with the very weights.
        held_out: raw inputs of rows that training never saw; empty without data.
        layout: the order of axes in the model, by input or output, where it is another than the spec's.
        fixed_batch: the only batch size that the model takes, if it takes one alone.
    """

    graph: Graph
    model: Any
    deployment: Deployment
    tolerance: float = 1e-4
    layout: Mapping[str, list[str]] = field(default_factory=dict)
    held_out: Mapping[str, np.ndarray] = field(default_factory=dict)
    fixed_batch: int | None = None

    def run(self, proto: onnx.ModelProto, exported: Exported | None = None) -> dict[str, Any]:
        """All checks.

        Returns:
            What `verify.json` holds.

        Raises:
            SpecError: NN701 to NN703.
        """
        check_form(proto, self.graph)
        check_interface(proto, self.graph, self.deployment, self.layout)
        session = open_session(proto)
        scale = 1.0
        while True:
            runs = self.runs(scale)
            comparisons, worst = self.compare_all(session, runs)
            if all(comparison.passes(self.tolerance) for comparison in comparisons.values()):
                break
            if scale <= SMALLEST_SCALE or not self.blows_up(self.amplification(worst)):
                raise self.mismatch(comparisons, exported, worst)
            scale /= 4
        result: dict[str, Any] = {
            "outputs": {name: c.to_json(self.tolerance) for name, c in comparisons.items()},
            "input_scale": scale,
            "nodes": dict(sorted(Counter(node.op_type for node in proto.graph.node).items())),
            "opset": {opset.domain or "ai.onnx": opset.version for opset in proto.opset_import},
            "control_flow": control_flow(self.graph),
            "lowered_by": dict(exported.lowered_by) if exported else {},
            "lowered": dict(Counter(exported.lowered_by.values())) if exported else {},
            "versions": versions(),
        }
        return result

    def runs(self, scale: float = 1.0) -> list[Run]:
        """Raw inputs to compare on: random ones at several batch sizes and lengths, then held-out rows.

        Args:
            scale: of the random ones, where the network expects a deviation of 1.
        """
        result: list[Run] = []
        is_open = any(not isinstance(a.size, int) for v in self.graph.inputs.values() for a in v.axes)
        batches = (self.fixed_batch,) if self.fixed_batch else self.batches()
        for batch in batches:
            for length in LENGTHS if is_open else LENGTHS[:1]:
                drawn = random_inputs(self.graph, self.deployment, batch, length, self.weights_of, scale)
                result.append((drawn, False))
        if self.held_out:
            count = len(next(iter(self.held_out.values())))
            for batch in batches:
                if batch <= count:
                    result.append(({name: a[:batch] for name, a in self.held_out.items()}, True))
            most = min(count, 512)
            if self.fixed_batch is None and most > max(batches):
                result.append(({name: a[count - most :] for name, a in self.held_out.items()}, True))
        return result

    def batches(self) -> tuple[int, ...]:
        """The batch sizes to compare at: small ones alone where samples are large."""
        lengths = lengths_of(self.graph, max(LENGTHS))
        sample = sum(math.prod(size_at(a.size, lengths) for a in v.axes) for v in self.graph.inputs.values())
        return tuple(batch for batch in BATCHES if batch <= 3 or batch * sample <= MANY_ELEMENTS)

    def lengths(self, raw: Mapping[str, np.ndarray]) -> dict[str, list[int]]:
        """How long the axes of open size are in these inputs, by size."""
        found: dict[str, list[int]] = {}
        for name, value in self.graph.inputs.items():
            for i, axis in enumerate(value.axes, start=1):
                if not isinstance(axis.size, int):
                    found.setdefault(str(axis.size), []).append(raw[name].shape[i])
        return found

    def weights_of(self, node: Node) -> dict[str, np.ndarray]:
        """A node's weights, where the Keras model has a layer of its name."""
        layer = next((layer for layer in self.model.layers if layer.name == keras_name(node.name)), None)
        return read_weights(node, layer) if node.weights and layer is not None else {}

    def amplification(self, raw: Mapping[str, np.ndarray]) -> float:
        """By how much more than the inputs and weights themselves Keras' own outputs move (both relative)."""
        weights = self.model.get_weights()
        wanted = self.predicted(raw)
        found = [0.0]
        try:
            for trial in range(TRIALS):
                rng = np.random.default_rng(trial)
                self.model.set_weights([jittered(values, rng) for values in weights])
                moved = self.predicted({name: jittered(values, rng) for name, values in raw.items()})
                found += [differences(moved[name], wanted[name])[1] for name in wanted]
        finally:
            self.model.set_weights(weights)
        return max(found) / JITTER

    def predicted(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the Keras model gives, before scaling is undone."""
        reset_states(self.model)
        return predict(self.model, self.graph, self.deployment.to_network(raw))

    def blows_up(self, amplification: float) -> bool:
        """Whether two right programs may differ, so that a difference tells nothing."""
        return amplification * BETWEEN_KERNELS > self.tolerance

    def expected(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What Keras gives, with scaling and labels by NumPy."""
        return self.deployment.from_network(self.graph, self.predicted(raw), raw)

    def feed(self, session: onnxruntime.InferenceSession, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The raw inputs in the axis order of the model, and zeros for recurrent state."""
        result = {}
        for name, value in raw.items():
            names = ["batch", *(a.name for a in self.graph.inputs[name].axes)]
            order = deployed_order(self.layout, name, names)
            moved = np.ascontiguousarray(np.transpose(value, [names.index(a) for a in order]))
            result[name] = moved.astype(object) if moved.dtype.kind == "U" else moved
        known = {port.name: port for port in session.get_inputs()}
        batch = len(next(iter(raw.values())))
        for name, port in known.items():
            if name not in result:
                shape = [d if isinstance(d, int) else batch for d in port.shape]
                result[name] = np.zeros(shape, np.float32)
        return result

    def compare_all(
        self, session: onnxruntime.InferenceSession, runs: Sequence[Run]
    ) -> tuple[dict[str, Comparison], Mapping[str, np.ndarray]]:
        """Each output's comparison over all runs, and the inputs of the one that differs most."""
        comparisons = {name: Comparison() for name in self.graph.outputs}
        errors = [self.compare(session, raw, comparisons, is_held_out) for raw, is_held_out in runs]
        return comparisons, runs[int(np.argmax(errors))][0]

    def compare(
        self,
        session: onnxruntime.InferenceSession,
        raw: Mapping[str, np.ndarray],
        comparisons: Mapping[str, Comparison],
        is_held_out: bool,
    ) -> float:
        """Adds to each output's comparison what one run of both gives; the largest error of the run."""
        wanted = self.expected(raw)
        names = [port.name for port in session.get_outputs()]
        got = dict(zip(names, session.run(None, self.feed(session, raw)), strict=True))
        batch = len(next(iter(raw.values())))
        errors = [0.0]
        for name, comparison in comparisons.items():
            output = self.graph.outputs[name]
            axes = ["batch", *(a.name for a in output.value.axes)]
            value = np.transpose(got[name], [deployed_order(self.layout, name, axes).index(a) for a in axes])
            absolute, relative = differences(value, wanted[name])
            comparison.add(absolute, relative, batch, self.lengths(raw), is_held_out)
            errors.append(relative)
            labels = label_name(name)
            if labels in wanted:
                others = self.other_labels(name, got[labels], wanted[labels])
                comparison.other_labels = max(comparison.other_labels, others)
        return max(errors)

    def other_labels(self, name: str, got: np.ndarray, wanted: np.ndarray) -> float:
        """The share of labels that are not Keras'."""
        axes = label_axes(self.graph.outputs[name])
        order = [a for a in deployed_order(self.layout, name, axes) if a in axes]
        arranged = np.transpose(got, [order.index(a) for a in axes]).astype(str)
        return float(np.mean(arranged != np.asarray(wanted).astype(str)))

    def mismatch(
        self, comparisons: Mapping[str, Comparison], exported: Exported | None, worst: Mapping[str, np.ndarray]
    ) -> SpecError:
        """NN701 at the first layer that differs, where that can be found."""
        name, found = next((name, c) for name, c in comparisons.items() if not c.passes(self.tolerance))
        message = (
            f"ONNX Runtime and Keras differ on output `{name}` by {found.max_relative_error:.3g} "
            f"(relative), more than {self.tolerance:g}"
        )
        if found.max_relative_error <= self.tolerance:
            message = f"labels of output `{name}` differ from Keras' in {found.other_labels:.1%} of the samples"
        span, notes = Span(Source(self.graph.name, "")), list[str]()
        if exported is not None:
            from nnspec.verify.bisect import first_difference

            first = first_difference(self, exported, worst)
            if first is not None:
                span = first.node.span
                notes.append(
                    f"the first layer that differs is `{first.node.name}` ({first.node.kind}): {first.error:.3g}"
                )
        amplification = self.amplification(worst)
        if self.blows_up(amplification):
            notes.append(
                f"this network blows rounding up: Keras' own outputs move {amplification:.0f} times as far as inputs "
                "and weights do (relative), so that programs which both are right differ"
            )
        return SpecError([Diagnostic("NN701", message, span, notes=tuple(notes))])


def jittered(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Floats changed by a random part of JITTER; anything else as it is."""
    if values.dtype != np.float32:
        return values
    return values * (1 + JITTER * rng.uniform(-1, 1, values.shape)).astype(np.float32)


def versions() -> dict[str, str]:
    """Versions of everything that a result depends on."""
    from importlib.metadata import version

    names = ("nnspec", "keras", "tensorflow", "onnx", "onnxruntime", "numpy")
    return {name: version(name) for name in names}
