"""The gate: an ONNX model counts only when it is well-formed, has its spec's interface, and gives what Keras gives.

A mismatch is bisected to the first layer that differs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx  # noqa: TID253 - this module is loaded only after an export
import onnxruntime  # noqa: TID253

from nnspec.backends.keras import predict, reset_states
from nnspec.backends.onnx.deploy import Deployment, label_axes, label_name
from nnspec.backends.onnx.export import Exported
from nnspec.diagnostics import Diagnostic, Source, Span, SpecError
from nnspec.graph import Graph, Node
from nnspec.lengths import lengths_of, size_at

STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
CONTROL_FLOW = {"Loop", "If", "Scan"}
BATCHES = (1, 3, 32)
MANY_ELEMENTS = 1_000_000  # inputs of more are compared at the small batches alone: seconds, and nothing learnt
LENGTHS = (11, 17)


@dataclass
class Comparison:
    """Largest differences of an output over all runs."""

    batch_sizes: list[int] = field(default_factory=list)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    max_absolute_error: float = 0.0
    max_relative_error: float = 0.0
    held_out_samples: int = 0

    def to_json(self, tolerance: float) -> dict[str, Any]:
        return {
            "batch_sizes": sorted(set(self.batch_sizes)),
            "lengths": {k: sorted(set(v)) for k, v in self.lengths.items()},
            "held_out_samples": self.held_out_samples,
            "max_absolute_error": self.max_absolute_error,
            "max_relative_error": self.max_relative_error,
            "tolerance": tolerance,
            "passed": bool(self.max_relative_error <= tolerance),
        }


@dataclass(frozen=True, eq=False)
class Gate:
    """What the gate compares.

    Attributes:
        model: the Keras model with the very weights.
        held_out: raw inputs of rows that training never saw; empty without data.
        raw_range: raw training inputs, to draw random ones of the right size; empty without data.
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
        self.check_form(proto)
        self.check_interface(proto)
        session = open_session(proto)
        comparisons = {name: Comparison() for name in self.graph.outputs}
        runs = self.runs()
        for raw, is_held_out in runs:
            self.compare(session, raw, comparisons, is_held_out)
        result: dict[str, Any] = {
            "outputs": {name: c.to_json(self.tolerance) for name, c in comparisons.items()},
            "nodes": dict(sorted(Counter(node.op_type for node in proto.graph.node).items())),
            "opset": {opset.domain or "ai.onnx": opset.version for opset in proto.opset_import},
            "control_flow": self.control_flow(),
            "lowered_by": dict(exported.lowered_by) if exported else {},
            "lowered": dict(Counter(exported.lowered_by.values())) if exported else {},
            "versions": versions(),
        }
        failed = [name for name, c in comparisons.items() if not c.max_relative_error <= self.tolerance]
        if failed:
            raise self.mismatch(failed, comparisons, proto, exported, runs)
        return result

    # ---------------------------------------------------------------------------------------------- form

    def check_form(self, proto: onnx.ModelProto) -> None:
        try:
            onnx.checker.check_model(proto, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise fault("NN702", f"the ONNX model is not well-formed: {str(error).splitlines()[0]}") from None
        declared = {opset.domain for opset in proto.opset_import}
        used = {node.domain for node in proto.graph.node}
        foreign = (declared | used) - STANDARD_DOMAINS
        if foreign or used - declared - {""}:
            raise fault("NN702", f"the ONNX model uses operators outside the standard: {', '.join(sorted(foreign))}")
        control = {node.op_type for node in proto.graph.node} & CONTROL_FLOW
        undeclared = sorted(control - {op for needs in self.control_flow().values() for op in needs})
        if undeclared:
            raise fault(
                "NN702", f"the ONNX model holds control flow ({', '.join(undeclared)}), which few runtimes take"
            )

    def control_flow(self) -> dict[str, dict[str, str]]:
        """Per node, the ops with a body that its layer declares that it cannot do without, and why."""
        needs = {node.name: dict(node.layer.control_flow(node)) for node in self.graph.nodes}
        return {name: ops for name, ops in needs.items() if ops}

    def check_interface(self, proto: onnx.ModelProto) -> None:
        """Inputs, outputs and the names of their axes are those of the spec."""
        wanted_in = {
            name: self.order(name, ["batch", *(a.name for a in v.axes)]) for name, v in self.graph.inputs.items()
        }
        wanted_out: dict[str, list[str]] = {}
        for name, output in self.graph.outputs.items():
            wanted_out[name] = self.order(name, ["batch", *(a.name for a in output.value.axes)])
            if self.deployment.labels(output) is not None:
                wanted_out[label_name(name)] = [
                    a for a in self.order(name, label_axes(output)) if a in label_axes(output)
                ]
        for what, wanted, ports in (
            ("input", wanted_in, proto.graph.input),
            ("output", wanted_out, proto.graph.output),
        ):
            found = {port.name: len(port.type.tensor_type.shape.dim) for port in ports}
            missing = [name for name in wanted if name not in found]
            if missing:
                raise fault("NN703", f"the ONNX model lacks the {what} `{missing[0]}`; it has {', '.join(found)}")
            for name, axes in wanted.items():
                if found[name] != len(axes):
                    raise fault("NN703", f"{what} `{name}` has {found[name]} axes in the ONNX model, not {axes}")

    def order(self, name: str, axes: list[str]) -> list[str]:
        return list(self.layout.get(name, axes))

    # ---------------------------------------------------------------------------------------------- values

    def runs(self) -> list[tuple[dict[str, np.ndarray], bool]]:
        """Raw inputs to compare on: random ones at several batch sizes and lengths, then held-out rows."""
        result: list[tuple[dict[str, np.ndarray], bool]] = []
        symbols = self.symbols()
        batches = (self.fixed_batch,) if self.fixed_batch else self.batches()
        for batch in batches:
            for length in LENGTHS if symbols else LENGTHS[:1]:
                result.append((self.random_inputs(batch, length), False))
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
        lengths = lengths_of(self.graph, max(LENGTHS))
        sample = sum(math.prod(size_at(a.size, lengths) for a in v.axes) for v in self.graph.inputs.values())
        return tuple(batch for batch in BATCHES if batch <= 3 or batch * sample <= MANY_ELEMENTS)

    def symbols(self) -> set[str]:
        return {str(a.size) for v in self.graph.inputs.values() for a in v.axes if not isinstance(a.size, int)}

    def random_inputs(self, batch: int, length: int) -> dict[str, np.ndarray]:
        """Random raw inputs of the scale that the network knows; integers stay within what an Embedding can look up."""
        rng = np.random.default_rng(1_000_003 * batch + length)
        lengths = lengths_of(self.graph, length)
        result = {}
        for name, value in self.graph.inputs.items():
            shape = (batch, *(int(size_at(a.size, lengths)) for a in value.axes))
            examples = self.examples(name)
            if value.dtype == "string":
                result[name] = rng.choice(np.asarray(examples or ["a", "b"], object), size=shape)
                continue
            if value.dtype.startswith(("int", "uint")):
                made: np.ndarray = rng.integers(0, self.integer_bound(name), size=shape)
                if examples:
                    made = rng.choice(np.asarray(examples), size=shape)
            elif value.dtype == "bool":
                made = rng.integers(0, 2, size=shape)
            else:
                made = rng.normal(size=shape)
                transform = self.deployment.inputs.get(name)
                if transform is not None and transform.scaling is not None:
                    made = made * transform.scaling.divisor + transform.scaling.offset
                if transform is not None and transform.pad_value is not None and transform.step is not None:
                    made = padded_at_end(made, transform.pad_value, transform.step, rng)
            result[name] = made.astype(value.dtype)
        return result

    def examples(self, name: str) -> list[Any]:
        """Words or integers that the layers which look an input up know, and some that they do not."""
        return [example for node in self.readers(name) for example in node.layer.examples(node)]

    def integer_bound(self, name: str) -> int:
        """One more than the largest id that every Embedding of an input knows."""
        bounds = [100]
        for node in self.readers(name):
            while node.kind == "TimeDistributed" and node.inner is not None:
                node = node.inner
            if "input_dim" in node.args:
                bounds.append(int(node.args["input_dim"]))
        return min(bounds)

    def readers(self, name: str) -> Iterator[Node]:
        """The nodes that read an input's values as they are, behind what only moves them too."""
        same = {name}
        for node in self.graph.nodes:
            if node.inputs[0].node in same:
                yield node
                if not node.weights and node.layer.reads_text and not node.layer.examples(node):
                    same.add(node.name)

    def expected(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What Keras gives, with scaling and labels by NumPy."""
        predicted = predict(self.model, self.graph, self.deployment.to_network(raw))
        return self.deployment.from_network(self.graph, predicted, raw)

    def feed(self, session: onnxruntime.InferenceSession, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        result = {}
        for name, value in raw.items():
            names = ["batch", *(a.name for a in self.graph.inputs[name].axes)]
            order = self.order(name, names)
            moved = np.ascontiguousarray(np.transpose(value, [names.index(a) for a in order]))
            result[name] = moved.astype(object) if moved.dtype.kind == "U" else moved
        known = {port.name: port for port in session.get_inputs()}
        batch = len(next(iter(raw.values())))
        for name, port in known.items():  # recurrent state starts at zero
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
        reset_states(self.model)
        wanted = self.expected(raw)
        names = [port.name for port in session.get_outputs()]
        got = dict(zip(names, session.run(None, self.feed(session, raw)), strict=True))
        batch = len(next(iter(raw.values())))
        for name, comparison in comparisons.items():
            output = self.graph.outputs[name]
            axes = ["batch", *(a.name for a in output.value.axes)]
            value = np.transpose(got[name], [self.order(name, axes).index(a) for a in axes])
            absolute, relative = differences(value, wanted[name])
            comparison.max_absolute_error = max(comparison.max_absolute_error, absolute)
            comparison.max_relative_error = max(comparison.max_relative_error, relative)
            comparison.batch_sizes.append(batch)
            for input_name, value_in in self.graph.inputs.items():
                for i, axis in enumerate(value_in.axes):
                    if not isinstance(axis.size, int):
                        comparison.lengths.setdefault(str(axis.size), []).append(raw[input_name].shape[1 + i])
            if is_held_out:
                comparison.held_out_samples = max(comparison.held_out_samples, batch)
            labels = label_name(name)
            if labels in wanted:
                self.compare_labels(name, got[labels], wanted[labels], got[name])

    def compare_labels(self, name: str, got: np.ndarray, wanted: np.ndarray, scores: np.ndarray) -> None:
        """Labels must agree, but for samples whose best two classes tie within rounding."""
        axes = label_axes(self.graph.outputs[name])
        order = [a for a in self.order(name, axes) if a in axes]
        arranged = np.transpose(got, [order.index(a) for a in axes]).astype(str)
        differ = np.mean(arranged.astype(str) != np.asarray(wanted).astype(str))
        if differ > 0.01:
            raise fault("NN701", f"labels of output `{name}` differ from Keras' in {differ:.1%} of the samples")
        del scores

    def mismatch(
        self,
        failed: list[str],
        comparisons: Mapping[str, Comparison],
        proto: onnx.ModelProto,
        exported: Exported | None,
        runs: list[tuple[dict[str, np.ndarray], bool]],
    ) -> SpecError:
        first = comparisons[failed[0]]
        message = (
            f"ONNX Runtime and Keras differ on output `{failed[0]}` by {first.max_relative_error:.3g} "
            f"(relative), more than {self.tolerance:g}"
        )
        span, notes = Span(Source(self.graph.name, "")), list[str]()
        if exported is not None:
            from nnspec.verify.bisect import first_difference

            found = first_difference(self, proto, exported, runs[0][0])
            if found is not None:
                span = found.node.span
                notes.append(
                    f"the first layer that differs is `{found.node.name}` ({found.node.kind}): {found.error:.3g}"
                )
        return SpecError([Diagnostic("NN701", message, span, notes=tuple(notes))])


def differences(got: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Largest absolute difference, and that over the largest magnitude wanted. NaN anywhere counts as infinite."""
    if got.shape != wanted.shape:
        return float("inf"), float("inf")
    if not wanted.size:
        return 0.0, 0.0
    if wanted.dtype.kind in "OU":  # text is the same or it is not
        return (0.0, 0.0) if np.array_equal(got.astype(str), wanted.astype(str)) else (float("inf"), float("inf"))
    left, right = got.astype(np.float64), wanted.astype(np.float64)
    absolute = float(np.max(np.abs(left - right)))
    if not np.isfinite(absolute):
        return float("inf"), float("inf")
    scale = float(np.max(np.abs(right)))
    return absolute, absolute / scale if scale > 1e-6 else absolute


def padded_at_end(values: np.ndarray, pad_value: float, step: int, rng: np.random.Generator) -> np.ndarray:
    """Every sample cut at a random length along axis `step`, the rest padding."""
    length = values.shape[step]
    ends = rng.integers(1, length + 1, size=len(values))
    shape = [len(values)] + [1] * (values.ndim - 1)
    place = np.arange(length).reshape([-1 if i == step else 1 for i in range(values.ndim)])
    return np.where(place < ends.reshape(shape), values, np.float32(pad_value))


def open_session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise fault("NN702", f"ONNX Runtime does not load the model: {str(error).splitlines()[0]}") from None


def fault(code: str, message: str) -> SpecError:
    return SpecError.single(code, message, Span(Source("model.onnx", "")))


def versions() -> dict[str, str]:
    """Versions of everything that a result depends on."""
    from importlib.metadata import version

    names = ("nnspec", "keras", "tensorflow", "onnx", "onnxruntime", "numpy")
    return {name: version(name) for name in names}
