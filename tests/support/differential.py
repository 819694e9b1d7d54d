"""A Keras model imported, exported, and run by two evaluators beside Keras on inputs that are hard for it."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow
from onnx.reference import ReferenceEvaluator

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.diagnostics import SpecError
from nnspec.importers.keras.importer import import_file, import_model
from nnspec.progress import Progress
from tests.support.keras_models import Made, Outputs, hard_inputs, random_model, reset_states
from tests.support.keras_models import call as call_keras
from tests.support.keras_models import run as run_keras
from tests.support.reference_evaluator import evaluator

TOLERANCE = 2e-4  # of the largest value of an output
MARGIN = 4.0  # times what coarse sigmoids do


@dataclass(frozen=True)
class Outcome:
    """What became of a model.

    Attributes:
        state: `equal`, `refused` (an import that says why), `differs` or `crashed`.
    """

    seed: int
    state: str
    why: str
    steps: list[str]
    error: float = 0.0

    @property
    def is_clean(self) -> bool:
        return self.state == "equal"


def try_model(seed: int) -> Outcome:
    """The whole way of one random model."""
    keras.utils.clear_session()
    made = random_model(seed)
    try:
        with tempfile.TemporaryDirectory() as folder:
            proto, names, states = exported(made.model, Path(folder), by_file=seed % 2 == 0)
        error, why = compare(made, proto, names, states, seed)
    except SpecError as refusal:
        return Outcome(seed, "refused", "; ".join(f"{d.code} {d.message}" for d in refusal.diagnostics), made.steps)
    except Exception:
        return Outcome(seed, "crashed", traceback.format_exc(limit=-3), made.steps)
    return Outcome(seed, "differs" if why else "equal", why, made.steps, error)


def exported(model: Any, folder: Path, *, by_file: bool) -> tuple[onnx.ModelProto, list[str], dict[str, str]]:
    """The ONNX file of an import, the names of its inputs in the model's order, and its states by their inputs."""
    if by_file:
        model.save(folder / "random.keras")
        made = import_file(folder / "random.keras", folder, Progress(quiet=True))
    else:
        made = import_model(model, folder)
    graph = pipeline.check(made.spec).graph
    compiled = build_model(graph)
    compiled.model.load_weights(made.weights)
    weights = {node.owner: read_weights(node, compiled.layers[node.name]) for node in graph.nodes}
    written = export_graph(graph, weights, opset=18)
    proto = written.builder.to_model({}, "imported")
    onnx.checker.check_model(proto, full_check=True)
    return proto, list(graph.inputs), {state.input: state.output for state in written.states}


def compare(
    made: Made, proto: onnx.ModelProto, names: list[str], states: dict[str, str], seed: int
) -> tuple[float, str]:
    """The largest relative difference, and where it is too large, in words."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    reference = evaluator(proto)
    outputs = [value.name for value in proto.graph.output]
    open_states = {value.name: value for value in proto.graph.input if value.name in states}
    worst, said = 0.0, ""
    coarse: list[ReferenceEvaluator] = []  # built where it is needed
    runs = hard_inputs(made, seed)
    for number, (arrays, turns) in enumerate(zip(runs, keras_turns(made, runs), strict=True)):
        carried: dict[str, dict[str, np.ndarray]] = {}
        for turn, wanted in enumerate(turns):
            for who, run in (("ONNX Runtime", session.run), ("the reference evaluator", reference.run)):
                feed = dict(zip(names, arrays, strict=True))
                feed |= carried.get(who) or {n: zeros(value, len(arrays[0])) for n, value in open_states.items()}
                got = dict(zip(outputs, run(None, feed), strict=True))
                carried[who] = {name: got[output] for name, output in states.items()}
                for place, (output, theirs) in enumerate(zip(outputs, wanted, strict=False)):
                    error = difference(got[output], theirs)
                    if error > TOLERANCE and who == "ONNX Runtime":
                        coarse = coarse or [evaluator(proto, is_coarse=True)]
                        if error <= MARGIN * difference(coarse[0].run(None, feed)[place], theirs):
                            continue  # made of nearly closed gates alone
                    worst = max(worst, error)
                    if error > TOLERANCE and not said:
                        said = f"{who}, `{output}`, run {number} (turn {turn}): {error:.3g}"
    return worst, said


def keras_turns(made: Made, runs: list[list[np.ndarray]]) -> list[list[Outputs]]:
    """What Keras gives for each run: once, or twice one after the other where a state is carried."""
    if not made.is_stateful:
        return [[outputs] for outputs in run_keras(made, runs)]
    # Traced: its eager loops would run twice for every run, whose batch is fixed.
    traced = tensorflow.function(lambda given, training: made.model(given, training=training), autograph=False)
    results = []
    for arrays in runs:
        reset_states(made.model)
        results.append([call_keras(traced, arrays) for _ in range(2)])
    return results


def difference(got: np.ndarray, wanted: np.ndarray) -> float:
    """Over the largest value; Keras' averages over no step at all are no number, and are left out."""
    if got.shape != wanted.shape:
        return float("inf")
    counted = ~np.isnan(wanted)
    if not counted.any():
        return 0.0
    apart = np.abs(got - wanted)[counted].astype(np.float64)
    if np.isnan(apart).any():
        return float("inf")
    return float(apart.max() / max(1.0, np.abs(wanted[counted]).max()))


def zeros(value: onnx.ValueInfoProto, batch: int) -> np.ndarray:
    """A state at the beginning."""
    return np.zeros([d.dim_value or batch for d in value.type.tensor_type.shape.dim], np.float32)
