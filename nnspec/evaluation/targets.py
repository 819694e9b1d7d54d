"""A file's targets, read beside the inputs: in the same order, cut into the same windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.history import History
from nnspec.evaluation.copies import copied_targets
from nnspec.evaluation.counted import counted_targets, lengths_port
from nnspec.evaluation.past import history_of, past_ports
from nnspec.evaluation.weighted import weights_port
from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.media.files import takes_files
from nnspec.runtime.ports import BATCH, Metadata
from nnspec.runtime.reading import read_samples
from nnspec.runtime.rows.columns import GAP, words_in_one_spelling
from nnspec.runtime.rules.class_labels import spell_out
from nnspec.runtime.rules.folders import label_of
from nnspec.runtime.rules.label_keys import label_key
from nnspec.runtime.samples import Samples

Array = np.ndarray
Described = Mapping[str, object]
LEAST_READ = 1024  # samples at a time
_WHITE = 255  # what many programs write for yes in a mask
GROUP = "the groups"  # no name of an input: those have no spaces


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """A file's samples, with what is known of them.

    Attributes:
        targets: by output, as they stand in the file: axes `sample *target`.
        last: by output, the last values of a window, axes as the targets or 1 for steps.
        groups: by which metrics are told apart, a word for each sample.
        pasts: by output, what the rows before its windows say of its targets, in their shape; and names of series.
        counted: by output, which of its targets count, axes as theirs; without those of which all do.
        weights: by output with weighted metrics, what each sample counts.
    """

    samples: Samples
    targets: Mapping[str, Array]
    last: Mapping[str, Array]
    groups: Array | None = None
    pasts: Mapping[str, tuple[History, Mapping[int, str]]] = field(default_factory=dict)
    counted: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)


def read_labelled(file: Path, metadata: Metadata, by: str | None = None) -> Labelled:
    """The samples of a file that have all targets within it.

    Raises:
        InputError: as `read_samples`, and where the file lacks targets.
    """
    described: Mapping[str, Metadata] = metadata["evaluation"]
    ports: dict[str, Metadata] = {}
    names = {name: name if name not in metadata["inputs"] else f"{name} (target)" for name in described}
    for name, body in described.items():
        if body.get("folder") or body.get("of") or body.get("is_unlabelled"):
            continue
        ports[names[name]] = _target_port(metadata, name, body)
        if body["baseline"] and body["baseline"]["name"] == "persistence":
            ports[f"{names[name]} before"] = columns_port(body, [0, 0])
        lengths = lengths_port(body)
        ports |= {f"{names[name]} lengths": lengths} if lengths is not None else {}
        weights = weights_port(body)
        ports |= {f"{names[name]} weights": weights} if weights is not None else {}
        ports |= past_ports(name, body, body["horizon"] or ())
    if by is not None:
        ports[GROUP] = {**columns_port({"columns": [by], "reads": "words"}, None), "array": by}
    read = read_samples(file, {**metadata, "inputs": {**metadata["inputs"], **ports}})
    parts: dict[str, list[Array]] = {port: [] for port in ports}
    for part in read.slices(LEAST_READ) if ports else ():
        taken = read.take(part)
        for port, arrays in parts.items():
            arrays.append(taken[port])
    places = {port: [axis for axis, _ in body["axes"]].index(BATCH) for port, body in ports.items()}
    found = {port: np.concatenate(arrays, axis=places[port]) for port, arrays in parts.items()}
    samples = Samples(
        read.count,
        lambda part: {name: array for name, array in read.take(part).items() if name not in ports},
        keys=read.keys,
        notes=read.notes,
    )
    targets, last, pasts = {}, {}, {}
    counted: dict[str, NDArray[np.bool_]] = {}
    for name, body in described.items():
        if body.get("is_unlabelled"):
            continue
        if body.get("folder"):
            targets[name] = _folders(file, read)
            continue
        if body.get("of"):
            targets[name] = copied_targets(name, metadata, samples)
            continue
        targets[name] = _in_order(metadata, name, body, found[names[name]])
        known = counted_targets(name, metadata, targets[name], samples, found.get(f"{names[name]} lengths"))
        counted |= {name: known} if known is not None else {}
        past = history_of(name, body, metadata, found, samples, body["horizon"] or ())
        if past is not None:
            pasts[name] = _shape_history(body, past[0]), past[1]
        before = found.get(f"{names[name]} before")
        if before is not None:
            last[name] = before
    groups = words_in_one_spelling(found[GROUP].astype(object)).reshape(-1) if by is not None else None
    weights_of = {name: found[port] for name in described if (port := f"{names[name]} weights") in found}
    return Labelled(
        samples=samples,
        targets=targets,
        last=last,
        groups=groups,
        pasts=pasts,
        counted=counted,
        weights=weights_of,
    )


def _shape_history(body: Metadata, history: History) -> History:
    """A history of axes `sample row column` in the shape of the targets."""

    def shaped(values: Array) -> Array:
        moved = np.moveaxis(values, 1, -1) if body["is_columns_first"] else values
        return moved.reshape(len(values), *(-1 if size is None else size for size in body["sizes"]))

    return replace(
        history,
        naive=None if history.naive is None else shaped(history.naive),
        last=None if history.last is None else shaped(history.last),
        scale=shaped(history.scale),
        step=body["past"]["step"],
    )


def columns_port(body: Metadata, rows: list[int] | None) -> dict[str, object]:
    """What is read beside the inputs, as the metadata describe an input."""
    steps: list[list[object]] = [] if rows is None else [["step", rows[1] - rows[0] + 1]]
    words = {"dtype": "string", "encoding": "category"} if body["reads"] == "words" else {"dtype": "float64"}
    return {
        **words,
        "axes": [[BATCH, None], *steps, ["column", len(body["columns"])]],
        "columns": list(body["columns"]),
        "gaps": list(body["columns"]),
        "is_measured": True,
        "step": None if rows is None else "step",
        **({} if rows is None else {"rows": rows}),
    }


def _target_port(metadata: Metadata, name: str, body: Metadata) -> dict[str, object]:
    if body["columns"]:
        horizon = body["horizon"]
        return columns_port(body, [min(horizon), max(horizon)] if horizon else None)
    own, order = {BATCH, *body["axes"]}, [axis for axis, _ in metadata["outputs"][name]["axes"]]
    axes = [[axis, None] for axis in order if axis in own]
    if takes_files(body):
        files = {"column": name, **body["files"]}
        return {"dtype": "float64", "axes": axes, "columns": None, "files": files, "gaps": []}
    words: dict[str, object] = {"dtype": "float64"}
    if body["reads"] == "words":
        words = {"dtype": "string", "encoding": "category"}
    rule = body.get("counted") or {}
    if rule.get("padded") is not None:  # sequences that lie end to end, as those of an input may
        words |= {"lengths": [rule["lengths"]], "padded": [rule["padded"]], "fill": 0}
    return {**words, "axes": axes, "columns": None, "array": body["array"], "gaps": []}


def _in_order(metadata: Metadata, name: str, body: Metadata, found: Array) -> Array:
    """Axes `sample *target`, in the order of the network's own."""
    if body["columns"]:
        if body["horizon"]:
            first = min(body["horizon"])
            found = found[:, [step - first for step in body["horizon"]]]
            if body["is_columns_first"]:
                found = np.moveaxis(found, 1, -1)
    else:
        if takes_files(body) and metadata["outputs"][name]["task"] == "binary":
            found = np.where(found == _WHITE, 1, found)
        order = [axis for axis, _ in metadata["outputs"][name]["axes"] if axis in {BATCH, *body["axes"]}]
        if found.ndim == len(order):
            found = np.transpose(found, [order.index(axis) for axis in (BATCH, *body["axes"])])
    sizes = [-1 if size is None else size for size in body["sizes"]]
    try:
        return found.reshape(len(found), *sizes)
    except ValueError:
        raise InputError(
            f"the targets of output `{name}` have shape {found.shape}, but the model gives {tuple(sizes)} for a sample"
        ) from None


