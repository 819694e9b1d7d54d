"""Builds the graph from items: infers every node's axes, dtypes and weights, without a framework.

A node that cannot be inferred gives one diagnostic; nodes that depend on it are skipped without a diagnostic.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nnspec.diagnostics import (
    AxisRef,
    CompilerBug,
    Diagnostic,
    Edit,
    Fix,
    NodeRef,
    Related,
    Report,
    SpecError,
    did_you_mean,
    nearest,
)
from nnspec.document import Mapping, Scalar, format_path, to_plain
from nnspec.document import Node as SourceNode
from nnspec.expansion.fixes import settle_fixes
from nnspec.expansion.items import Expanded, Item
from nnspec.expansion.naming import Reference
from nnspec.inference.anomalies import check_keys, is_error, with_errors
from nnspec.inference.declared import declared_batches, declared_units
from nnspec.inference.heads import gives_scores, head_function
from nnspec.inference.levels import behind_head
from nnspec.inference.node import check_inputs, freeze_weights, infer, make_call, make_node
from nnspec.inference.outputs import make_output
from nnspec.inference.places import Declarations
from nnspec.inference.unused import check_unread, unused_layers
from nnspec.ir import axes as ax
from nnspec.ir.axes import Size, Symbolic
from nnspec.ir.graph import Graph, Node, Output, Value
from nnspec.ir.layer_failure import failure, say
from nnspec.ir.receptive_field import initial_fields
from nnspec.ir.size_limits import describe_oversized, is_too_large, report_declared_size
from nnspec.layers.kit.base import Call, Fault, Inferred, Layer
from nnspec.layers.kit.call import Maker
from nnspec.layers.registry import REGISTRY


def elaborate(expanded: Expanded, report: Report, *, is_guess: bool = False, folder: Path | None = None) -> Graph:
    """The graph of a document; incomplete where `report` has errors.

    Args:
        is_guess: the document has faults against the schema, so that a rule may fail: its node is left out.
        folder: the spec's folder, below which files of constants lie; None: no file is looked at.
    """
    return _Elaborator(expanded, report, is_guess, folder).run()


class _Elaborator:
    def __init__(self, expanded: Expanded, report: Report, is_guess: bool = False, folder: Path | None = None) -> None:
        self.is_guess = is_guess
        self.folder = folder
        self.expanded = expanded
        self.report = report
        self.values: dict[str, dict[str, Value] | None] = {}
        self.nodes: dict[str, Node] = {}
        self.order: list[Node] = []
        self.shared: dict[str, Node] = {}
        self.constraints: list[str] = []
        self.ordered_axes: set[str] = set()
        self.makers: dict[str, Maker] = {}
        self.readers = self.find_reader_kinds()
        self.declarations = Declarations()
        self.faults: dict[str, Diagnostic] = {}  # of each item that could not be inferred
        self.sources: list[Reference | None] = []  # what each output reads; None if it does not exist

    def find_reader_kinds(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for item in self.expanded.items:
            for reference in item.reads:
                if reference is not None:
                    result.setdefault(reference.key, []).append(item.kind)
        outputs = self.expanded.root.get("outputs")
        for body in outputs.entries.values() if isinstance(outputs, Mapping) else ():
            if is_error(body):
                continue
            source = to_plain(body.entries["from"]) if isinstance(body, Mapping) and "from" in body.entries else None
            key = source if isinstance(source, str) else (self.expanded.final.key if self.expanded.final else "")
            key = self.expanded.known.get(key.partition(".")[0]) or key
            result.setdefault(key, []).append("output")
        return result

    def run(self) -> Graph:
        root = self.expanded.root
        with self.report.refined(self.declarations.refine):
            inputs = self.declare_inputs(root.get("inputs"))
            for item in self.expanded.items:
                self.elaborate_item(item)
        settle_fixes(self.expanded.items, self.faults, self.report)
        outputs = self.read_outputs(root.get("outputs"))
        self.report.extend(check_unread(self.expanded, self.nodes, self.sources))
        left_out = set() if self.report.has_errors else unused_layers(self.expanded, self.sources)
        order = tuple(node for node in self.order if node.name not in left_out)
        name_node = root.get("name")
        inputs_node = root.get("inputs")
        spans = {n: inputs_node.key_span(n) for n in inputs} if isinstance(inputs_node, Mapping) else {}
        if len(self.constraints) > 1:
            from nnspec.ir.symbols import without_implied  # few networks have axes of open size

            self.constraints = list(without_implied(self.constraints))
        return Graph(
            name=str(name_node.value) if isinstance(name_node, Scalar) and name_node.value else "model",
            inputs=inputs,
            nodes=order,
            outputs=outputs,
            input_spans=spans,
            constraints=tuple(self.constraints),
            batches=declared_batches(inputs_node),
            units=declared_units(inputs_node),
        )

    # ---------------------------------------------------------------------------------------------- inputs

    def declare_inputs(self, node: SourceNode | None) -> dict[str, Value]:
        result: dict[str, Value] = {}
        if not isinstance(node, Mapping):
            return result
        for name, body in node.entries.items():
            self.declarations.places[name] = node.key_span(name)
            self.declarations.inputs.add(name)
            axes_node = body.get("axes") if isinstance(body, Mapping) else None
            if not isinstance(axes_node, Mapping):
                continue
            axes = []
            for place, (axis_name, size_node) in enumerate(axes_node.entries.items()):
                if axis_name == "batch" or (axis_name == "sample" and place == 0 and not _is_signal(axes_node)):
                    self.report.add(
                        Diagnostic(
                            "NN307",
                            f"input `{name}` declares `{axis_name}`, but the batch axis is implicit",
                            axes_node.key_span(axis_name),
                            path=format_path(("inputs", name, "axes", axis_name)),
                            fixes=(Fix(f"remove `{axis_name}`; the batch size belongs under `training:`"),),
                            about=(NodeRef(name), AxisRef(axis_name)),
                        )
                    )
                    continue
                self.declarations.places[f"{name}.{axis_name}"] = axes_node.key_span(axis_name)
                size = self.read_size(to_plain(size_node), axis_name)
                if is_too_large(size):
                    where = format_path(("inputs", name, "axes", axis_name))
                    self.report.add(report_declared_size(axis_name, size, size_node.span, where))
                axes.append(ax.fresh(axis_name, size, name, origin=axis_name))
            dtype_node = body.get("dtype") if isinstance(body, Mapping) else None
            dtype = str(to_plain(dtype_node)) if dtype_node else "float32"
            value = Value(node=name, axes=tuple(axes), dtype=dtype, fields=initial_fields(tuple(axes)))
            result[name] = value
            self.values[name] = {"output": value}
        return result

    def read_size(self, value: object, axis: str) -> Size:
        if isinstance(value, int | float):
            return int(value)
        return Symbolic.symbol(str(value) if value else axis)

    # ---------------------------------------------------------------------------------------------- nodes

    def resolve(self, reference: Reference | None) -> Value | None:
        if reference is None:
            return None
        ports = self.values.get(reference.key)
        if ports is None:
            return None
        if reference.port is None:
            return next(iter(ports.values()))
        if reference.port in ports:
            return ports[reference.port]
        known = ", ".join(f"`{p}`" for p in ports)
        place = self.declarations.places.get(reference.key)
        self.report.add(
            Diagnostic(
                "NN401",
                f"`{reference.key}` has no output `{reference.port}`{did_you_mean(reference.port, ports)}",
                reference.span,
                notes=(f"it has {known}",),
                related=(Related(place, "defined here", reference.key),) if place is not None else (),
                fixes=tuple(
                    Fix(f"read `{close}`", (Edit(reference.span, f"{reference.span.text.partition('.')[0]}.{close}"),))
                    for close in nearest(reference.port, ports)
                ),
                about=(NodeRef(reference.key),),
            )
        )
        return None

    def elaborate_item(self, item: Item) -> None:
        self.values[item.name] = None
        layer = REGISTRY.get(item.kind)
        inputs = [self.resolve(reference) for reference in item.reads]
        if layer is None or any(value is None for value in inputs):
            return
        known = tuple(value for value in inputs if value is not None)
        self.declarations.reads = known
        self.declarations.places[item.name] = item.kind_span
        call = self.build_call(item, layer, known)
        try:
            self.check_arity(call, layer)
            check_inputs(call, layer)
            inferred = infer(layer, call)
            self.add_assumed(item, call)
            node = self.build_node(item, layer, call, inferred)
            if self.is_guess and any(None in weight.shape for weight in node.weights):
                return
            for message in describe_oversized(node):
                call.fail("NN210", message)
            if item.shared is not None:
                self.check_shared(item, node, call)
        except Fault as fault:
            self.add_assumed(item, call)
            self.faults[item.name] = fault.diagnostic
            self.report.add(fault.diagnostic)
            return
        except (SpecError, CompilerBug):
            raise
        except (Exception, SystemExit) as error:
            if self.is_guess:
                return
            what = f"fails to infer `{item.name}`: {say(error)}"
            raise failure(layer, None, item.span, what) from error
        self.nodes[item.name] = node
        self.order.append(node)
        self.values[item.name] = {value.port: value for value in node.outputs}

    def add_assumed(self, item: Item, call: Call) -> None:
        """The faults after which the layer went on."""
        for diagnostic in call.assumed:
            self.faults[item.name] = diagnostic
            self.report.add(diagnostic)
        call.assumed.clear()

    def build_call(self, item: Item, layer: Layer, inputs: tuple[Value, ...]) -> Call:
        call = make_call(
            layer, item.name, item.kind_span, item.span, item.body, inputs, self.report, item.path, self.constraints
        )
        call.reader_kinds = tuple(self.readers.get(item.name, ()))
        call.ordered_axes, call.makers, call.folder = self.ordered_axes, self.makers, self.folder
        self.makers[item.name] = Maker(layer, item.kind_span, item.body)
        return call

    def check_arity(self, call: Call, layer: Layer) -> None:
        least, most = layer.arity
        count = len(call.inputs) - len(call.given.intersection(layer.references))
        if count < least or (most is not None and count > most):
            wanted = f"{least}" if most == least else (f"at least {least}" if most is None else f"{least} to {most}")
            call.fail(
                "NN404",
                f"`{call.kind}` takes {wanted} input{'s' if wanted != '1' else ''}, but it has {count}",
                "from",
                notes=[layer.arity_note] if layer.arity_note else [],
                fixes=[Fix("name its inputs: `from: [a, b]`")] if count < least else [],
            )

    def build_node(self, item: Item, layer: Layer, call: Call, inferred: Inferred) -> Node:
        node = make_node(layer, item.name, call, inferred, item.span, item.path, item.shared)
        return freeze_weights(node) if item.is_frozen and node.weights else node

    def check_shared(self, item: Item, node: Node, call: Call) -> None:
        assert item.shared is not None
        first = self.shared.setdefault(item.shared, node)
        if first is not node and node.is_stateful:
            call.fail(
                "NN208",
                f"shared layer `{item.shared}` is stateful, so its second use would continue from the state of "
                f"the first",
                notes=[f"it is first used at `{first.name}`"],
                fixes=[Fix("use a separate layer each time, or remove `stateful`")],
            )
        if [w.shape for w in first.weights] != [w.shape for w in node.weights]:
            here = ", ".join(f"{w.name} {w.shape}" for w in node.weights)
            there = ", ".join(f"{w.name} {w.shape}" for w in first.weights)
            call.fail(
                "NN406",
                f"shared layer `{item.shared}` would need two sets of weights: {there} at `{first.name}`, {here} here",
                notes=[
                    f"its input is {ax.describe(first.inputs[0].axes)} there and "
                    f"{ax.describe(node.inputs[0].axes)} here"
                ],
                related=[
                    Related(self.declarations.places[first.name], "its weights are created here, at its first use")
                ],
                about=[item.shared, first.name],
            )

    # ---------------------------------------------------------------------------------------------- outputs

    def read_outputs(self, node: SourceNode | None) -> dict[str, Output]:
        result: dict[str, Output | None] = {}
        if not isinstance(node, Mapping):
            return {}
        for name, body in node.entries.items():
            if not isinstance(body, Mapping):
                continue
            check_keys(name, body, self.report)
            source = body.get("from")
            if is_error(body):
                result[name] = None  # those that it is the error of come first
                continue
            reference = self.expanded.final
            if isinstance(source, Scalar) and isinstance(source.value, str):
                reference = self.resolve_output(source)
            self.sources.append(reference)
            value = self.resolve(reference)
            if value is None:
                continue
            levels, behind = behind_head(name, value, body, node.key_span(name), self.report)
            self.order += behind
            value = behind[-1].outputs[0] if behind else value
            output = make_output(name, value, body, node.key_span(name), self.report, levels)
            if not self.is_guess and output.is_trained:  # whose task and loss may be anything
                function, _ = head_function(self.order, output)
                output = replace(output, gives_scores=gives_scores(function, output))
            result[name] = output
        inputs = {name: ports["output"] for name in self.declarations.inputs if (ports := self.values.get(name))}
        return with_errors(result, node, self.expanded.root, inputs, self.order, self.report)

    def resolve_output(self, source: Scalar) -> Reference | None:
        local, _, port = str(source.value).partition(".")
        known = {**self.expanded.known, **{item.name: item.name for item in self.expanded.items}}
        if local in known:
            key = known[local]
            return Reference(key, port or None, source.span) if key else None
        self.report.add(
            Diagnostic(
                "NN401",
                f"no layer or input is named `{local}`{did_you_mean(local, known)}",
                source.span,
                fixes=tuple(
                    Fix(f"use `{close}`", (Edit(source.span, close + (f".{port}" if port else "")),))
                    for close in nearest(local, known)
                ),
                notes=("nodes: " + ", ".join(f"`{n}`" for n in list(known)[-12:]),),
                about=(NodeRef(local),),
            )
        )
        return None


def _is_signal(axes: Mapping) -> bool:
    """Whether a first axis `sample` may be that of a recording, which has nothing but channels behind it."""
    return all(name in ("channel", "channels") for name in list(axes.entries)[1:])
