"""Writes the page of a deployed model: its template, the model, ONNX Runtime and the scripts in one file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnspec.page.fields import Field, build_fields, picture_form
from nnspec.page.scripts import join_scripts
from nnspec.page.web_runtime import VERSION, WebRuntime
from nnspec.report.rendering import render
from nnspec.runtime import Predictor
from nnspec.runtime.ports import BATCH
from nnspec.runtime.whole_files import write_whole

LARGEST = 15 * 2**20  # what a page of a small model is meant to stay below
_KEPT = (
    "name",
    "description",
    "window",
    "missing",
    "missing_of",
    "order_by",
    "series",
    "states",
    "state_batch",
    "batch",
)
_TYPES = {"str": "string"}


@dataclass(frozen=True)
class Written:
    """A page that was written: its size, and that of the parts that make it, in bytes."""

    path: Path
    size: int
    model: int
    runtime: int


def write_page(
    model: Path, predictor: Predictor, runtime: WebRuntime, out: Path, sample: Mapping[str, np.ndarray]
) -> Written:
    """Writes the page beside and renames it, so that it is never half there.

    Args:
        sample: of each input one sample, batch left out; empty where there is none.

    Raises:
        OSError: where the file cannot be written.
    """
    described = describe(predictor, sample)
    script = join_scripts(runtime.script)
    packed = {"model": _pack(model.read_bytes()), "runtime": _pack(runtime.binary)}
    style = render("page.css.j2", package="nnspec.page")
    text = render(
        "page.html.j2",
        package="nnspec.page",
        page=described,
        fields=_group_fields(build_fields(predictor.metadata, sample)),
        style=style,
        script=script,
        policy=f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; style-src '{_hash(style)}'; "
        "img-src blob: data:; base-uri 'none'; form-action 'none'",
        packed=packed,
        version=VERSION,
        suffixes=".csv,.tsv,.json,.jsonl,.ndjson,.npy,.npz,.gz,.wav,.flac,.ogg,.png,.jpg,.jpeg,.webp,.txt",
    )
    write_whole(out, text)
    return Written(out, len(text.encode()), len(packed["model"]), len(packed["runtime"]) + len(runtime.script))


def describe(predictor: Predictor, sample: Mapping[str, np.ndarray]) -> dict[str, object]:
    """What the page's scripts know of the model."""
    metadata = predictor.metadata
    ports = {**predictor.inputs, **{name: predictor._ports[name] for name in predictor.states}}
    inputs = {}
    for name, port in ports.items():
        body = dict(metadata["inputs"].get(name, {}))
        picture = picture_form(body) if body.get("axes") else None
        inputs[name] = {**body, "axes": [list(axis) for axis in port.axes], "type": _TYPES.get(port.dtype, port.dtype)}
        if picture is not None:
            inputs[name]["picture"] = _with_colours(picture, sample.get(name))
    outputs = {n: {**body, "horizon": _horizon(metadata, body)} for n, body in metadata["outputs"].items()}
    carried = {
        name: sample[name] for name, body in inputs.items() if name in sample and ("picture" in body or _is_clip(body))
    }
    options: object = next((body["options"] for body in inputs.values() if body.get("options")), {})
    return {
        **{key: metadata.get(key) for key in _KEPT},
        "inputs": inputs,
        "outputs": outputs,
        "options": options,
        "sample": {name: values.tolist() for name, values in carried.items()} or None,
    }


def _is_clip(body: Mapping[str, object]) -> bool:
    said = body.get("files")
    return isinstance(said, Mapping) and said.get("kind") == "audio"


def _with_colours(picture: dict[str, object], sample: np.ndarray | None) -> dict[str, object]:
    """What white is, and whether ink is dark on light paper: as in the sample, else as of files."""
    white = picture.get("white") or (255 if sample is None or float(np.nanmax(sample)) > 1.5 else 1)
    is_dark = sample is not None and float(np.nanmedian(sample)) > 0.5 * float(str(white))
    return {**picture, "white": white, "is_dark": is_dark}


def _horizon(metadata: Mapping[str, object], body: Mapping[str, object]) -> object:
    window = metadata.get("window")
    is_forecast = body.get("task") in ("regression", "quantiles")
    return window["horizon"] if isinstance(window, Mapping) and is_forecast else None


def find_sample(model: Path, predictor: Predictor) -> dict[str, np.ndarray]:
    """The sample that `interface.json` beside a model has, batch left out; empty where there is none that fits."""
    path = model.with_name("interface.json")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        arrays = (said.get("sample") or {}).get("inputs") or {}
        if said.get("name") != predictor.metadata.get("name") or not predictor.inputs.keys() <= arrays.keys():
            return {}
        return {name: first_of(predictor, name, arrays[name]) for name in predictor.inputs}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def first_of(predictor: Predictor, name: str, values: object) -> np.ndarray:
    """The first sample of an input's values, in the input's type.

    Raises:
        ValueError: where they have other axes.
    """
    port = predictor.inputs[name]
    is_text = port.dtype == "str"
    array = np.array(values, dtype=object)
    if array.ndim != len(port.axes):
        raise ValueError(name)
    place = next((i for i, (axis, _) in enumerate(port.axes) if axis == BATCH), None)
    one = array if place is None else np.take(array, 0, axis=place)
    if is_text:
        return np.array(one, dtype=object)
    flat = [np.nan if value is None else value for value in np.asarray(one, dtype=object).reshape(-1)]
    kind = "int64" if port.dtype == "int64" else "float64"
    return np.array(flat, dtype=kind).reshape(np.shape(one))


def _group_fields(fields: list[Field]) -> list[tuple[str, list[Field]]]:
    """Fields of one plain input together, under its name; others alone."""
    groups: list[tuple[str, list[Field]]] = []
    for field in fields:
        is_same = bool(groups) and groups[-1][1][0].kind == field.kind == "number" and groups[-1][0] == field.input
        if is_same:
            groups[-1][1].append(field)
        else:
            groups.append((field.input, [field]))
    return groups


def _pack(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")


def _hash(text: str) -> str:
    """What a content security policy names an inline script or style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
