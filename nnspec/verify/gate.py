"""The comparison itself: ONNX Runtime against Keras, on random inputs and on rows that training never saw."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx  # noqa: TID253 - this module is loaded only after an export
import onnxruntime  # noqa: TID253

from nnspec.backends.keras import predict, read_weights, reset_states
from nnspec.backends.onnx.deploy import Deployment, label_axes, label_name
from nnspec.backends.onnx.export import Exported
from nnspec.diagnostics import Diagnostic, Source, Span, SpecError
from nnspec.graph import Graph, Node
from nnspec.layers.base import keras_name
from nnspec.lengths import lengths_of, size_at
from nnspec.verify.comparison import Comparison, differences
from nnspec.verify.form import check_form, check_interface, control_flow, deployed_order, fault, open_session
from nnspec.verify.samples import random_inputs

BATCHES = (1, 3, 32)
MANY_ELEMENTS = 1_000_000  # inputs of more are compared at the small batches alone: seconds, and nothing learnt
LENGTHS = (11, 17)


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
        comparisons = {name: Comparison() for name in self.graph.outputs}
        runs = self.runs()
        for raw, is_held_out in runs:
            self.compare(session, raw, comparisons, is_held_out)
        result: dict[str, Any] = {
            "outputs": {name: c.to_json(self.tolerance) for name, c in comparisons.items()},
            "nodes": dict(sorted(Counter(node.op_type for node in proto.graph.node).items())),
            "opset": {opset.domain or "ai.onnx": opset.version for opset in proto.opset_import},
            "control_flow": control_flow(self.graph),
            "lowered_by": dict(exported.lowered_by) if exported else {},
            "lowered": dict(Counter(exported.lowered_by.values())) if exported else {},
            "versions": versions(),
        }
        failed = [name for name, c in comparisons.items() if not c.max_relative_error <= self.tolerance]
        if failed:
            raise self.mismatch(failed, comparisons, exported, runs)
        return result

    def runs(self) -> list[tuple[dict[str, np.ndarray], bool]]:
        """Raw inputs to compare on: random ones at several batch sizes and lengths, then held-out rows."""
        result: list[tuple[dict[str, np.ndarray], bool]] = []
        is_open = any(not isinstance(a.size, int) for v in self.graph.inputs.values() for a in v.axes)
        batches = (self.fixed_batch,) if self.fixed_batch else self.batches()
        for batch in batches:
            for length in LENGTHS if is_open else LENGTHS[:1]:
                result.append((random_inputs(self.graph, self.deployment, batch, length, self.weights_of), False))
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

    def rounding(self, raw: Mapping[str, np.ndarray]) -> float:
        """How far Keras' own outputs move (relative) where every float of these inputs moves by its last bit."""
        moved = {
            name: np.nextafter(value, np.float32(np.inf)) if value.dtype == np.float32 else value
            for name, value in raw.items()
        }
        reset_states(self.model)
        before = predict(self.model, self.graph, self.deployment.to_network(raw))
        reset_states(self.model)
        after = predict(self.model, self.graph, self.deployment.to_network(moved))
        return max(differences(after[name], before[name])[1] for name in before)

    def expected(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What Keras gives, with scaling and labels by NumPy."""
        predicted = predict(self.model, self.graph, self.deployment.to_network(raw))
        return self.deployment.from_network(self.graph, predicted, raw)

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

    def compare(
        self,
        session: onnxruntime.InferenceSession,
        raw: Mapping[str, np.ndarray],
        comparisons: Mapping[str, Comparison],
        is_held_out: bool,
    ) -> None:
        """Adds to each output's comparison what one run of both gives.

        Raises:
            SpecError: NN701 where labels differ.
        """
        reset_states(self.model)
        wanted = self.expected(raw)
        names = [port.name for port in session.get_outputs()]
        got = dict(zip(names, session.run(None, self.feed(session, raw)), strict=True))
        batch = len(next(iter(raw.values())))
        for name, comparison in comparisons.items():
            output = self.graph.outputs[name]
            axes = ["batch", *(a.name for a in output.value.axes)]
            value = np.transpose(got[name], [deployed_order(self.layout, name, axes).index(a) for a in axes])
            comparison.add(*differences(value, wanted[name]), batch, self.lengths(raw), is_held_out)
            labels = label_name(name)
            if labels in wanted:
                self.compare_labels(name, got[labels], wanted[labels])

    def compare_labels(self, name: str, got: np.ndarray, wanted: np.ndarray) -> None:
        """Labels must agree, but for one sample in a hundred: where the best two classes tie, rounding decides."""
        axes = label_axes(self.graph.outputs[name])
        order = [a for a in deployed_order(self.layout, name, axes) if a in axes]
        arranged = np.transpose(got, [order.index(a) for a in axes]).astype(str)
        differ = np.mean(arranged.astype(str) != np.asarray(wanted).astype(str))
        if differ > 0.01:
            raise fault("NN701", f"labels of output `{name}` differ from Keras' in {differ:.1%} of the samples")

    def mismatch(
        self,
        failed: list[str],
        comparisons: Mapping[str, Comparison],
        exported: Exported | None,
        runs: list[tuple[dict[str, np.ndarray], bool]],
    ) -> SpecError:
        """NN701 at the first layer that differs, where that can be found."""
        first = comparisons[failed[0]]
        message = (
            f"ONNX Runtime and Keras differ on output `{failed[0]}` by {first.max_relative_error:.3g} "
            f"(relative), more than {self.tolerance:g}"
        )
        span, notes = Span(Source(self.graph.name, "")), list[str]()
        if exported is not None:
            from nnspec.verify.bisect import first_difference

            found = first_difference(self, exported, runs[0][0])
            if found is not None:
                span = found.node.span
                notes.append(
                    f"the first layer that differs is `{found.node.name}` ({found.node.kind}): {found.error:.3g}"
                )
        moved = self.rounding(runs[0][0])
        if moved > self.tolerance / 10:
            notes.append(
                f"this network blows rounding up: Keras' own outputs move by {moved:.1g} (relative) where its inputs "
                "change in their last bit"
            )
        return SpecError([Diagnostic("NN701", message, span, notes=tuple(notes))])


def versions() -> dict[str, str]:
    """Versions of everything that a result depends on."""
    from importlib.metadata import version

    names = ("nnspec", "keras", "tensorflow", "onnx", "onnxruntime", "numpy")
    return {name: version(name) for name in names}
