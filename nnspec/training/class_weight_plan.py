"""What `training.class_weight` says of each output; without a framework or NumPy."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nnspec.document.types import Plain
from nnspec.ir.graph import Graph

BALANCED = "balanced"
Wanted = str | Mapping[str, float]  # `balanced`, or the weight of each label
WEIGHED_TASKS = ("classification", "binary")


def by_output(graph: Graph, value: Plain) -> dict[str, Wanted]:
    """What is wanted of each output whose classes are weighed, by its name.

    A word or numbers by label are for all outputs of classes; a mapping by the names of outputs says it of each.
    """
    if value is None:
        return {}
    outputs = [name for name, output in graph.outputs.items() if output.task in WEIGHED_TASKS]
    if not isinstance(value, Mapping):
        return dict.fromkeys(outputs, BALANCED)
    if is_by_output(value):
        return {str(name): _wanted(each) for name, each in value.items()}
    return {name: _wanted(value) for name in outputs}


def is_by_output(value: Mapping[str, Plain]) -> bool:
    """Whether the keys are outputs rather than labels: what they say is no number."""
    return any(isinstance(each, str | Mapping) for each in value.values())


def _wanted(value: Plain) -> Wanted:
    if isinstance(value, Mapping):
        return {str(label): float(weight) for label, weight in value.items()}  # type: ignore[arg-type]
    return BALANCED


def unknown_labels(wanted: Wanted, labels: Collection[object]) -> list[str]:
    """The labels that are weighed, but that the output does not have."""
    known = {str(label) for label in labels}
    return [] if isinstance(wanted, str) else [label for label in wanted if label not in known]
