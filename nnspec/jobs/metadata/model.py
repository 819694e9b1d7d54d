"""The metadata of a deployed model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnspec import __version__
from nnspec.data.deployment import Deployment, label_axes, label_name
from nnspec.data.prepare.encodings.columns import STEP, EncodedInput
from nnspec.data.prepare.encodings.multi_hot import MultiHotEncoding
from nnspec.data.prepare.encodings.truth import TruthEncoding
from nnspec.data.recursion import describe_recursion, recursion_of, step_axis
from nnspec.data.section.plan import DataPlan
from nnspec.data.section.read_columns import OTHERS
from nnspec.data.sources.wanted import Wanted
from nnspec.data.units import Units, describe_units, input_units, is_changed, output_units
from nnspec.document.types import JsonObject
from nnspec.ir import axes as ax
from nnspec.ir.graph import ANOMALY, Graph, Output, Value
from nnspec.ir.symbols import multiples_of
from nnspec.jobs.artifact import sha256
from nnspec.jobs.metadata.element_names import copied_names, element_names
from nnspec.runtime.rules.class_labels import shorten

Described = JsonObject  # a part of the metadata, as JSON


def describe_model(
    graph: Graph,
    plan: DataPlan | None,
    deployment: Deployment,
    layout: Mapping[str, list[str]],
    spec: str,
    *,
    is_raw: bool = True,
) -> Described:
    """The metadata that a model carries, as JSON: enough to feed it, read it, and verify it again.

    Args:
        is_raw: whether it takes and gives the values of the data, rather than those that the network has.
    """
    inputs: Described = {}
    for name, value in graph.inputs.items():
        if name in deployment.columns:
            units = input_units(graph, plan, name)
            inputs |= _ports(plan, name, value, deployment.columns[name], units)
            continue
        sizes: Described = {"batch": None, **{a.name: ax.size_to_json(a.size) for a in value.axes}}
        columns = list(plan.inputs[name].columns) if plan is not None and name in plan.inputs else None
        if plan is not None and columns and plan.inputs[name].encodings:
            columns = None  # the file takes what they become
        inputs[name] = {
            "axes": [[axis, sizes[axis]] for axis in layout.get(name, list(sizes))],
            "dtype": value.dtype,
            "columns": columns or None,
            **_input_units(graph, plan, name, columns or (), is_raw),
            **_reading(plan, name, value),
            **_gaps(plan, name, deployment),
            **_sequences(plan, name, value, deployment),
        }
    outputs: Described = {}
    for name, output in graph.outputs.items():
        sizes = {"batch": None, **{a.name: ax.size_to_json(a.size) for a in output.value.axes}}
        columns = list(plan.columns_of(name)) if plan is not None else None
        classes = shorten(deployment.classes(output))
        order = layout.get(name, list(sizes))
        outputs[name] = {
            "axes": [[axis, sizes[axis]] for axis in order],
            "dtype": output.value.dtype,
            "task": output.task,
            "classes": classes,
            "class_axis": output.class_axis,
            **_threshold(output, deployment),
            **({"levels": list(output.levels)} if output.levels else {}),
            "columns": columns or None,
            **_output_units(graph, plan, name, columns or (), is_raw),
            **_elements(output, order, plan, deployment),
        }
        labels = deployment.labels(output)
        if labels is not None:
            kept = [axis for axis in order if axis in label_axes(output)]
            outputs[label_name(output)] = {
                "axes": [[axis, sizes[axis]] for axis in kept],
                "dtype": _label_type(labels),
                "task": "label",
                "classes": classes,
                "columns": None,
                **_elements(output, order, plan, deployment),
            }
    rules = (
        {name: rule.policy for name, rule in plan.missing_rules.items() if name != OTHERS} if plan is not None else {}
    )
    window = None
    if plan is not None and plan.window is not None:
        horizon = plan.window.horizon
        window = {"lookback": plan.window.lookback, "horizon": list(horizon), "stride": plan.window.stride}
    multiples = multiples_of(graph.constraints)
    return {
        "nnspec": __version__,
        "name": graph.name,
        "spec": spec,
        "spec_sha256": sha256(spec.encode()),
        "inputs": inputs,
        "outputs": outputs,
        **({"multiple_of": multiples} if multiples else {}),
        "window": window,
        "missing": plan.missing if plan is not None else None,
        **({"missing_of": rules} if rules else {}),
        **(describe_recursion(recursion_of(graph, plan, deployment)) if plan is not None else {}),
        **_query(plan),
        "order_by": plan.order_by if plan is not None else None,
        **({"every": plan.every} if plan is not None and plan.every is not None else {}),
        "series": _series(plan),
        "layout": {name: list(order) for name, order in layout.items()},
        "preprocessing": deployment.to_json(),
    }


def _input_units(graph: Graph, plan: DataPlan | None, name: str, columns: Sequence[str], is_raw: bool) -> Described:
    """What an input is measured in, where the file takes what was measured."""
    is_other = not is_raw and plan is not None and is_changed(plan.inputs.get(name))
    return {} if is_other else describe_units(input_units(graph, plan, name), columns)


def _output_units(graph: Graph, plan: DataPlan | None, name: str, columns: Sequence[str], is_raw: bool) -> Described:
    """What an output is measured in, where the file gives original values."""
    copy = plan.copies.get(name) if plan is not None else None
    slot = None if plan is None else plan.outputs.get(name) if copy is None else plan.inputs.get(copy.input)
    return {} if not is_raw and is_changed(slot) else describe_units(output_units(graph, plan, name), columns)


def _ports(plan: DataPlan | None, name: str, value: Value, encoded: EncodedInput, units: Units) -> Described:
    """The inputs that take the columns of one input of the network: a column each."""
    steps = [axis for axis, kind in zip(value.axes, encoded.axes, strict=True) if kind == STEP]
    reading = _reading(plan, name, value)
    slot = plan.inputs.get(name) if plan is not None else None
    columns = slot.columns if slot is not None else list(encoded.ports)
    forms = {column.name: column.form for column in slot.encodings} if slot is not None else {}
    found = {}
    for column, (port, encoding) in zip(columns, encoded.ports.items(), strict=True):
        found[port] = {
            "axes": [["batch", None], *([axis.name, ax.size_to_json(axis.size)] for axis in steps)],
            "dtype": encoding.dtype,
            "columns": [column],
            "encoding": encoding.kind,
            "input": name,
            **describe_units({column: units[column]} if column in units else {}, [column]),
            **({"gaps": [column]} if encoding.takes_gaps else {}),
            **({"separator": encoding.separator} if isinstance(encoding, MultiHotEncoding) else {}),
            **({"truths": list(encoding.given)} if isinstance(encoding, TruthEncoding) and encoding.given else {}),
            **({"format": forms[column]} if forms.get(column) is not None else {}),
            **reading,
        }
    return found


def _elements(output: Output, order: Sequence[str], plan: DataPlan | None, deployment: Deployment) -> Described:
    names = element_names(output, order, plan) or copied_names(output, order, plan, deployment)
    return {} if names is None else {"elements": names}


def _label_type(labels: Sequence[object]) -> str:
    if all(isinstance(label, bool) for label in labels):
        return "bool"
    return "int64" if all(isinstance(label, int) for label in labels) else "string"


def _threshold(output: Output, deployment: Deployment) -> Described:
    """Where yes begins, and the rule that chose it on the validation split."""
    if output.task not in ("binary", "multilabel", ANOMALY):
        return {}
    if output.task == ANOMALY and not deployment.has_threshold(output):
        return {}
    transform = deployment.outputs.get(output.name)
    is_chosen = output.cut is not None and transform is not None and transform.threshold is not None
    rule = {"threshold_rule": output.cut.to_json()} if is_chosen and output.cut is not None else {}
    return {"threshold": deployment.threshold(output), **rule}


def _series(plan: DataPlan | None) -> str | list[str] | None:
    """The column that tells series apart, or the columns that do so together."""
    if plan is None or plan.series_column is None:
        return None
    parts = plan.parts_of(plan.series_column)
    return list(parts) if len(parts) > 1 else parts[0]


def _gaps(plan: DataPlan | None, name: str, deployment: Deployment) -> Described:
    """The columns whose gaps the file fills."""
    transform = deployment.inputs.get(name)
    if plan is None or transform is None or transform.fill is None:
        return {}
    rules = {column: plan.missing_rule(column) for column in plan.inputs[name].columns}
    filled = [column for column, rule in rules.items() if rule.is_in_graph]
    return {"gaps": [column for column in filled if rules[column].fills_words or not transform.fills_texts]}


def _sequences(plan: DataPlan | None, name: str, value: Value, deployment: Deployment) -> Described:
    """How sequences of unequal length, one behind the other, are cut apart and padded."""
    transform = deployment.inputs.get(name)
    slot = plan.inputs.get(name) if plan is not None else None
    if slot is None or not slot.lengths or transform is None or transform.step is None:
        return {}
    axes = [value.axes[step - 1].name for step in (*transform.outer, transform.step)]
    return {"lengths": list(slot.lengths), "padded": axes, "fill": slot.pad_value or 0.0}


def _query(plan: DataPlan | None) -> Described:
    """The query whose rows the model was trained on, and how its tables were read."""
    if plan is None or plan.source is None or not plan.source.parts:
        return {}
    parts = plan.source.parts.items()
    tables = {name: {"kind": part.kind, "options": dict(part.options)} for name, part in parts}
    return {"query": {"text": plan.source.options["query"], "tables": tables}}


def _reading(plan: DataPlan | None, name: str, value: Value) -> Described:
    """How data become this input where that is not plain: the window's axis, its rows where it goes on behind the
    window's last one (which is row 0), and how audio is cut into frames."""
    if plan is None or name not in plan.inputs:
        return {}
    slot = plan.inputs[name]
    result: Described = {"array": slot.array} if slot.array else {}
    if plan.window is not None and not slot.is_windowed:
        result["step"] = None
    elif plan.window is not None:
        result["step"] = step_axis(value)
        if slot.ahead != "no":
            rows = plan.window.rows_of(slot)
            result["rows"] = [rows.start, rows.stop - 1]
    axes = tuple((a.name, ax.size_to_json(a.size)) for a in value.axes)
    wanted = Wanted(axes=axes, fill=slot.pad_value or 0.0)
    return result | slot.source.source.describe_reading(replace(slot.source, wanted=wanted))
