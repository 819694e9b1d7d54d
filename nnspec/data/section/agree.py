"""Compares a plan with the model's inputs and outputs without opening a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnspec.data.section.ahead import check_reach
from nnspec.data.section.augment import check_augment
from nnspec.data.section.bind import check_folders, check_labels
from nnspec.data.section.copies import check_copies
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.section.recursive import check_recursion
from nnspec.diagnostics import Diagnostic, Fix, Related, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.ir.graph import ANOMALY, NO_TASK

Slots = Mapping[str, Slot]


def settle(plan: DataPlan, inputs: Slots, outputs: Slots) -> tuple[dict[str, Slot], dict[str, Slot]]:
    """The slots, with the task of an output that names none taken from its data: classes make a classification."""
    settled = {}
    for name, slot in outputs.items():
        source = plan.outputs.get(name)
        default = "classification" if slot.class_axis or (source and source.classes) else "regression"
        task = slot.task or default
        is_anomaly = task == ANOMALY
        if is_anomaly and source is not None:
            task = "binary"  # whose labels say yes to an anomaly
        settled[name] = replace(slot, task=task, is_anomaly=is_anomaly)
    return dict(inputs), settled


def windowed_reference(plan: DataPlan, slot: SlotPlan) -> SlotPlan | None:
    """The windowed input whose last row holds the output's own columns."""
    if not slot.columns or plan.window is None or not slot.is_windowed:
        return None
    if any(plan.missing_rule(name).is_in_graph for name in slot.columns):
        return None  # what is filled in is no measured value
    for candidate in plan.inputs.values():
        same = candidate.source.path == slot.source.path and set(slot.columns) <= set(candidate.columns)
        is_window = candidate.is_windowed and candidate.ahead == "no"
        if is_window and same and _holds_last(candidate, slot):
            return candidate
    return None


def _holds_last(candidate: SlotPlan, slot: SlotPlan) -> bool:
    """Whether a window's raw values give an output's last ones: encoded columns are inputs of one column each."""
    if not candidate.encodings:
        return True
    encoding = candidate.encodings[candidate.columns.index(slot.columns[0])]
    return len(slot.columns) == 1 and not encoding.is_text and not encoding.is_date


def check(plan: DataPlan, inputs: Slots, outputs: Slots) -> Iterator[Diagnostic]:
    """NN208, NN506, NN508, NN512 and NN516, for slots that are settled."""
    yield from _check_names(plan, plan.inputs, inputs, "input")
    yield from _check_names(plan, plan.outputs, outputs, "output")
    yield from check_copies(plan, inputs, outputs)
    yield from check_folders(plan, inputs)
    yield from check_augment(plan, inputs, outputs)
    yield from check_recursion(plan, inputs, outputs)
    for name in plan.inputs.keys() & inputs.keys():
        yield from _check_scale(plan.inputs[name], inputs[name])
        yield from _check_text(plan.inputs[name], inputs[name])
        yield from check_reach(plan, plan.inputs[name])
        yield from _check_encodings(plan.inputs[name], inputs[name])
    for name in plan.outputs.keys() & outputs.keys():
        slot, model = plan.outputs[name], outputs[name]
        yield from _check_scale(slot, model)
        yield from _check_classes(slot, model)
        if slot.function is not None and model.task not in ("regression", "quantiles"):
            message = (
                f"output `{slot.name}` is a {model.task} output: its targets are classes, which have no {slot.function}"
            )
            yield Diagnostic("NN550", message, slot.span_of("columns"), path=slot.where("columns"))
        yield from check_labels(slot, model)
        yield from _check_counted(plan, slot, model, inputs)
        yield from _check_calibrated(plan, model)
        if slot.is_normal_only and not model.is_anomaly:
            message = f"output `{slot.name}` is not a score of anomalies: all its training rows are trained on"
            fix = Fix("remove `train_on`")
            yield Diagnostic("NN588", message, slot.span_of("train_on"), path=slot.where("train_on"), fixes=(fix,))
        if slot.is_relative:
            yield from _check_relative(plan, slot, model)


