"""A second opinion: converts the whole Keras model with tf2onnx, which shares no code with nnspec.

Where both files give what Keras gives, a fault would have to be in all three. It also shows what nnspec's own lowering
is worth: nodes, operators and latency side by side. tf2onnx cannot convert every network; then its reason is told. Its
own file is ONNX, whatever the format of nnspec's.
"""

from __future__ import annotations

import logging
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nnspec.backends.base import ExportedModel, Session
from nnspec.backends.keras.model import as_model_inputs
from nnspec.backends.keras.startup_output import hold_standard_error
from nnspec.backends.keras.tensorflow.backend import TENSORFLOW
from nnspec.backends.registry import export_backend
from nnspec.backends.types import Tensor
from nnspec.diagnostics import SpecError
from nnspec.ir.graph import Graph, Node
from nnspec.ir.names import keras_name
from nnspec.verify.comparison import differences
from nnspec.verify.gate import Gate
from nnspec.verify.runs import Run, Runs

NEWEST_OPSET = 18  # of those that tf2onnx writes
SECONDS = 0.25  # that each file is run for at a batch size
ROUNDS = (5, 1000)  # at least and at most
UNSUPPORTED = re.compile(r"Tensorflow op \[(?P<name>[^\]]*): (?P<op>\w+)\] is not supported", re.IGNORECASE)
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class File:
    """What one of the two files is like.

    Attributes:
        nodes: those in bodies of loops among them.
        operators: how many nodes are of each kind.
        max_relative_error: by output, against Keras, over its largest magnitude.
        latency: the median run in microseconds by batch size, on one thread.
    """

    nodes: int
    operators: Mapping[str, int]
    max_relative_error: Mapping[str, float]
    latency: Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no second opinion.

    Attributes:
        stage: `conversion`, `loading` or `running`.
        layer: where it failed, and of which kind that is; None where tf2onnx does not say.
    """

    stage: str
    reason: str
    layer: str | None = None
    kind: str | None = None


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """Both files beside Keras.

    Attributes:
        between: by output, how far the two files are apart, over the largest magnitude.
    """

    version: str
    nnspec: File
    tf2onnx: File | Failure
    between: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        failed = isinstance(self.tf2onnx, Failure)
        return {
            "version": self.version,
            "nnspec": asdict(self.nnspec),
            "tf2onnx": None if failed else asdict(self.tf2onnx),
            "failure": asdict(self.tf2onnx) if failed else None,
            "between": dict(self.between),
        }


def second_opinion(gate: Gate, exported: ExportedModel) -> SecondOpinion:
    """Converts the Keras model of a gate by tf2onnx, and compares both files with it.

    Args:
        exported: nnspec's file, which may scale inputs and outputs; tf2onnx's has that done by NumPy around it.
    """
    from importlib.metadata import version

    runs = Runs(gate, {}, gate.fixed_batch).random()
    wanted = [gate.deployment.from_network(gate.graph, gate.predicted(run.raw), run.raw) for run in runs]
    ours_session = exported.open()
    ours: list[Arrays] = [ours_session.run(gate.feed(ours_session, run.raw)) for run in runs]
    theirs = _convert(gate, _opset(exported, gate.graph))
    found: list[Arrays] = []
    theirs_session: Session | None = None
    if not isinstance(theirs, Failure):
        loaded = _load(theirs)
        if isinstance(loaded, Failure):
            theirs = loaded
        else:
            theirs_session = loaded
            outcome = _run_all(gate, theirs_session, runs)
            if isinstance(outcome, Failure):
                theirs = outcome
            else:
                found = outcome
    feeds: dict[int, list[tuple[Session, Arrays]]] = {}
    for run in runs:
        both: list[tuple[Session, Arrays]] = [(ours_session, gate.feed(ours_session, run.raw))]
        if found and theirs_session is not None:
            both.append((theirs_session, _network_feed(gate, theirs_session, run.raw)))
        feeds.setdefault(run.batch, both)
    latency = {batch: _medians(both) for batch, both in feeds.items()}
    ours = [gate_order(gate, run, arrays) for run, arrays in zip(runs, ours, strict=True)]
    return SecondOpinion(
        version=version("tf2onnx"),
        nnspec=_file(exported, gate.graph, ours, wanted, {batch: times[0] for batch, times in latency.items()}),
        tf2onnx=theirs
        if isinstance(theirs, Failure)
        else _file(theirs, gate.graph, found, wanted, {batch: times[1] for batch, times in latency.items()}),
        between=_worst(gate.graph, found, ours),
    )


def gate_order(gate: Gate, run: Run, arrays: Arrays) -> Arrays:
    """The outputs of nnspec's file in the spec's order of axes, whatever layout it was exported with."""
    result = {}
    for name, output in gate.graph.outputs.items():
        axes = ["batch", *(axis.name for axis in output.value.axes)]
        order = list(gate.layout.get(name, axes))
        result[name] = np.transpose(arrays[name], [order.index(axis) for axis in axes])
    return result


# --------------------------------------------------------------------------------------------------- conversion


class _Listener(logging.Handler):
    """What tf2onnx logs as errors: it goes on after them, and writes a file that no runtime loads."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}\n{record.exc_info[1]}"
        self.heard.append(text)


