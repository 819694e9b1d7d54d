"""Random uses of layers as branches of one graph, and what must hold of them in Keras and in ONNX.

Many uses share a graph because tracing and starting a session cost more than the layers do. Where one of them fails,
each is tried by itself, so that a failure names the layer, its body and its input.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache, partial
from typing import Any

import jsonschema
import keras
import numpy as np
import onnx
import onnxruntime
from hypothesis import HealthCheck, Phase, given, seed, settings

from nnspec.backends.keras.model import build_model, predict, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.diagnostics import Report, Source
from nnspec.document import parse
from nnspec.expansion.expand import expand
from nnspec.inference.elaborate import elaborate
from nnspec.ir.graph import Graph
from nnspec.ir.opset import needed_opset
from nnspec.ir.symbols import lengths_of, size_at
from nnspec.schema import assembly as schema
from tests.support.case_files import FORMS
from tests.support.layer_cases import FORBIDDEN, is_ill_conditioned, randomize, relative_error
from tests.support.strategies.bodies import Use, uses

NEVER = {"Loop", "If", "Scan"}
TEXTS = ["red", "green", "", "Red!", "red green", "green  red,\tblue red", "é", "...", "a b", "blue"]
EXAMPLES = int(os.environ.get("NNSPEC_EXAMPLES", "4"))
ROUNDS = 8
LENGTHS = (12, 24)
STATEFUL_BATCH = 2
START = int(os.environ.get("NNSPEC_SEED", "0"))


class Refused(Exception):
    """The checker has something against a use."""


def drawn(kind: str, count: int) -> list[Use]:
    """That many different legal uses of a kind, the same ones each time."""
    found: dict[str, Use] = {}

    def collect(use: Use) -> None:
        key = json.dumps(asdict(use), sort_keys=True)
        if len(found) < count and key not in found and is_legal(use):
            found[key] = use

    quiet = settings(
        max_examples=3 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for number in range(ROUNDS):  # as many as it takes, since some kinds are seldom legal
        seed(1000 * START + number)(quiet(given(use=uses(kind))(collect)))()
        if len(found) == count:
            break
    return list(found.values())


@cache
def _validator(kind: str) -> Any:
    definitions = schema.full_schema(is_strict=True)["definitions"]
    return jsonschema.Draft7Validator({"definitions": definitions, **definitions[f"layer_{kind}"]})


def is_legal(use: Use) -> bool:
    """Whether the checker lets a use pass.

    Raises:
        AssertionError: where the schema refuses what was drawn from it.
    """
    faults = [error.message for error in _validator(use.kind).iter_errors(use.body)]
    assert not faults, f"the schema refuses {use}: {faults}"
    try:
        graph = graph_of([use])
    except Refused:
        return False
    if any("==" in constraint for constraint in graph.constraints):
        return False  # a length that only this branch may have
    if set(lengths_of(graph, min(LENGTHS)).values()) - {min(LENGTHS)}:
        return False  # a constraint asks for more
    sizes = {axis.size for node in graph.nodes for value in node.outputs for axis in value.axes}
    return all(size_at(size, lengths(length)) >= 1 for length in LENGTHS for size in sizes)


def lengths(length: int) -> dict[str, int]:
    """Of every symbol, in rounds of this length: images are smaller than sequences, and rows are few."""
    half = length // 2
    return {"T": length, "D": half, "H": half + 1, "W": half + 2, "R": length // 4}


def graph_of(branches: Sequence[Use], outputs: dict[str, str] | None = None) -> Graph:
    """Every use on inputs of its own, and every output of each an output of the graph."""
    inputs, model = {}, []
    batch = {"batch": STATEFUL_BATCH} if any(use.is_stateful for use in branches) else {}
    for i, use in enumerate(branches):
        names = [f"x{i}_{j}" for j in range(len(use.inputs))]
        inputs |= {n: {"axes": axes, "dtype": use.dtype, **batch} for n, axes in zip(names, use.inputs, strict=True)}
        if use.is_masked:
            model.append({"Masking": {"name": f"m{i}", "from": names[0], "over": next(iter(use.inputs[0]))}})
            names[0] = f"m{i}"
        body = {**use.body, "name": f"n{i}", "from": names}
        if use.attention_mask is not None:
            inputs[f"a{i}"] = {"axes": use.attention_mask, "dtype": "bool"}
            body["attention_mask"] = f"a{i}"
        model.append({use.kind: body})
    found = outputs or {f"n{i}": f"n{i}" for i in range(len(branches))}
    ends = {name: {"task": "regression", "from": source} for name, source in found.items()}
    document = {"nnspec": 1, "inputs": inputs, "model": model, "outputs": ends}
    report = Report()  # no checks of the whole: a softmax is nobody's task here
    graph = elaborate(expand(parse(Source("generated.yaml", json.dumps(document))), report), report)
    if report.has_errors or any(d.code == "NN349" for d in report.items):  # that one trains, but is not exported
        raise Refused("; ".join(d.message for d in report.items))
    if outputs is None and any(len(node.outputs) > 1 for node in graph.nodes):
        ports = [(n.name, v.port) for n in graph.nodes for v in n.outputs]
        named = {f"{n}_gives_{p}": n if p == "output" else f"{n}.{p}" for n, p in ports}
        return graph_of(branches, named)
    return graph


def arrays(graph: Graph, batch: int, length: int) -> dict[str, np.ndarray]:
    """Random inputs: floats around 0, some steps all 0, ids from 0 to 4, texts."""
    rng = np.random.default_rng(100 * batch + length)
    known = lengths(length)
    result = {}
    for name, value in graph.inputs.items():
        shape = (batch, *(axis.size if isinstance(axis.size, int) else known[str(axis.size)] for axis in value.axes))
        if value.dtype == "string":
            result[name] = rng.choice(np.asarray(TEXTS, object), size=shape)
            continue
        made = rng.integers(0, 5, size=shape) if value.dtype.startswith("int") else rng.normal(size=shape)
        if value.dtype == "bool":
            made = rng.random(shape) < 0.7
        elif len(shape) == 3:  # some steps are padding
            made[rng.random(shape[:2]) < 0.3] = 0
        result[name] = made.astype(value.dtype)
    return result


def verify(branches: Sequence[Use]) -> None:
    """Inferred axes, dtypes and weights equal Keras'; ONNX Runtime equals Keras; the ops are allowed ones."""
    graph = graph_of(branches)
    keras.utils.set_random_seed(1)
    compiled = build_model(graph)  # compares the shapes of every value
    randomize(compiled.model)
    for name, output in graph.outputs.items():
        tensor = compiled.model.output[name] if len(graph.outputs) > 1 else compiled.model.output
        assert keras.backend.standardize_dtype(tensor.dtype) == output.value.dtype, f"{name}: dtype"
    for node in graph.nodes:
        first = node.outputs[0]
        tensor = compiled.tensors[node.name if first.port == "output" else f"{node.name}.{first.port}"]
        is_masked = getattr(tensor, "_keras_mask", None) is not None
        hides_nothing = node.kind == "Concatenate" and any(value.mask is None for value in node.inputs)
        assert is_masked == (first.mask is not None) or hides_nothing, f"{node.name}: Keras has {is_masked=}"
    weights = {n.name: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    trained = sum(int(np.prod(variable.shape)) for variable in compiled.model.trainable_weights)
    assert trained == graph.trainable_parameters
    for node in graph.nodes:
        assert node.parameters == sum(array.size for array in weights[node.name].values())
    exported = export_graph(graph, weights, opset=needed_opset(graph))
    model = exported.builder.to_model({}, "test")
    onnx.checker.check_model(model, full_check=True)
    for i, use in enumerate(branches):
        ops = {node.op_type for node in model.graph.node if node.name.startswith(f"n{i}/")}
        is_open = any(isinstance(size, str) for axes in use.inputs for size in axes.values())
        dear = ((NEVER if is_open else FORBIDDEN) & ops) - FORMS[use.kind].needs
        assert not dear, f"n{i}: {dear}"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    is_open = any(not isinstance(axis.size, int) for value in graph.inputs.values() for axis in value.axes)
    carried = {state.input: np.zeros((STATEFUL_BATCH, *state.shape[1:]), np.float32) for state in exported.states}
    names = [port.name for port in session.get_outputs()]
    for batch, length in rounds(graph):
        values = arrays(graph, batch, length)
        by_keras = predict(compiled.model, graph, values)
        by_onnx = dict(zip(names, session.run(None, {**values, **carried}), strict=True))
        carried = {state.input: by_onnx[state.output] for state in exported.states}
        for name, wanted in by_keras.items():
            kind = branches[int(name.split("_")[0][1:])].kind
            # Asking again would move a state on.
            explains = is_never if carried else partial(is_ill_conditioned, compiled.model, graph, values, name)
            compare(name, by_onnx[name], wanted, explains, batch, FORMS[kind].tolerance)


def rounds(graph: Graph) -> list[tuple[int, int]]:
    """Batches and lengths to try one after the other; a state goes from each to the next."""
    short, long = LENGTHS
    is_open = any(not isinstance(axis.size, int) for value in graph.inputs.values() for axis in value.axes)
    first, last = (STATEFUL_BATCH,) * 2 if graph.batches else (1, 3)
    return [(first, short), (last, long if is_open else short)]


def is_never(error: float) -> bool:
    return False


def compare(name: str, got: np.ndarray, wanted: np.ndarray, is_rounding: Any, batch: int, tolerance: float) -> None:
    assert got.dtype == wanted.dtype, f"{name}: {got.dtype} is not {wanted.dtype}"
    assert got.shape == wanted.shape, f"{name} is {got.shape}, not {wanted.shape}, at batch {batch}"
    if wanted.dtype.kind not in "fiub":
        assert (got == wanted).all(), name
        return
    finite = np.isfinite(wanted)
    error = relative_error(np.where(finite, got, 0), np.where(finite, wanted, 0))
    assert error < tolerance or is_rounding(error), f"{name}: ONNX differs by {error:.2g} at batch {batch}"


def verify_each(branches: Sequence[Use]) -> None:
    """As `verify`; where that fails, one by one, and every use that fails is told.

    Raises:
        AssertionError: with all failures.
    """
    try:
        verify(branches)
    except Exception as whole:
        failures = []
        for use in branches:
            try:
                verify([use])
            except Exception as error:
                failures.append(f"{use.kind}: {json.dumps(use.body)}\n  of {use.inputs}\n  {error}")
        if not failures:
            raise
        raise AssertionError("\n".join(failures)) from whole