def _check_names(plan: DataPlan, found: Mapping[str, SlotPlan], wanted: Slots, kind: str) -> Iterator[Diagnostic]:
    copies = {copy.name: copy for copy in plan.copies.values() if kind == "output"}
    places = {name: slot.span for name, slot in found.items()} | {name: copy.span for name, copy in copies.items()}
    for name, span in places.items():
        if name not in wanted:
            message = f"`data.{kind}s.{name}` matches no {kind} of the model{did_you_mean(name, wanted)}"
            notes = (f"the model's {kind}s: {enumerated(wanted) or 'none'}",)
            yield Diagnostic("NN512", message, span, path=f"data.{kind}s.{name}", notes=notes)
    for name, model in wanted.items():
        if name in found and model.task == NO_TASK:
            yield _without_target(found[name], model)
        if name not in {*found, *copies} and model.has_target:
            key = f"{kind}s"
            related = (Related(model.span, f"{kind} `{name}` of the model"),)
            span = plan.spans.get(key, plan.span)
            fix = Fix(f"add `{name}:` under `data.{key}` and say where its data comes from")
            message = f"`data.{key}` has no entry for {kind} `{name}` of the model"
            none = (Fix(f"if it has no target, set `task: none` in `outputs.{name}`"),) if kind == "output" else ()
            yield Diagnostic("NN512", message, span.start, path=f"data.{key}", related=related, fixes=(fix, *none))


def _without_target(slot: SlotPlan, model: Slot) -> Diagnostic:
    message = f"output `{slot.name}` has `task: none`, so it has no targets, but `data` names some"
    fixes = (Fix(f"remove `{slot.name}` from `data.outputs`"), Fix("or give the output the task of these targets"))
    related = (Related(model.span, f"output `{slot.name}` of the model"),)
    return Diagnostic("NN577", message, slot.span, path=slot.where(), related=related, fixes=fixes)