def _folders(file: Path, samples: Samples) -> Array:
    labels = [label_of(cell) for cell in samples.keys.get("file", ())]
    if not labels or not all(labels):
        raise InputError(f"`{file.name}` must be a folder whose subfolders are the labels of its files")
    return np.array(labels, dtype=object)[:, None]


def encode_targets(
    name: str, body: Metadata, output: Metadata, values: Array, counted: NDArray[np.bool_] | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Targets as metrics compare them: numbers, 0 and 1, or class indices; and which samples have all of theirs.

    Targets that do not count become the first class, or 0.

    Raises:
        InputError: where a label is none of the model's classes.
    """
    if body["reads"] == "numbers":
        numbers = values.astype(np.float64)
        if counted is not None:
            numbers = np.where(counted, numbers, 0.0)
        known = np.asarray(np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1))
        if body.get("edges") is not None:
            edges = np.asarray(body["edges"], dtype=np.float64)
            return (numbers[..., None] > edges).sum(axis=-1), known
        return numbers, known
    words = words_in_one_spelling(values.astype(object))
    if counted is not None:
        first = label_key((output.get("classes") or (0, 1))[0])
        words = np.where(counted, words, first).astype(object)
    known = np.asarray((words != GAP).reshape(len(words), -1).all(axis=1))
    labels = [label_key(label) for label in output.get("classes") or (0, 1)]
    index = {label: i for i, label in enumerate(labels)}
    own_labels = spell_out(body.get("labels")) or ()  # as the data of training had them
    own = {label_key(label): i for i, label in enumerate(own_labels)}
    if labels == ["0", "1"]:
        own |= {"false": 0, "true": 1}
    codes = {GAP: 0, **own, **index}
    strange = sorted({str(word) for word in words.reshape(-1)} - codes.keys())
    if strange:
        odd = [i for i, own in enumerate(words.reshape(len(words), -1)) if any(str(word) not in codes for word in own)]
        others = f"one of {len(words)} samples" if len(odd) == 1 else f"{len(odd)} of {len(words)} samples"
        raise InputError(
            f"output `{name}` has no class {quote_names(strange[:5])}, the label of {others} (the first is sample "
            f"{odd[0] + 1}); the model's classes are {quote_names(labels[:20])}: "
            "leave such samples out, or train with them"
        )
    found = np.array([codes[word] for word in words.reshape(-1)], dtype=np.int64)
    return found.reshape(words.shape), known
