"""The NumPy part of a deployed model: scales inputs, and converts outputs to original units.

The same is written into an exported graph by its backend (`nnspec.backends.onnx.deploy`), so that a file takes and
gives the values that people have, not those that the network learned on. Scoring and the gate compare with this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np

from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.transforms import InputTransform, OutputTransform
from nnspec.ir import axes as ax
from nnspec.ir.graph import ANOMALY, Graph, Output
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    from nnspec.runtime.ports import Metadata


@dataclass(frozen=True, eq=False)
class Deployment:
    """The transforms of a graph's inputs and outputs; empty where the spec has no data.

    Attributes:
        has_labels: whether outputs of classes have a second output with labels.
        columns: the inputs that the deployed graph takes as raw columns, by the network's input; not among `inputs`.
    """

    inputs: Mapping[str, InputTransform] = field(default_factory=dict)
    outputs: Mapping[str, OutputTransform] = field(default_factory=dict)
    has_labels: bool = True
    columns: Mapping[str, EncodedInput] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        columns = {name: t.to_json() for name, t in self.columns.items()}
        return {
            "inputs": {name: t.to_json() for name, t in self.inputs.items()},
            "outputs": {name: t.to_json() for name, t in self.outputs.items()},
            **({} if self.has_labels else {"labels": False}),
            **({"columns": columns} if columns else {}),
        }

    @classmethod
    def from_json(cls, body: Metadata) -> Deployment:
        return cls(
            {name: InputTransform.from_json(t) for name, t in body.get("inputs", {}).items()},
            {name: OutputTransform.from_json(t) for name, t in body.get("outputs", {}).items()},
            body.get("labels", True),
            columns={name: EncodedInput.from_json(t) for name, t in body.get("columns", {}).items()},
        )

    @property
    def column_ports(self) -> set[str]:
        """The deployed graph's inputs that are single columns."""
        return {port for encoded in self.columns.values() for port in encoded.ports}

    def to_network(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Raw inputs, by port, as the network reads them, by input."""
        ports = self.column_ports
        found = {
            name: self.inputs[name].apply(array) if name in self.inputs else array
            for name, array in raw.items()
            if name not in ports
        }
        return found | {name: encoded.apply(raw) for name, encoded in self.columns.items() if ports & raw.keys()}

    def from_network(
        self, graph: Graph, predicted: Mapping[str, np.ndarray], raw: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The network's outputs as the deployed graph gives them: original units, and labels beside probabilities."""
        result: dict[str, np.ndarray] = {}
        for name, value in predicted.items():
            output = graph.outputs[name]
            transform = self.outputs.get(name)
            result[name] = transform.restore(value, raw) if transform is not None else value
            classes = self.labels(output)
            if classes is not None:
                result[label_name(output)] = np.asarray(classes)[class_indices(output, value, self.threshold(output))]
        return result

    def labels(self, output: Output) -> list[str | int] | list[bool] | None:
        """The labels that the deployed graph gives for an output, if it is one of classes; None where it gives none."""
        if not self.has_labels:
            return None
        if output.task == ANOMALY:
            return [False, True] if self.has_threshold(output) else None
        return self.classes(output)

    def classes(self, output: Output) -> list[str | int] | None:
        """The labels of an output's classes, in the order of its class axis; None where it has no classes."""
        if output.task not in ("classification", "binary"):
            return None
        transform = self.outputs.get(output.name)
        classes = transform.classes if transform is not None and transform.classes else output.classes
        return list(classes) if classes else None

    def has_threshold(self, output: Output) -> bool:
        """Whether anybody has said where the scores of anomalies begin."""
        transform = self.outputs.get(output.name)
        return (transform is not None and transform.threshold is not None) or (
            output.cut is not None and output.cut.value is not None
        )

    def threshold(self, output: Output) -> float:
        """Where yes begins: as chosen on the validation split, else as the spec or the task says."""
        transform = self.outputs.get(output.name)
        chosen = None if transform is None else transform.threshold
        return output.threshold if chosen is None else chosen

    @property
    def unscaled(self) -> Deployment:
        """What is left where inputs and outputs stay as the network has them: where yes begins."""
        chosen = {name: t.threshold for name, t in self.outputs.items() if t.threshold is not None}
        return Deployment(outputs={name: OutputTransform(threshold=value) for name, value in chosen.items()})


def label_name(output: Output) -> str:
    """The name of the output that holds the labels of `output`'s most probable classes."""
    return output.label or f"{output.name}_label"


def class_indices(output: Output, probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """The most probable class: axes `batch *output` without the class axis.

    Args:
        threshold: where yes begins, see `Deployment.threshold`.
    """
    if output.task in ("binary", ANOMALY):
        return np.asarray(probabilities > np.float32(threshold), np.int64)
    return np.asarray(np.argmax(probabilities, axis=1 + class_position(output)))


def class_position(output: Output) -> int:
    """The class axis' position, batch left out."""
    position = ax.index_of(output.value.axes, output.class_axis or "")
    return len(output.value.axes) - 1 if position is None else position


def label_axes(output: Output) -> list[str]:
    """The axes of the labels of an output, batch first."""
    names = ["batch", *ax.names(output.value.axes)]
    if output.task == "classification":
        del names[1 + class_position(output)]
    return names