def _check_text(slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    for key in ("lengths", "pad_value") if model.is_text else ():
        if key in slot.spans:
            message = f"input `{slot.name}` is text, which cannot be padded: `{key}` is for numbers"
            fix = Fix("write an empty string for every missing token in the data file")
            yield Diagnostic("NN208", message, slot.span_of(key), path=slot.where(key), fixes=(fix,))
            return


def _check_encodings(slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    """What columns become has to go into the input's dtype."""
    strange = next((column for column in slot.encodings if column.kind != "index"), None)
    if not slot.encodings or model.is_float or (strange is None and not model.is_text and model.dtype != "bool"):
        return
    message = f"input `{slot.name}` has dtype {model.dtype}, but encoded columns are floats"
    fix = Fix(f"declare input `{slot.name}` as float32; columns with `index` alone are integers")
    span = strange.span if strange is not None else slot.span_of("columns")
    yield Diagnostic("NN506", message, span, path=slot.where("columns"), fixes=(fix,))


def _check_scale(slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    scale = slot.scale
    if scale is None or scale.method == "none":
        return
    where = slot.where("scale")
    if slot.role == "inputs" and not model.is_float:
        message = f"input `{slot.name}` has dtype {model.dtype}, but scaled values are floats"
        fix = Fix(f"remove `scale`, or declare input `{slot.name}` as float32")
        yield Diagnostic("NN506", message, scale.span, path=where, fixes=(fix,))
    if slot.role == "outputs" and not model.gives_values and slot.classes is None:
        message = f"output `{slot.name}` is a {model.task} output: its targets are classes, which cannot be scaled"
        yield Diagnostic("NN208", message, scale.span, path=where)
    sizes = dict(model.data_axes)
    for name in scale.along or ():
        if name not in sizes:
            message = (
                f"`along` names axis `{name}`, which {slot.kind} `{slot.name}` does not have{did_you_mean(name, sizes)}"
            )
            yield Diagnostic("NN506", message, scale.span, path=where)
        elif not isinstance(sizes[name], int):
            message = (
                f"axis `{name}` of {slot.kind} `{slot.name}` has no fixed size, so it cannot have separate "
                f"statistics per position"
            )
            yield Diagnostic("NN506", message, scale.span, path=where)


def _check_classes(slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    plan = slot.classes
    if plan is not None and (model.gives_values or model.task == "multilabel"):
        message = f"output `{slot.name}` is a {model.task} output, which takes no `classes` in `data`"
        fix = Fix("for classes set `task: classification` under `outputs`")
        yield Diagnostic("NN208", message, plan.span, path=slot.where("classes"), fixes=(fix,))
        return
    size = 2 if model.task == "binary" else model.class_size if model.task == "classification" else None
    head = "a binary output has 2" if model.task == "binary" else f"its axis `{model.class_axis}` has size {size}"
    count = plan.count if plan is not None else None
    if count is not None and size is not None and count != size:
        assert plan is not None
        message = f"output `{slot.name}` has {count} classes in `data`, but {head}"
        yield Diagnostic("NN508", message, plan.span, path=slot.where("classes"))
    if count is not None and model.classes is not None and count != len(model.classes):
        assert plan is not None
        message = f"output `{slot.name}` has {count} classes in `data` and {len(model.classes)} under `outputs`"
        yield Diagnostic("NN508", message, plan.span, path=slot.where("classes"))
    for name in plan.along or () if plan is not None else ():
        if name not in dict(model.data_axes):
            assert plan is not None
            message = f"`along` names axis `{name}`, which output `{slot.name}` does not have"
            yield Diagnostic("NN506", message, plan.span, path=slot.where("classes.along"))


def _check_counted(plan: DataPlan, slot: SlotPlan, model: Slot, inputs: Slots) -> Iterator[Diagnostic]:
    """NN542: `padded_like` names an input whose padding is known, and which an axis of the targets follows."""
    if slot.ignore is not None and slot.needs_numbers(model.task) and not isinstance(slot.ignore, int | float):
        message = f"the targets of output `{slot.name}` are numbers, so `ignore` is one too"
        yield Diagnostic("NN208", message, slot.span_of("ignore"), path=slot.where("ignore"))
    if slot.padded_like is None:
        return
    span, where = slot.span_of("padded_like"), slot.where("padded_like")
    source = plan.inputs.get(slot.padded_like)
    if source is None or slot.padded_like not in inputs:
        message = (
            f"`padded_like` names `{slot.padded_like}`, which is not an input{did_you_mean(slot.padded_like, inputs)}"
        )
        yield Diagnostic("NN542", message, span, path=where, notes=(f"the inputs: {enumerated(inputs) or 'none'}",))
        return
    if source.pad_value is None:
        fix = Fix(f"declare it with `pad_value` (or `lengths`) under `data.inputs.{source.name}`")
        message = f"input `{source.name}` does not declare its padding"
        yield Diagnostic("NN542", message, span, path=where, fixes=(fix,))
    elif source.is_windowed:
        message = f"input `{source.name}` has windows, whose steps are not those of the targets"
        yield Diagnostic("NN542", message, span, path=where)
    elif not {origin for _, origin in model.follows} & dict(inputs[source.name].axes).keys():
        message = f"no axis of output `{slot.name}` follows one of input `{source.name}`, step by step"
        yield Diagnostic("NN542", message, span, path=where)


def _check_calibrated(plan: DataPlan, model: Slot) -> Iterator[Diagnostic]:
    """NN582: calibration compares intervals with targets that training did not see."""
    if model.is_calibrated and all(part.name != "validation" for part in plan.split.parts):
        message = f"output `{model.name}` is calibrated on the validation split, but `split` has none"
        fix = Fix("add one: `validation: 0.2`")
        yield Diagnostic("NN582", message, plan.split.span, path="data.split", fixes=(fix,))


def _check_relative(plan: DataPlan, slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    span, where = slot.span_of("relative_to"), slot.where("relative_to")
    if slot.function is not None:
        message = f"output `{slot.name}` is relative to the last value: a change has no {slot.function}"
        yield Diagnostic("NN516", message, span, path=where, fixes=(Fix(f"leave out `{slot.function}`"),))
    if not model.gives_values:
        message = f"output `{slot.name}` is a {model.task} output: there is no last value to add back to a class"
        yield Diagnostic("NN516", message, span, path=where)
    if plan.window is not None and 0 in plan.window.horizon:
        message = f"at horizon 0, output `{slot.name}` relative to the last value is always 0"
        yield Diagnostic("NN516", message, span, path=where)
    if any(plan.missing_rule(name).is_in_graph for name in slot.columns):
        message = f"output `{slot.name}` cannot be relative to a last value that was filled in"
        fix = Fix("`missing: forward_fill` repeats the last value before a gap, `drop` leaves the sample out")
        yield Diagnostic("NN516", message, span, path=where, fixes=(fix,))
    elif windowed_reference(plan, slot) is None:
        listed = enumerated(slot.columns) or "none"
        message = f"no windowed input contains {listed}, so output `{slot.name}` has no last value to be relative to"
        fix = Fix(f"add {listed} to the `columns` of an input")
        yield Diagnostic("NN516", message, span, path=where, fixes=(fix,))
