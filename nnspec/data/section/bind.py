"""Tells sources that make their values to fit what takes them: images are resized to their input's axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnspec.data.section.plan import ClassPlan, DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import SourceError, SourcePlan
from nnspec.data.sources.label_keys import label_key
from nnspec.data.sources.wanted import Wanted
from nnspec.diagnostics import Diagnostic, Fix, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.runtime.rules.truth import order_truths

_DTYPES = ("float", "bfloat", "uint", "int16", "int32", "int64")  # those that have 0 to 255


def bind(plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> DataPlan:
    """The plan, its folders of files bound to the inputs and outputs that take them.

    Files of further folders go with those of the first, by name. Each targets' label is an index where files hold them.

    Args:
        inputs, outputs: of the model, settled (`agree.settle`).
    """
    bound: dict[str, dict[str, SlotPlan]] = {"inputs": {}, "outputs": {}}
    first: SourcePlan | None = None
    for slot in plan.slots():
        model = (inputs if slot.role == "inputs" else outputs).get(slot.name)
        if slot.folder_of is not None:
            source = bound["inputs"][slot.folder_of].source
            slot = replace(slot, source=source, classes=slot.classes or _folders(slot, source, model))
        elif model is not None and slot.source.source.is_per_file:
            source = _bound(slot, model)
            if source.table is None:
                if first is not None and first.path != source.path:
                    source = replace(source, beside=first)
                first = first or source
            slot = replace(slot, source=source, axes=None, classes=slot.classes or _indices(slot, model))
        if model is not None and model.is_anomaly and slot.classes is None:
            slot = replace(slot, classes=ClassPlan(kind="list", span=slot.span_of(slot.data_key), labels=(0, 1)))
        bound[slot.role][slot.name] = slot
    return replace(plan, inputs=bound["inputs"], outputs=bound["outputs"])


def _bound(slot: SlotPlan, model: Slot) -> SourcePlan:
    has_labels = slot.role == "outputs" and not slot.needs_numbers(model.task)
    is_binary = model.task == "binary"
    wanted = Wanted(
        axes=model.data_axes, has_labels=has_labels, is_binary=is_binary, ignore=slot.ignore, fill=slot.pad_value or 0.0
    )
    return replace(slot.source, wanted=wanted)


def _indices(slot: SlotPlan, model: Slot) -> ClassPlan | None:
    """The classes of masks, whose values are indices; None where the output names the classes, or there are none."""
    count = 2 if model.task == "binary" else model.class_size if model.task == "classification" else None
    if slot.role == "inputs" or model.classes is not None or count is None or count < 2:
        return None
    return ClassPlan(kind="list", span=slot.span_of(slot.data_key), labels=tuple(range(count)))


def _folders(slot: SlotPlan, source: SourcePlan, model: Slot | None) -> ClassPlan | None:
    """The folders as classes, those without a training row too; None where the output names the classes."""
    is_label = model is not None and model.task in ("classification", "binary") and model.classes is None
    if not is_label:
        return None
    from nnspec.data.sources.folders import FolderSource  # few specs have folders of files

    if not isinstance(source.source, FolderSource):
        return None
    try:
        labels = [label for label in source.source.labels(source) if not _is_ignored(slot, label)]
    except SourceError:  # which is reported where the source is probed
        return None
    labels = order_truths(labels) if model is not None and model.task == "binary" else labels
    return ClassPlan(kind="list", span=slot.span_of("folder_of"), labels=tuple(labels)) if len(labels) > 1 else None


def _is_ignored(slot: SlotPlan, label: str | int) -> bool:
    return slot.ignore is not None and label_key(slot.ignore) == label_key(label)


def check_labels(slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    """NN557 where a folder is none of the classes that the spec lists."""
    source = slot.source.source
    listed = slot.classes.labels if slot.classes is not None and slot.classes.kind == "list" else model.classes
    if slot.folder_of is None or listed is None:
        return
    from nnspec.data.sources.folders import FolderSource  # few specs have folders of files

    if not isinstance(source, FolderSource):
        return
    try:
        labels = [label for label in source.labels(slot.source) if not _is_ignored(slot, label)]
    except SourceError:  # which is reported where the source is probed
        return
    names, numbers = [label_key(label) for label in listed], range(len(listed))
    strange = [label_key(label) for label in labels if label_key(label) not in names]
    if strange and not (model.classes is not None and set(labels) <= set(numbers)):
        message = f"folder `{strange[0]}` is not one of the classes of output `{slot.name}`"
        notes = (f"the classes: {enumerated(list(listed))}",)
        hint = did_you_mean(strange[0], names)
        yield Diagnostic("NN557", message + hint, slot.span_of("folder_of"), path=slot.where("folder_of"), notes=notes)


def check_folders(plan: DataPlan, inputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN208 and NN556 where files that are a sample each are used as something else."""
    for slot in plan.slots():
        if not slot.source.source.is_per_file or slot.folder_of is not None:
            continue
        kind, where = slot.source.kind, slot.where(slot.data_key)
        if slot.is_windowed:
            message = f"{slot.kind} `{slot.name}` has `{kind}`, which cannot be cut into windows"
            fix = Fix("write `window: false` to take the file of the window's last row")
            yield Diagnostic("NN556", message, slot.span_of(slot.data_key), path=where, fixes=(fix,))
        if "axes" in slot.spans:
            message = f"`axes` does not apply to `{kind}`: the axes are those of the model's {slot.kind}"
            yield Diagnostic("NN208", message, slot.span_of("axes"), path=slot.where("axes"))
        model = inputs.get(slot.name) if slot.role == "inputs" else None
        if model is not None and not model.is_text and not model.dtype.startswith(_DTYPES):
            message = f"input `{slot.name}` has dtype {model.dtype}, which cannot represent the values 0 to 255"
            fix = Fix("declare it as float32 or uint8")
            yield Diagnostic("NN556", message, slot.span_of(slot.data_key), path=where, fixes=(fix,))