def _convert(gate: Gate, opset: int) -> ExportedModel | Failure:
    """The Keras model by tf2onnx as an ONNX model, inputs and outputs in the order of the graph's."""
    import tf2onnx

    names = list(gate.graph.inputs)

    def call(*tensors: Tensor) -> list[Tensor]:
        made = gate.model(as_model_inputs(gate.graph, dict(zip(names, tensors, strict=True))), training=False)
        return [made[name] for name in gate.graph.outputs] if isinstance(made, dict) else [made]

    signature = [
        ([gate.fixed_batch, *(axis.size if isinstance(axis.size, int) else None for axis in value.axes)], value.dtype)
        for value in gate.graph.inputs.values()
    ]
    listener, logger = _Listener(), logging.getLogger("tf2onnx")
    logger.addHandler(listener)
    try:
        with hold_standard_error():  # tf2onnx and TensorFlow write warnings to it
            function, specs = TENSORFLOW.traced(call, signature)
            try:
                proto, _ = tf2onnx.convert.from_function(function, specs, opset=opset)
            except Exception as error:  # whatever tf2onnx stumbles over is its opinion
                listener.heard.append(str(error) or type(error).__name__)
                return _failure(gate.graph, "conversion", listener.heard)
    finally:
        logger.removeHandler(listener)
    if listener.heard:
        return _failure(gate.graph, "conversion", listener.heard)
    return export_backend("onnx").parse(proto.SerializeToString())


def _failure(graph: Graph, stage: str, heard: Sequence[str]) -> Failure:
    """The first thing heard that names a layer, else the first."""
    for text in heard:
        node = _node_in(graph, text)
        if node is not None:
            return Failure(stage=stage, reason=_reason(text), layer=node.name, kind=node.kind)
    return Failure(stage=stage, reason=_reason(heard[0]))


def _node_in(graph: Graph, text: str) -> Node | None:
    """The node whose TensorFlow operations a text names, as in `model_1/mel_1/stft/Real`."""
    found = {part: text.index(part) for part in re.findall(r"(?<=/)[^/\s:'\]]+", text)}
    for part in sorted(found, key=found.__getitem__):
        bare = re.sub(r"_\d+$", "", part)
        for name in (part, bare):
            node = next((node for node in graph.nodes if keras_name(node.name) == name), None)
            if node is not None:
                return node
    return None


def _reason(text: str) -> str:
    """A line of what tf2onnx, or ONNX Runtime, said."""
    unsupported = UNSUPPORTED.search(text)
    if unsupported is not None:
        return f"it cannot convert TensorFlow's operation {unsupported['op']}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if text.startswith("Failed to convert") else lines[0]).removeprefix("make_sure failure: ")


def _load(converted: ExportedModel) -> Session | Failure:
    try:
        return converted.open()
    except SpecError as error:
        return Failure(stage="loading", reason=error.diagnostics[0].message)


# --------------------------------------------------------------------------------------------------- comparison


def _run_all(gate: Gate, session: Session, runs: Sequence[Run]) -> list[Arrays] | Failure:
    """What tf2onnx's file gives on all runs, scaled back and with labels as nnspec's file has them."""
    found: list[Arrays] = []
    for run in runs:
        try:
            made = session.run(_network_feed(gate, session, run.raw))
        except SpecError as error:
            return Failure(stage="running", reason=error.diagnostics[0].message)
        predicted = dict(zip(gate.graph.outputs, made.values(), strict=True))
        found.append(gate.deployment.from_network(gate.graph, predicted, run.raw))
    return found


def _network_feed(gate: Gate, session: Session, raw: Arrays) -> dict[str, np.ndarray]:
    """Raw inputs, scaled, by the names that tf2onnx gave them; it leaves out those that nothing reads."""
    scaled = gate.deployment.to_network(raw)
    values = [
        scaled[name].astype(object if value.dtype == "string" else value.dtype)
        for name, value in gate.graph.inputs.items()
    ]
    ports = {name.partition(":")[0]: name for name in session.inputs}
    return {ports[f"input_{i}"]: value for i, value in enumerate(values) if f"input_{i}" in ports}


def _worst(graph: Graph, found: Sequence[Arrays], wanted: Sequence[Arrays]) -> dict[str, float]:
    """By output: the largest relative difference over all runs; nothing where there are none."""
    if not found:
        return {}
    return {
        name: max(differences(got[name], want[name])[1] for got, want in zip(found, wanted, strict=True))
        for name in graph.outputs
    }


def _file(
    model: ExportedModel, graph: Graph, found: Sequence[Arrays], wanted: Sequence[Arrays], latency: dict[int, float]
) -> File:
    operators = model.operators()
    return File(
        nodes=sum(operators.values()),
        operators=operators,
        max_relative_error=_worst(graph, found, wanted),
        latency=latency,
    )


def _opset(exported: ExportedModel, graph: Graph) -> int:
    """That of nnspec's file, where it is ONNX and tf2onnx writes it."""
    ours: int = exported.describe(graph).get("opset", {}).get("ai.onnx", NEWEST_OPSET)
    return min(NEWEST_OPSET, ours)


def _medians(both: Sequence[tuple[Session, Arrays]]) -> list[float]:
    """The median time of each in microseconds, run in turn, so that a busy machine slows both."""
    times: list[list[float]] = [[] for _ in both]
    end = time.perf_counter() + SECONDS * len(both)
    while len(times[0]) < ROUNDS[0] or (time.perf_counter() < end and len(times[0]) < ROUNDS[1]):
        for taken, (session, feed) in zip(times, both, strict=True):
            started = time.perf_counter()
            session.run(feed)
            taken.append(1e6 * (time.perf_counter() - started))
    return [statistics.median(taken) for taken in times]
