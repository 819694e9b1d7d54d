"""The weight of every target by its class: balanced, or by a number for each label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.data.arrays.gathered import chunks, each_chunk
from nnspec.data.dataset import Split
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Diagnostic, Fix, SpecError, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.ir.graph import Graph, Output
from nnspec.training.class_weight_plan import BALANCED, Wanted, by_output, unknown_labels
from nnspec.training.settings import Settings
from nnspec.training.targets import balanced_weights


def class_weights(graph: Graph, split: Split, settings: Settings, deployment: Deployment) -> dict[str, np.ndarray]:
    """The weights of the targets of each output: axes as theirs, without the last one where a loss is its mean.

    A target weighs what its label does, 1 where none is given, as with Keras' `class_weight`.

    Raises:
        SpecError: NN535 where an output has no such label.
    """
    wanted = by_output(graph, settings["class_weight"])
    found = balanced_weights(graph, split) if BALANCED in wanted.values() else {}
    for name, output in graph.outputs.items():
        each = wanted.get(name)
        if each is None:
            found.pop(name, None)
        elif not isinstance(each, str):
            found[name] = _weigh_targets(output, split.y[name], each, _labels(output, deployment), settings)
    return found


def _labels(output: Output, deployment: Deployment) -> Sequence[object]:
    """The labels of an output in the order of their codes."""
    known = deployment.classes(output)
    if known is None and output.task == "binary":
        return (0, 1)
    return known or ()


def _weigh_targets(
    output: Output, targets: np.ndarray, wanted: Wanted, labels: Sequence[object], settings: Settings
) -> np.ndarray:
    known = list(labels) or list(range(max(int(part.max()) for part in chunks(targets)) + 1))
    unknown = unknown_labels(wanted, known)
    if unknown:
        raise SpecError([unknown_label(output.name, unknown[0], known, settings)])
    assert not isinstance(wanted, str)
    weights = np.array([wanted.get(str(label), 1.0) for label in known], np.float32)
    is_mean = output.task == "binary" and targets.ndim > 1 and output.counts != "values"

    def weigh(part: np.ndarray) -> np.ndarray:
        # A code beyond the labels is one that is ignored: its target does not count.
        each = weights[part.astype(np.int64).clip(0, len(weights) - 1)]
        # losses of yes and no are means over the last axis
        return np.asarray(each.mean(axis=-1) if is_mean else each, np.float32)

    return each_chunk(weigh, targets)


def unknown_label(output: str, label: str, known: Sequence[object], settings: Settings) -> Diagnostic:
    """NN535."""
    guess = did_you_mean(label, [str(each) for each in known])
    message = f"`class_weight` names `{label}`, which is not a label of output `{output}`{guess}"
    notes = (f"its labels: {enumerated(known)}",)
    fixes = (Fix("name its labels; one that is not named weighs 1"),)
    return Diagnostic("NN535", message, settings.span, path="training.class_weight", notes=notes, fixes=fixes)
