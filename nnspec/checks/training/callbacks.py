"""Checks callbacks: they monitor logged metrics, write below the build directory, and fit the optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nnspec.catalogue.losses import epoch_metrics
from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity, Span, did_you_mean, nearest, quoted, use_instead
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.diagnostics.lists import enumerated
from nnspec.document import Mapping as MappingNode
from nnspec.document import format_path, locate, to_plain
from nnspec.ir.graph import Args
from nnspec.ir.names import keras_name
from nnspec.training.plan import (
    DEFAULTS,
    OWN_FILES,
    WRITES,
    Planned,
    optimizer_arguments,
    placeholders,
    plan_callbacks,
    resolve_inside,
)
from nnspec.training.watched import SPLIT, evaluated_metrics

Path = tuple[str | int, ...]
Directions = Mapping[str, bool | None]
_OLD_ACCURACY = "acc"
_OF_A_BATCH = ("val_", "validation.", "learning_rate")
_EXAMPLES = {
    "ModelCheckpoint": "best.keras",
    "CSVLogger": "log.csv",
    "TensorBoard": "logs",
    "BackupAndRestore": "backup",
}


def check_training(context: Context) -> Iterator[Diagnostic]:
    """NN212 metrics that do not exist, NN213 callbacks that cannot work, NN510 paths that leave the build directory."""
    section = context.node("training")
    if not isinstance(section, MappingNode):
        return
    settings = {**DEFAULTS, **(to_plain(section) or {})}
    is_validated = context.plan is None or any(part.name == "validation" for part in context.plan.split.parts)
    known = epoch_metrics(context.graph, is_validated=is_validated)
    if "monitor" in section.entries:
        yield from _check_metric(context, "`monitor`", settings["monitor"], known, ("training", "monitor"))
    taken: dict[str, str] = {}
    for index, callback in enumerate(plan_callbacks(settings["callbacks"] or [])):
        place = _Place(context, ("training", "callbacks", index), callback)
        if callback.monitor is not None:
            label = f"`monitor` of `{callback.kind}`"
            yield from _check_metric(context, label, callback.monitor, known, place.path("monitor"))
            yield from _check_mode(place, callback, {**evaluated_metrics(context.graph), **known})
        yield from _check_work(place, callback, optimizer_arguments(settings["optimizer"]))
        yield from _check_place(place, callback, known, taken)
        known = {**known, **callback.metrics}


class _Place:
    """A callback in the document."""

    def __init__(self, context: Context, at: Path, callback: Planned) -> None:
        self.root, self.graph, self.at, self.callback = context.root, context.graph, at, callback

    def path(self, key: str) -> Path:
        return (*self.at, self.callback.kind, key) if key in self.callback.given else self.at

    def span(self, key: str) -> Span:
        return locate(self.root, self.path(key)).span

    def fault(self, code: str, message: str, key: str, *fixes: Fix, severity: Severity = Severity.ERROR) -> Diagnostic:
        path = format_path(self.path(key))
        return Diagnostic(code, message, self.span(key), path=path, fixes=fixes, severity=severity)


def _check_metric(context: Context, label: str, name: str, known: Directions, path: Path) -> Iterator[Diagnostic]:
    evaluated = evaluated_metrics(context.graph)
    has_validation = context.plan is None or any(part.name == SPLIT for part in context.plan.split.parts)
    if name in known or (name in evaluated and has_validation):
        return
    span = locate(context.root, path).span
    bare = name.removeprefix("val_")
    if bare == _OLD_ACCURACY and "accuracy" in known:  # as Keras called it before 2.3
        bare = "accuracy"
        if (now := f"val_{bare}") in known:
            message = f"{label} is `{name}`, which is now called `{now}`"
            yield Diagnostic(
                "NN212", message, span, path=format_path(path), fixes=(use_instead(name, now, span, known),)
            )
            return
    if bare in known and bare != name:
        message = f"{label} is `{name}`, but the data has no validation split"
        fixes = [Fix("add `validation` to `data.split`"), Fix(f"monitor the training rows: `monitor: {bare}`")]
        yield Diagnostic("NN212", message, span, path=format_path(path), fixes=tuple(fixes))
        return
    if name in evaluated:
        message = f"{label} is `{name}`, but the data has no validation split"
        yield Diagnostic(
            "NN212", message, span, path=format_path(path), fixes=(Fix("add `validation` to `data.split`"),)
        )
        return
    if "." in name:
        of_output = {each: better for each, better in evaluated.items() if each.split(".")[1] == name.split(".")[1]}
        known = of_output or evaluated
    close = nearest(name, known)
    message = f"{label} is `{name}`, which is not a logged metric{did_you_mean(name, known)}"
    note = f"logged metrics: {quoted(known)}"
    if "." in name:
        message = f"{label} is `{name}`, which is not a metric of the validation split{did_you_mean(name, known)}"
        note = f"such metrics: {enumerated(known, 12)}"
    fixes = [use_instead(name, meant, span, known) for meant in close]
    yield Diagnostic("NN212", message, span, path=format_path(path), notes=(note,), fixes=tuple(fixes))


def _check_mode(place: _Place, callback: Planned, known: Directions) -> Iterator[Diagnostic]:
    mode, is_higher_better = callback.arguments.get("mode"), known.get(callback.monitor or "")
    if mode not in ("min", "max") or is_higher_better is None or (mode == "max") is is_higher_better:
        return
    better = "a larger" if is_higher_better else "a smaller"
    yield place.fault(
        "NN212",
        f"`mode` of `{callback.kind}` is `{mode}`, but {better} `{callback.monitor}` is better",
        "mode",
        Fix("remove `mode`: nnspec knows which direction is better"),
        severity=Severity.WARNING,
    )


def _check_work(place: _Place, callback: Planned, optimizer: Args) -> Iterator[Diagnostic]:
    if callback.kind == "TensorBoard" and not is_installed("tensorboard"):
        message = "the callback `TensorBoard` needs the package tensorboard, which is not installed"
        fixes = Fix(install_command("tensorboard")), Fix("or log the metrics with `CSVLogger`")
        yield place.fault("NN612", message, "", *fixes)
    if callback.kind == "SwapEMAWeights" and not optimizer.get("use_ema"):
        message = "`SwapEMAWeights` needs weight averages, but the optimizer keeps none"
        yield place.fault("NN213", message, "", Fix("set `use_ema: true` on the optimizer"))
    if callback.kind == "ReduceLROnPlateau" and isinstance(optimizer.get("learning_rate"), dict):
        schedule = next(iter(optimizer["learning_rate"]))
        message = f"`ReduceLROnPlateau` cannot set the learning rate, because `{schedule}` already does"
        yield place.fault("NN213", message, "", Fix("set `learning_rate` of the optimizer to a number"))
    arguments = callback.arguments
    tables = [keras_name(node.name) for node in place.graph.nodes if node.layer.looks_up_ids]
    metadata = arguments.get("embeddings_metadata")
    for name in metadata if isinstance(metadata, dict) else ():
        if name not in tables:
            message = f"`embeddings_metadata` of `TensorBoard` names `{name}`, which is not an `Embedding` layer"
            guess = did_you_mean(name, tables)
            fix = Fix(f"name one of {quoted(tables)}" if tables else "remove `embeddings_metadata`")
            yield place.fault("NN213", f"{message}{guess}", "embeddings_metadata", fix)
    is_by_batch = callback.kind == "ModelCheckpoint" and arguments["save_freq"] != "epoch"
    if is_by_batch and (callback.monitor or "").startswith(_OF_A_BATCH):
        message = f"`ModelCheckpoint` saves in the middle of an epoch, before `{callback.monitor}` exists"
        yield place.fault("NN213", message, "save_freq", Fix("save at the end of each epoch: remove `save_freq`"))


def _check_place(place: _Place, callback: Planned, known: Directions, taken: dict[str, str]) -> Iterator[Diagnostic]:
    """Where a callback writes."""
    if callback.place is None:
        return
    key, path = callback.place
    label = f"`{key}` of `{callback.kind}`"
    formatted = path
    if callback.kind == "ModelCheckpoint":
        try:
            names = list(placeholders(path))
        except ValueError as error:
            yield place.fault("NN213", f"{label} cannot be formatted: {error}", key)
            return
        yield from _check_placeholders(place, callback, names, known)
        yield from _check_suffix(place, callback, path)
        formatted = re.sub(r"\{[^{}]*\}", "0", path)
    below = resolve_inside(formatted)
    if below is None:
        message = f"callback `{callback.kind}` would write `{path}`, outside the build directory"
        yield place.fault("NN510", message, key, Fix(f"use a path inside it, such as `{_EXAMPLES[callback.kind]}`"))
        return
    if below == "." or below.split("/")[0] in OWN_FILES:
        what = "is the build directory itself" if below == "." else f"is `{below}`, which the build writes itself"
        yield place.fault(
            "NN213", f"{label} {what}", key, Fix(f"use another name, such as `{_EXAMPLES[callback.kind]}`")
        )
        return
    for other, kind in taken.items():
        if below == other or (below + "/").startswith(other + "/") or (other + "/").startswith(below + "/"):
            yield place.fault("NN213", f"{label} is `{below}`, but `{kind}` writes to `{other}`", key)
            return
    if WRITES[callback.kind][1] or "{" not in path:
        taken[below] = callback.kind


def _check_placeholders(place: _Place, callback: Planned, names: list[str], known: Directions) -> Iterator[Diagnostic]:
    is_by_batch = callback.arguments["save_freq"] != "epoch"
    there = [name for name in known if not (is_by_batch and name.startswith(_OF_A_BATCH))]
    there += ["epoch", *(["batch"] if is_by_batch else [])]
    for name in names:
        if name not in there:
            message = f"`filepath` of `ModelCheckpoint` uses `{name}`, which is not a logged metric at that point"
            note = f"available here: {quoted(there)}"
            found = place.fault("NN212", f"{message}{did_you_mean(name, there)}", "filepath")
            yield Diagnostic(found.code, found.message, found.span, path=found.path, notes=(note,))


def _check_suffix(place: _Place, callback: Planned, path: str) -> Iterator[Diagnostic]:
    wanted = ".weights.h5" if callback.arguments["save_weights_only"] else ".keras"
    if path.endswith(wanted):
        return
    what = "weights" if wanted == ".weights.h5" else "a model"
    message = f"`filepath` of `ModelCheckpoint` is `{path}`, but a file for {what} must end in `{wanted}`"
    yield place.fault("NN213", message, "filepath", Fix(f"write `{_stem(path)}{wanted}`"))


def _stem(path: str) -> str:
    for suffix in (".weights.h5", ".keras", ".h5", ".hdf5", ".ckpt", ".pt", ".tf"):
        if path.endswith(suffix):
            return path.removesuffix(suffix)
    return path
