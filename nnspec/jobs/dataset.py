"""Loads the data that a spec is trained on, and learns the vocabularies of its lookups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nnspec.checks.context import input_slots, output_slots
from nnspec.data.arrays.gathered import weighted_chunks
from nnspec.data.dataset import Dataset, load
from nnspec.diagnostics import Fix, Span, SpecError
from nnspec.jobs import vocabularies
from nnspec.jobs.resuming import refuse_other_origin, write_origin
from nnspec.jobs.start import known_vocabularies
from nnspec.pipeline import Checked
from nnspec.progress import Progress


def load_dataset(checked: Checked) -> Dataset:
    """The spec's data.

    Raises:
        SpecError: NN517 where the spec has none, NN5xx where they are at fault.
    """
    if checked.data is None:
        span = checked.root.span
        raise SpecError.single(
            "NN517",
            f"`{checked.path.name}` has no `data` section, so there is nothing to train on",
            Span(span.source),
            fixes=[Fix("add `data:`, or write an untrained model with `nnspec export --untrained`")],
        )
    dataset = load(checked.data, input_slots(checked.graph), output_slots(checked.graph))
    _check_ids(checked, dataset)
    return dataset


def prepare_data(checked: Checked, folder: Path, progress: Progress, *, resume: bool) -> tuple[Checked, Dataset]:
    """The data, and the spec with the vocabularies that its lookups take from them."""
    made_of = refuse_other_origin(checked, folder / "checkpoint", resume=resume)
    with progress.step("data"):
        dataset = load_dataset(checked)
        known = known_vocabularies(checked)
        begun = vocabularies.with_vocabularies(checked.graph, known)
        found = known | vocabularies.resume_vocabularies(begun, dataset, folder / "checkpoint", resume=resume)
        graph = vocabularies.with_vocabularies(checked.graph, found)
        vocabularies.check_words(graph, dataset)
    write_origin(made_of, folder / "checkpoint")
    for name, arguments in found.items():
        progress.say(f"vocabulary of {name}: {len(arguments['vocabulary']):,} words")
    return replace(checked, graph=graph), dataset


def _check_ids(checked: Checked, dataset: Dataset) -> None:
    """Every id that an Embedding looks up straight from an input has a vector.

    Raises:
        SpecError: NN506.
    """
    for node in checked.graph.nodes:
        name = node.inputs[0].node
        if not node.layer.looks_up_ids or name not in checked.graph.inputs:
            continue
        if node.inputs[0].dtype.startswith("float"):
            continue  # a reversed ReversibleEmbedding reads vectors
        count = node.args["input_dim"]
        for split, part in dataset.splits.items():
            found = [ids[(ids < 0) | (ids >= count)] for ids, _ in weighted_chunks(part.x[name])]
            strange = np.concatenate(found)
            if strange.size:
                raise SpecError.single(
                    "NN506",
                    f"input `{name}` has id {strange[0]} in split `{split}`, "
                    f"but the `{node.kind}` that reads it has vectors for 0 to {count - 1}",
                    node.span,
                    fixes=[Fix("set `input_dim` to the largest id plus 1")] if strange.max() >= count else [],
                )
