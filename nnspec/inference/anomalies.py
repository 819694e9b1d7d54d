"""Makes the scores of anomalies: the error of a reconstruction, as a node behind it."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import replace

from nnspec.data.prepare.fit import sequence_axis
from nnspec.diagnostics import Diagnostic, Fix, Report, Span, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.document import Mapping, Scalar, to_plain
from nnspec.inference.implied import implied_node
from nnspec.inference.levels import Levels
from nnspec.inference.outputs import make_output, with_labels
from nnspec.ir import axes as ax
from nnspec.ir.graph import ANOMALY, Node, Output, Value
from nnspec.ir.matching_axes import matching_order

KEYS = ("of", "error", "over")


def is_error(body: object) -> bool:
    """Whether an output is the error of another one."""
    return isinstance(body, Mapping) and "of" in body.entries


def check_keys(name: str, body: Mapping, report: Report) -> None:
    """NN588 where the keys of an anomaly score are another output's, or do not go together."""
    task = body.get("task")
    is_score = isinstance(task, Scalar) and task.value == ANOMALY
    for key in KEYS:
        if key in body.entries and not is_score:
            message = f"`{key}` only applies to outputs with `task: anomaly`, and output `{name}` has another task"
            fixes = [Fix(f"remove `{key}`")]
            if key == "of":
                fixes.insert(
                    0, Fix(f"what a reconstruction learns is said by `data: {{outputs: {{{name}: {{of: …}}}}}}`")
                )
            _report(report, message, body.key_span(key), name, *fixes)
        elif key in body.entries and key != "of" and "of" not in body.entries:
            fix = Fix(f"name the reconstruction with `of`, or remove `{key}`")
            message = f"output `{name}` has `{key}`, but does not say whose error it is"
            _report(report, message, body.key_span(key), name, fix)
    if is_score and "from" in body.entries and "of" in body.entries:
        message = f"output `{name}` is the error of a reconstruction (`of`), so it cannot come from a layer (`from`)"
        _report(report, message, body.key_span("from"), name, Fix("remove one of them"))


def with_errors(
    outputs: MappingABC[str, Output | None],
    node: Mapping,
    root: Mapping,
    inputs: MappingABC[str, Value],
    order: list[Node],
    report: Report,
) -> dict[str, Output]:
    """The outputs, with those that are the errors of others, and the names of their labels.

    Args:
        outputs: None for those that are missing yet.
        node: what the spec says of them.
        order: the nodes, to which those that measure errors are added.
    """
    made = {name: output.value for name, output in outputs.items() if output is not None}
    found = dict(outputs)
    for name, output in outputs.items():
        body = node.entries[name]
        if output is not None or not isinstance(body, Mapping):
            continue
        error = error_of(name, body, root, made, inputs, report)
        if error is not None:
            order.append(error)
            score = make_output(name, error.outputs[0], body, node.key_span(name), report, Levels())
            of = str(to_plain(body.entries["of"]))
            found[name] = replace(score, error_of=(of, reduced_by(error)))
    return with_labels({name: output for name, output in found.items() if output is not None})


def error_of(
    name: str,
    body: Mapping,
    root: Mapping,
    made: MappingABC[str, Value],
    inputs: MappingABC[str, Value],
    report: Report,
) -> Node | None:
    """The node that measures the error; None after NN588.

    Args:
        root: the document, whose `data` say what is reconstructed, and what is padding.
        made: the values of the other outputs, by name.
    """
    node = body.entries["of"]
    wanted = str(to_plain(node))
    said = made.get(wanted)
    if said is None:
        message = f"`of` of output `{name}` names `{wanted}`, which is not an output{did_you_mean(wanted, made)}"
        _report(report, message, node.span, name, Fix(f"name one of {enumerated(made) or 'the outputs'}"))
        return None
    source = _plain(root, "data", "outputs", wanted, "of")
    read = inputs.get(str(source))
    if read is None:
        message = (
            f"output `{name}` is the error of `{wanted}`, but the data does not say which input `{wanted}` reconstructs"
        )
        fix = Fix(f"add `data: {{outputs: {{{wanted}: {{of: {next(iter(inputs), 'x')}}}}}}}`")
        _report(report, message, node.span, name, fix)
        return None
    order = matching_order(_sizes(read), _sizes(said))
    if order is None or not read.dtype.startswith("float"):
        return None  # which NN587 tells
    said_over = body.get("over")
    over: list[str] | None = None if said_over is None else to_plain(said_over)
    names = [axis.name for axis in said.axes]
    strange = [axis for axis in over or () if axis not in names]
    if strange:
        message = f"`over` of output `{name}` names axis `{strange[0]}`, which `{wanted}` does not have"
        hint = did_you_mean(strange[0], names)
        _report(report, message + hint, body.entries["over"].span, name, Fix(f"its axes: {enumerated(names)}"))
        return None
    reduced = [i for i, axis in enumerate(names) if over is None or axis in over]
    pad_value, axis = _padding(root, str(source)), sequence_axis(_sizes(read))
    step = None if pad_value is None or axis is None else order.index(ax.index_of(read.axes, axis) or 0)
    from nnspec.layers.merging.reconstruction_error import SQUARED, ReconstructionError  # few specs have a score

    error = str(_plain(root, "outputs", name, "error") or SQUARED)
    layer = ReconstructionError(order, reduced, error, step, pad_value or 0.0)
    return implied_node(layer, name, "error", (said, read), node.span, report)


def reduced_by(node: Node) -> tuple[int, ...]:
    """The axes of the reconstruction that an error is the mean over."""
    from nnspec.layers.merging.reconstruction_error import ReconstructionError

    return node.layer.reduced if isinstance(node.layer, ReconstructionError) else ()


def _padding(root: Mapping, name: str) -> float | None:
    """What pads the steps of an input; None where nothing does."""
    body = _plain(root, "data", "inputs", name)
    if not isinstance(body, dict) or (_plain(root, "data", "window") is not None and body.get("window", True)):
        return None
    found = body.get("pad_value", 0.0 if "lengths" in body else None)
    return None if found is None else float(found)


def _plain(root: Mapping, *path: str) -> object:
    node: object = root
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return None if node is None else to_plain(node)  # type: ignore[arg-type]


def _sizes(value: Value) -> tuple[tuple[str, int | str | None], ...]:
    return tuple((axis.name, ax.size_to_json(axis.size)) for axis in value.axes)


def _report(report: Report, message: str, span: Span, name: str, *fixes: Fix) -> None:
    report.add(Diagnostic("NN588", message, span, path=f"outputs.{name}", fixes=fixes))
