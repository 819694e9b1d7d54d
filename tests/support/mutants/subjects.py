"""What is broken: the cases of every layer kind, and whole specs with their data."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, read_weights
from nnspec.backends.onnx.backend import ONNX, OnnxModel
from nnspec.backends.onnx.export import export_graph
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.exporting import lower
from nnspec.jobs.settings import fixed_batch, settings_of
from nnspec.training.settings import fixed_batches
from tests.support.layer_cases import Case, checked, randomize
from tests.support.mutants.trial import RememberingGate, Trial
from tests.support.right_networks import right_network


def trial_of_case(case: Case) -> Trial:
    """A case's export with weights that no symmetry can hide."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = checked(case, Path(folder))
        graph = result.graph
        keras.utils.set_random_seed(3)
        compiled = build_model(graph)
    randomize(compiled.model)
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    exported = export_graph(graph, weights, opset=case.opset)
    gate = RememberingGate(graph, compiled.model, Deployment(), fixed_batch=fixed_batch(result))
    states = {state.input: state.output for state in exported.states}
    model = OnnxModel(exported.builder.to_model({}, "test"), lowered_by=exported.lowered_by, states=states)
    return Trial(case.label, case.kind, model, gate, case.make, examples_of(graph))


def trial_of_right_network(seed: int) -> tuple[Trial, float]:
    """A random network that is right by construction, unbroken, and the gain of its weights.

    Trained weights are smaller or larger than the first ones: outputs are then close to 0 or 1, or nearly constant.
    """
    rng = np.random.default_rng(seed)
    spec = right_network(rng)
    gain = float(rng.choice([0.2, 1.0, 3.0]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"right_{seed}.yaml"
        path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
        return trial_of_spec(path, with_data=False, gain=gain), gain


def trial_of_spec(path: Path, *, with_data: bool = True, gain: float = 1.0) -> Trial:
    """A spec's export, with what its data say of scaling and labels, and weights that no symmetry can hide.

    Args:
        gain: by which trainable weights are multiplied.
    """
    result = pipeline.check(path)
    dataset: Dataset | None = load_dataset(result) if with_data and result.data is not None else None
    deployment = dataset.deployment if dataset is not None else Deployment()
    keras.utils.set_random_seed(3)
    compiled = build_model(result.graph, batches=fixed_batches(result.graph, settings_of(result)))
    for variable in compiled.model.trainable_variables if gain != 1 else ():
        variable.assign(variable * gain)
    exported = lower(result, compiled, deployment, path.read_text(encoding="utf-8"), exporter=ONNX)
    assert isinstance(exported, OnnxModel)
    held_out: dict[str, np.ndarray] = {}
    if dataset is not None:
        last = next(dataset.splits[name] for name in ("test", "validation") if name in dataset.splits)
        held_out = dict(last.raw)
    layout: dict[str, Any] = result.section("export").get("layout") or {}
    gate = RememberingGate(
        result.graph,
        compiled.model,
        deployment,
        layout=layout,
        held_out=held_out,
        fixed_batch=fixed_batch(result),
    )
    return Trial(path.stem, path.stem, replace(exported, source=None), gate, None, examples_of(result.graph))


def examples_of(graph: Graph) -> dict[str, list[Any]]:
    """Words and ids that layers which read an input themselves know."""
    found: dict[str, list[Any]] = {}
    for node in graph.nodes:
        inner = node
        while inner.inner is not None:
            inner = inner.inner
        name = node.inputs[0].node if node.inputs else ""
        if name not in graph.inputs:
            continue
        found.setdefault(name, []).extend(node.layer.examples(node))
        if "input_dim" in inner.args and graph.inputs[name].dtype.startswith("int"):
            found[name].extend(range(min(int(inner.args["input_dim"]), 1000)))
    return found
