"""Vocabularies learned from the training data before training, and stored with the weights.

A node's vocabulary is an argument, not a weight: once it is known, a lookup that learned its words cannot be told from
one whose spec lists them. It stays in the Keras archive, beside the weights that were trained with it.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnspec.data.arrays.gathered import weighted_chunks
from nnspec.data.dataset import Dataset
from nnspec.diagnostics import Diagnostic, Fix, SpecError
from nnspec.ir.ancestors import names_before
from nnspec.ir.graph import Args, Graph, Node, Output, Value
from nnspec.ir.names import keras_name
from nnspec.training.adapting import adapt_layers, padding_of, without_padding

Found = dict[str, Args]  # by the owner, a node or shared layer: the arguments that came from the data
FILE = "vocabularies.json"


def missing_vocabularies(graph: Graph) -> list[Node]:
    """The nodes whose words are still to be taken from the training data; of those that share a layer, the first."""
    return [node for node in graph.owners() if node.layer.lacks_vocabulary(node)]


def with_vocabularies(graph: Graph, found: Found) -> Graph:
    """The graph with these vocabularies as arguments."""
    nodes = [_given(node, found[node.owner]) if node.owner in found else node for node in graph.nodes]
    return replace(graph, nodes=tuple(nodes))


def _given(node: Node, arguments: Args) -> Node:
    if node.inner is not None:
        return replace(node, inner=_given(node.inner, arguments))
    return replace(node, args={**node.args, **arguments})


def require(graph: Graph) -> None:
    """Every lookup has its words.

    Raises:
        SpecError: NN352.
    """
    faults = [
        Diagnostic(
            "NN352",
            f"`{node.name}` learns its vocabulary from training data, but there is none",
            node.span,
            fixes=(
                Fix("list the words: `vocabulary: [red, green]`"),
                Fix("or add a `data` section, or pass trained weights with `--weights`"),
            ),
        )
        for node in missing_vocabularies(graph)
    ]
    if faults:
        raise SpecError(faults)


# ----------------------------------------------------------------------------------------------------- from data


def learn(graph: Graph, dataset: Dataset) -> Found:
    """The vocabularies of the training rows, in the order in which Keras' `adapt` has the words.

    Raises:
        SpecError: NN352 where a lookup finds no word.
    """
    found: Found = {}
    padding = padding_of(dataset)
    for node in missing_vocabularies(graph):
        known = with_vocabularies(graph, found)
        uses = [use for use in known.nodes if use.owner == node.owner]
        read = [_read(known, use.inputs[0], dataset.splits["train"].x, padding) for use in uses]
        found[node.owner] = node.layer.vocabulary_of(node, read)
    return found


def _read(graph: Graph, value: Value, x: Mapping[str, np.ndarray], padding: Mapping[str, np.ndarray]) -> np.ndarray:
    """What a value of the graph is on the training rows, masked where it is padding."""
    if value.node in graph.inputs:
        return without_padding(graph, value, x[value.node], None, padding)
    from nnspec.backends.keras.model import build_model, predict

    needed = names_before(graph, value)
    inputs = {name: given for name, given in graph.inputs.items() if name in needed}
    nodes = tuple(node for node in graph.nodes if node.name in needed)
    span = next(node.span for node in nodes if node.name == value.node)
    part = Graph(
        name=graph.name,
        inputs=inputs,
        nodes=nodes,
        outputs={"read": Output(name="read", value=value, task="regression", span=span)},
    )
    compiled, rows = build_model(part), {name: x[name] for name in inputs}
    adapt_layers(compiled, part, rows, padding)
    return without_padding(part, value, predict(compiled.model, part, rows)["read"], None, padding)


def check_words(graph: Graph, dataset: Dataset) -> None:
    """Where a lookup has no index for unknown words, it knows all that it reads straight from an input.

    Raises:
        SpecError: NN353.
    """
    for node in graph.nodes:
        inner = node.inner or node
        name = node.inputs[0].node
        if inner.args.get("num_oov_indices") != 0 or inner.args.get("invert") or name not in graph.inputs:
            continue
        known = {*inner.args["vocabulary"], inner.args["mask_token"]}
        for split, part in dataset.splits.items():
            words = {w for found, _ in weighted_chunks(part.x[name]) for w in np.unique(found.astype(object)).tolist()}
            strange = sorted(words - known)
            if strange:
                raise SpecError.single(
                    "NN353",
                    f"`{node.name}` has no index for unknown words (`num_oov_indices: 0`), but split `{split}` of "
                    f"input `{name}` has `{strange[0]}`, which is not in its vocabulary",
                    node.span,
                    notes=[f"{len(strange)} words are unknown"] if len(strange) > 1 else (),
                    fixes=[Fix("remove `num_oov_indices`: unknown words then share one index")],
                )


# ----------------------------------------------------------------------------------------------- kept with weights


def resume_vocabularies(graph: Graph, dataset: Dataset, folder: Path, *, resume: bool) -> Found:
    """The vocabularies that an interrupted training began with, else those of the data, which are written down."""
    path = folder / FILE
    if resume and path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    found = learn(graph, dataset)
    if found:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f"{FILE}.part"
        beside.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        os.replace(beside, path)
    return found


def from_archive(graph: Graph, path: Path) -> Found:
    """The vocabularies that a Keras archive was trained with; none where it is no archive of such a network.

    Raises:
        SpecError: NN604 where the spec has no room for one.
    """
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
        configs = {layer["name"]: layer["config"] for layer in layers}
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile):
        return {}
    found: Found = {}
    for node in missing_vocabularies(graph):
        config = configs.get(keras_name(node.name), {})
        words, weights = config.get("vocabulary"), config.get("idf_weights")
        if not isinstance(words, list) or not words:
            continue
        most = (node.inner or node).args["max_tokens"]
        if most is not None and len(words) >= most + 1:
            message = f"the vocabulary in `{path.name}` has {len(words)} words, but `{node.name}` has {most} indices"
            raise SpecError.single("NN604", message, node.span)
        found[node.owner] = {"vocabulary": words} | ({"idf_weights": weights} if weights else {})
    return found
