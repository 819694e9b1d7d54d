"""A file's targets, read beside the inputs: in the same order, cut into the same windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays.growing import Collected
from nnspec.data.prepare.history import History
from nnspec.evaluation.copies import copied_targets
from nnspec.evaluation.counted import counted_targets, lengths_port
from nnspec.evaluation.past import history_of, past_ports
from nnspec.evaluation.target_codes import Targets
from nnspec.evaluation.weighted import weights_port
from nnspec.runtime.errors import InputError
from nnspec.runtime.files import Predict
from nnspec.runtime.media.files import takes_files
from nnspec.runtime.ports import BATCH, Metadata
from nnspec.runtime.reading import read_parts
from nnspec.runtime.rows.columns import words_in_one_spelling
from nnspec.runtime.rules.folders import label_of
from nnspec.runtime.samples import Samples

Array = np.ndarray
Described = Mapping[str, object]
_WHITE = 255  # what many programs write for yes in a mask
GROUP = "the groups"  # no name of an input: those have no spaces


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """What a model says of a file's samples, with what is known of them.

    Attributes:
        count: how many samples there are.
        notes: what is worth knowing of the file.
        predicted: by output, axes `sample *target`, of classes or levels with those behind.
        truth: by output, the targets as metrics compare them (`Targets`); and, axes `sample`, which samples have them.
        last: by output, the last values of a window, axes as the targets or 1 for steps.
        groups: by which metrics are told apart, the number of one for each sample; and their names.
        pasts: by output, what the rows before its windows say of its targets, in their shape; and names of series.
        counted: by output, which of its targets count, axes as theirs; without those of which all do.
        weights: by output with weighted metrics, what each sample counts.
    """

    count: int
    notes: tuple[str, ...]
    predicted: Mapping[str, Array]
    truth: Mapping[str, tuple[Array, NDArray[np.bool_]]]
    last: Mapping[str, Array]
    groups: tuple[Array, Sequence[str]] | None = None
    pasts: Mapping[str, tuple[History, Mapping[int, str]]] = field(default_factory=dict)
    counted: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)


def read_labelled(file: Path, metadata: Metadata, predict: Predict, by: str | None = None) -> Labelled:
    """Goes through a file once, and keeps targets and predictions: not the table.

    Args:
        predict: the model (`Predictor.over`).

    Raises:
        InputError: as `read_samples`, and where the file lacks targets.
    """
    reading = _Reading(file, metadata, by)
    parts = read_parts(file, {**metadata, "inputs": {**metadata["inputs"], **reading.ports}}, beside=reading.ports)
    keys: Mapping[str, Sequence[str]] = {}
    for part in parts:
        keys = part.keys  # of a model with a past, all are in one part
        waiting: list[dict[str, Array]] = []
        for outputs, own in predict(reading.inputs_of(part, waiting)):
            reading.add(waiting.pop(), outputs, own)
    return reading.finish(keys, (*parts.notes, *parts.closing))


class _Reading:
    """What is kept of a file while it is read."""

    def __init__(self, file: Path, metadata: Metadata, by: str | None) -> None:
        self.file, self.metadata, self.by = file, metadata, by
        self.described: Mapping[str, Metadata] = metadata["evaluation"]
        self.names = {name: name if name not in metadata["inputs"] else f"{name} (target)" for name in self.described}
        self.ports = self._ports()
        outputs = metadata["outputs"]
        self._kept: dict[tuple[str, str], Collected] = {}  # by what it is, and the output
        self._groups: dict[str, int] = {}
        self._targets = {
            name: Targets(name, body, outputs[name])
            for name, body in self.described.items()
            if not body.get("is_unlabelled")
        }

    def _ports(self) -> dict[str, Metadata]:
        """What is read beside the inputs, as the metadata describe an input."""
        ports: dict[str, Metadata] = {}
        for name, body in self.described.items():
            if body.get("folder") or body.get("of") or body.get("is_unlabelled"):
                continue
            own = self.names[name]
            ports[own] = _target_port(self.metadata, name, body)
            if body["baseline"] and body["baseline"]["name"] == "persistence":
                ports[f"{own} before"] = columns_port(body, [0, 0])
            lengths, weights = lengths_port(body), weights_port(body)
            ports |= {f"{own} lengths": lengths} if lengths is not None else {}
            ports |= {f"{own} weights": weights} if weights is not None else {}
            ports |= past_ports(name, body, body["horizon"] or ())
        if self.by is not None:
            ports[GROUP] = {**columns_port({"columns": [self.by], "reads": "words"}, None), "array": self.by}
        return ports

    def inputs_of(self, part: Samples, waiting: list[dict[str, Array]]) -> Samples:
        """Samples without what is read beside the inputs, which goes to `waiting` as they are taken."""

        def take(which: slice) -> dict[str, Array]:
            taken = part.take(which)
            waiting.append(taken)
            return {name: array for name, array in taken.items() if name not in self.ports}

        return Samples(part.count, take, keys=part.keys, batch=part.batch_size(self.ports) if part.count else None)

    def add(self, taken: Mapping[str, Array], outputs: Mapping[str, Array], keys: Mapping[str, Sequence[str]]) -> None:
        """Keeps what a batch says."""
        for name, body in self.described.items():
            order = [axis for axis, _ in self.metadata["outputs"][name]["axes"]]
            if body.get("is_unlabelled"):
                self._keep("predicted", name, np.moveaxis(outputs[name], order.index(BATCH), 0))
                continue
            behind = body["behind"]  # the axis of classes or levels, which goes last
            wanted = [BATCH, *body["axes"], *([behind] if behind else [])]
            predicted = np.transpose(outputs[name], [order.index(axis) for axis in wanted])
            port, counted = self.names[name], None
            if body.get("folder"):
                targets = _folders(self.file, keys)
            elif body.get("of"):
                targets = copied_targets(name, self.metadata, taken)
            else:
                targets = _in_order(self.metadata, name, body, taken[port])
                counted = counted_targets(name, self.metadata, targets, taken, taken.get(f"{port} lengths"))
            if len(predicted) != len(targets):
                message = f"output `{name}` has {len(targets)} targets for {len(predicted)} samples"
                raise InputError(message)
            truth, known = self._targets[name].encode(targets, counted)
            for what, values in (("predicted", predicted), ("truth", truth), ("known", known), ("counted", counted)):
                if values is not None:
                    self._keep(what, name, values)
        for port in self.ports:
            if port == GROUP:
                words = words_in_one_spelling(taken[port].astype(object)).reshape(-1).tolist()
                numbers = [self._groups.setdefault(word, len(self._groups)) for word in words]
                self._keep("group", "", np.array(numbers, np.int32))
            elif port not in self.names.values():
                self._keep("port", port, taken[port])

    def _keep(self, what: str, name: str, values: Array) -> None:
        self._kept.setdefault((what, name), Collected()).append(values)

    def finish(self, keys: Mapping[str, Sequence[str]], notes: tuple[str, ...]) -> Labelled:
        for targets in self._targets.values():
            targets.require_known()
        by_kind: dict[str, dict[str, Array]] = {}
        for (what, name), collected in self._kept.items():
            by_kind.setdefault(what, {})[name] = collected.finish()
        found, predicted = by_kind.get("port", {}), by_kind["predicted"]
        pasts = {}
        for name, body in self.described.items():
            past = history_of(name, body, self.metadata, found, keys, body.get("horizon") or ())
            if past is not None:
                pasts[name] = _shape_history(body, past[0]), past[1]
        last = {name: found[port] for name, own in self.names.items() if (port := f"{own} before") in found}
        weights = {name: found[port] for name, own in self.names.items() if (port := f"{own} weights") in found}
        return Labelled(
            count=len(next(iter(predicted.values()))),
            notes=notes,
            predicted=predicted,
            truth={name: (values, by_kind["known"][name]) for name, values in by_kind.get("truth", {}).items()},
            last=last,
            groups=None if self.by is None else (by_kind["group"][""], list(self._groups)),
            pasts=pasts,
            counted=by_kind.get("counted", {}),
            weights=weights,
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


def _folders(file: Path, keys: Mapping[str, Sequence[str]]) -> Array:
    labels = [label_of(cell) for cell in keys.get("file", ())]
    if not labels or not all(labels):
        raise InputError(f"`{file.name}` must be a folder whose subfolders are the labels of its files")
    return np.array(labels, dtype=object)[:, None]
