"""Compares the interface of an exported model with its spec: names, and axes in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.backends.base import ExportBackend, ExportedModel
from nnspec.data.deployment import Deployment, label_axes, label_name
from nnspec.data.prepare.encodings.columns import STEP
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.ir.graph import Graph


def check_interface(
    exported: ExportedModel, graph: Graph, deployment: Deployment, layout: Mapping[str, list[str]]
) -> None:
    """Inputs and outputs are those of the spec, and recurrent state; each has as many axes.

    Raises:
        SpecError: NN703.
    """
    wanted_in: dict[str, list[str]] = {}
    for name, value in graph.inputs.items():
        if name in deployment.columns:
            encoded = deployment.columns[name]
            steps = [a.name for a, kind in zip(value.axes, encoded.axes, strict=True) if kind == STEP]
            wanted_in |= {port: ["batch", *steps] for port in encoded.ports}
        else:
            wanted_in[name] = deployed_order(layout, name, ["batch", *(a.name for a in value.axes)])
    wanted_out: dict[str, list[str]] = {}
    for name, output in graph.outputs.items():
        wanted_out[name] = deployed_order(layout, name, ["batch", *(a.name for a in output.value.axes)])
        if deployment.labels(output) is not None:
            wanted_out[label_name(output)] = [
                a for a in deployed_order(layout, name, label_axes(output)) if a in label_axes(output)
            ]
    inputs, outputs = exported.interface()
    model = f"the {exported.backend.title} model"
    for what, wanted, found in (("input", wanted_in, inputs), ("output", wanted_out, outputs)):
        missing = [name for name in wanted if name not in found]
        if missing:
            message = f"{model} lacks the {what} `{missing[0]}`; it has {', '.join(found)}"
            raise _fault(exported.backend, message)
        known = {*wanted, *(states_of(exported) if what == "input" else states_of(exported).values())}
        strange = [name for name in found if name not in known]
        if strange:
            message = f"{model} has the {what} `{strange[0]}`, which the spec does not have"
            raise _fault(exported.backend, message)
        for name, axes in wanted.items():
            if found[name] != len(axes):
                message = f"{what} `{name}` has {found[name]} axes in {model}, not {axes}"
                raise _fault(exported.backend, message)


def states_of(exported: ExportedModel) -> Mapping[str, str]:
    """The inputs that take recurrent state and the outputs that renew it: what the file says of itself, where it does.

    A model that was read from a file knows them by that alone.
    """
    said = (exported.metadata or {}).get("states")
    return dict(said) if said is not None else exported.states


def check_type(found: np.ndarray, name: str, wanted: np.ndarray, backend: ExportBackend) -> None:
    """An output holds numbers of the type that the spec's output has, or words.

    Raises:
        SpecError: NN703.
    """
    if found.dtype.kind in "OU" and wanted.dtype.kind in "OU":
        return
    if found.dtype != wanted.dtype:
        message = f"output `{name}` holds {found.dtype} when the model runs, not {wanted.dtype}"
        raise _fault(backend, message)


def deployed_order(layout: Mapping[str, list[str]], name: str, axes: list[str]) -> list[str]:
    """The axes of an input or output in the order that the model has them."""
    return list(layout.get(name, axes))


def arrange(
    array: np.ndarray, name: str, order: Sequence[str], wanted: Sequence[str], backend: ExportBackend
) -> np.ndarray:
    """An output whose axes are in the model's `order`, with the `wanted` order of the same axes.

    Args:
        backend: the format of the model that gave it.

    Raises:
        SpecError: NN703 where it has another number of axes.
    """
    if array.ndim != len(order):
        axes = ", ".join(order)
        message = f"output `{name}` has shape {array.shape} when the model runs, but the spec gives axes ({axes})"
        raise _fault(backend, message)
    return np.transpose(array, [order.index(axis) for axis in wanted])


def _fault(backend: ExportBackend, message: str) -> SpecError:
    return SpecError.single("NN703", message, Span(Source(f"model{backend.suffix}", "")))
