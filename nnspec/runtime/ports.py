"""Inputs and outputs of a deployed model: types from the session, axis names from the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nnspec.runtime.errors import ModelError, quote_names
from nnspec.runtime.rules.class_labels import spell_out
from nnspec.runtime.rules.markers import Markers

Array = np.ndarray
Metadata = Mapping[str, Any]  # of a whole model, see `Predictor.metadata`
METADATA_KEY = "nnspec"
BATCH = "batch"
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
    **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}


class SessionPort(Protocol):
    """An input or output as ONNX Runtime describes it."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def shape(self) -> Sequence[int | str | None]: ...


class SessionMetadata(Protocol):
    """What an ONNX file says of itself."""

    @property
    def graph_name(self) -> str: ...

    @property
    def custom_metadata_map(self) -> Mapping[str, str]: ...


class Session(Protocol):
    """What is used of `onnxruntime.InferenceSession`."""

    def get_inputs(self) -> Sequence[SessionPort]: ...

    def get_outputs(self) -> Sequence[SessionPort]: ...

    def get_modelmeta(self) -> SessionMetadata: ...

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, Array], /) -> list[Array]: ...


@dataclass(frozen=True)
class Port:
    """An input or output of the model.

    Attributes:
        axes: names and sizes in the deployed order, `batch` among them; a str is a symbol, None any size.
        dtype: NumPy's name of the element type.
        columns: of a table, that make it.
        gaps: those of them in which values may be missing: NaN, or an empty text.
        encoding: what the model makes of a raw column: `number`, `category`, …; none of an input that is no column.
        separator: of a column with several words a cell, what stands between them.
        form: of a column of dates, how they are written; none for ISO 8601.
        truths: of a column of yes and no, its words of 0 and 1; None where they are the usual ones.
        markers: of a column, what stands for a missing value.
        unit: what all its numbers are measured in; empty where nobody said, or its columns have several.
        units: the same by column, of those of which it is known.
    """

    name: str
    axes: tuple[tuple[str, int | str | None], ...]
    dtype: str
    _: KW_ONLY
    columns: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    encoding: str = ""
    separator: str = ""
    form: str | None = None
    truths: tuple[str, str] | None = None
    markers: frozenset[str] = frozenset()
    unit: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def batch(self) -> int | None:
        """The position of the batch axis; None where there is none."""
        return next((i for i, (name, _) in enumerate(self.axes) if name == BATCH), None)

    def __str__(self) -> str:
        axes = ", ".join(f"{name} {size}" if isinstance(size, int) else name for name, size in self.axes)
        return f"{self.name}: {self.dtype} ({axes})"


def session_ports(session: Session, path: Path) -> dict[str, dict[str, Port]]:
    """What the session itself says. Its first axis is the batch where its size is open and it is called so."""
    found: dict[str, dict[str, Port]] = {"inputs": {}, "outputs": {}}
    for role, nodes in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        for node in nodes:
            if node.type not in _DTYPES:
                raise ModelError(f"`{path}` has `{node.name}` of type {node.type}, which NumPy cannot represent")
            axes: list[tuple[str, int | str | None]] = []
            for i, size in enumerate(node.shape):
                is_batch = i == 0 and size in (BATCH, "batch_size")
                name = BATCH if is_batch else size if isinstance(size, str) and size else f"axis_{i}"
                axes.append((name, None if is_batch or not size else size))
            found[role][node.name] = Port(node.name, tuple(axes), _DTYPES[node.type])
    return found


def read_metadata(session: Session, path: Path, signature: dict[str, dict[str, Port]]) -> dict[str, Any]:
    meta = session.get_modelmeta()
    text = meta.custom_metadata_map.get(METADATA_KEY)
    if text is None:
        described = {
            role: {
                port.name: {"axes": [list(axis) for axis in port.axes], "dtype": port.dtype} for port in ports.values()
            }
            for role, ports in signature.items()
        }
        return {"nnspec": None, "name": meta.graph_name, **described, "window": None, "states": {}}
    try:
        metadata = json.loads(text)
    except ValueError:
        raise ModelError(f"the metadata of `{path}` are damaged: not JSON") from None
    if not isinstance(metadata, dict):
        raise ModelError(f"the metadata of `{path}` are damaged: not a mapping")
    for role in ("inputs", "outputs"):
        if not isinstance(metadata.get(role), dict):
            raise ModelError(f"the metadata of `{path}` are damaged: no `{role}`")
    for body in metadata["outputs"].values():
        if isinstance(body, dict) and "classes" in body:
            try:
                body["classes"] = spell_out(body["classes"])
            except ValueError as error:
                raise ModelError(f"the metadata of `{path}` are damaged: {error}") from None
    metadata.setdefault("window", None)
    metadata["states"] = metadata.get("states") or {}
    return metadata


def _markers(body: Metadata) -> frozenset[str]:
    """What stands for a missing value in an input that is a column."""
    columns = body.get("columns") or () if body.get("encoding") else ()
    return Markers.from_options(body.get("options") or {}).of(str(columns[0])) if columns else frozenset()


def _units(body: Metadata) -> dict[str, str]:
    """The unit of each column of which one is known."""
    if body.get("unit"):
        return {str(column): str(body["unit"]) for column in body.get("columns") or ()}
    return {str(column): str(unit) for column, unit in (body.get("units") or {}).items()}


def named_ports(described: Mapping[str, Metadata], signature: Mapping[str, Port], path: Path) -> dict[str, Port]:
    """The session's ports, with the axis names and symbols of the metadata."""
    unknown = [name for name in described if name not in signature]
    if unknown:
        raise ModelError(f"the metadata of `{path}` are damaged: the model has no {quote_names(unknown)}")
    ports = {}
    for name, port in signature.items():
        axes = described[name].get("axes") if name in described else None
        if axes is None:
            ports[name] = port
            continue
        try:
            named = tuple((str(axis), size) for axis, size in axes)
        except (TypeError, ValueError):
            raise ModelError(f"the metadata of `{path}` are damaged: the axes of `{name}`") from None
        if len(named) != len(port.axes):
            raise ModelError(
                f"the metadata of `{path}` are damaged: `{name}` has {len(port.axes)} axes, not {len(named)}"
            )
        body = described[name]
        ports[name] = Port(
            name,
            named,
            port.dtype,
            columns=tuple(map(str, body.get("columns") or ())),
            gaps=tuple(map(str, body.get("gaps") or ())),
            encoding=str(body.get("encoding") or ""),
            separator=str(body.get("separator") or ""),
            form=body.get("format"),
            truths=(str(body["truths"][0]), str(body["truths"][1])) if body.get("truths") else None,
            markers=_markers(body),
            unit=str(body.get("unit") or ""),
            units=_units(body),
        )
    return ports
