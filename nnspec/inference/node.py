"""Infers one use of a layer: completes its arguments, calls `infer`, and builds a node."""

from __future__ import annotations

from dataclasses import replace

from nnspec.diagnostics import CompilerBug, Fix, Report, Span, SpecError
from nnspec.document import Mapping, Scalar, Sequence, to_plain
from nnspec.document import Node as SourceNode
from nnspec.inference.alignment import warn_of_misalignment
from nnspec.inference.padding import check_nested_mask, passed_outer, warn_of_padding
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node, Value, Weight
from nnspec.ir.layer_failure import failure, say
from nnspec.ir.receptive_field import propagate
from nnspec.layers.kit.args import REQUIRED
from nnspec.layers.kit.base import Call, Fault, Inferred, Layer
from nnspec.layers.kit.weight_objects import check_weight_objects
from nnspec.layers.registry import REGISTRY

COMMON = frozenset({"name", "from", "as", "over", "when", "trainable"})


def infer(layer: Layer, call: Call) -> Inferred:
    """What a layer infers; what one of another package returns is checked, since nothing else has seen it.

    Raises:
        Fault: as `Layer.infer`.
        TypeError: where it returns anything else.
    """
    inferred = layer.infer(call)
    if not layer.package:
        return inferred
    if not isinstance(inferred, Inferred):
        raise TypeError(f"`infer` returns {type(inferred).__name__}, but must return an `Inferred`")
    for axes in inferred.outputs:
        if not isinstance(axes, tuple) or not all(isinstance(axis, Axis) for axis in axes):
            raise TypeError("`Inferred.outputs` must have a tuple of `Axis` for each output, such as `(call.axes,)`")
    if not all(isinstance(weight, Weight) for weight in inferred.weights):
        raise TypeError("`Inferred.weights` must consist of `Weight`, such as `(Weight('scale', (3,)),)`")
    return inferred


def make_call(
    layer: Layer,
    name: str,
    kind_span: Span,
    item_span: Span,
    body: Mapping | None,
    inputs: tuple[Value, ...],
    report: Report,
    path: tuple[str | int, ...],
    constraints: list[str],
) -> Call:
    """One use of a layer, arguments completed with defaults."""
    given = body.entries if body else {}
    args = {key: None if arg.default is REQUIRED else arg.default for key, arg in layer.args.items()}
    for key, node in given.items():
        target = layer.short if key == "" else key
        if target is not None and (target in layer.args or key not in COMMON):
            args[target] = layer.normalize(target, to_plain(node))
    axis_name = to_plain(given["as"]) if "as" in given else None
    over = to_plain(given["over"]) if "over" in given else None
    return Call(
        name=name,
        kind=layer.kind,
        kind_span=kind_span,
        item_span=item_span,
        body=body,
        inputs=inputs,
        args=args,
        report=report,
        path=path,
        axis_name=axis_name if isinstance(axis_name, str) else None,
        over=(over,) if isinstance(over, str) else (tuple(over) if over else None),
        infer_inner=infer_inner,
        constraints=constraints,
        item_body=body,
        makes_axis=layer.makes is not None,
        make_node=make_node,
    )


def check_inputs(call: Call, layer: Layer) -> None:
    """Rejects what a layer cannot read, whatever its axes are.

    Raises:
        Fault: NN407 where a layer that computes is given text, NN367 for a mask within a mask.
    """
    words = next((value for value in call.inputs if value.dtype == "string"), None)
    if words is not None and not layer.reads_text:
        call.fail(
            "NN407",
            f"`{call.kind}` cannot take text, but `{words.node}` is text",
            fixes=[Fix("convert the text to numbers first, with `StringLookup` or `TextVectorization`")],
            about=[words.node],
        )
    check_nested_mask(call, layer)


def make_node(
    layer: Layer,
    name: str,
    call: Call,
    inferred: Inferred,
    span: Span,
    path: tuple[str | int, ...],
    shared: str | None = None,
) -> Node:
    check_weight_objects(call, layer.args, inferred.weights, inferred.outputs[0])
    fields = {} if inferred.is_constant else propagate(call.inputs, inferred.outputs, inferred.windows)
    if layer.pairs_positions:
        warn_of_misalignment(call, inferred.end_to_end)
    masks = inferred.masks or (inferred.mask,)
    outer = inferred.outer or tuple(passed_outer(call, mask, inferred.outputs[0]) for mask in masks)
    values = []
    for i, axes in enumerate(inferred.outputs):
        port = inferred.ports[i] if i < len(inferred.ports) else f"output_{i}"
        dtype = inferred.dtypes[i] if i < len(inferred.dtypes) else call.input.dtype
        values.append(
            Value(
                node=name,
                axes=axes,
                dtype=dtype,
                port=port,
                mask=masks[i] if i < len(masks) else None,
                outer=outer[i] if i < len(outer) else (),
                fields=fields,
                is_zero_at_padding=inferred.is_zero_at_padding
                or (layer.is_training_only and call.input.is_zero_at_padding),
            )
        )
    node = Node(
        name=name,
        layer=layer,
        args={**call.args, **inferred.keras},
        inputs=call.inputs,
        outputs=tuple(values),
        weights=inferred.weights,
        span=span,
        path=path,
        formula=inferred.formula,
        notes=inferred.notes,
        inner=inferred.inner,
        shared=shared,
        backward=inferred.backward,
        windows=inferred.windows,
        cells=inferred.cells,
        given=call.given,
    )
    warn_of_padding(call, node)
    said = call.node("trainable")
    return freeze_weights(node) if said is not None and to_plain(said) is False else node


def freeze_weights(node: Node) -> Node:
    """The node with weights that training leaves as they are, those that it declares among them."""
    args = {**node.args, "trainable": False}
    if "own" in args:
        args["own"] = tuple(replace(weight, is_trainable=False) for weight in args["own"])
    return replace(node, args=args, weights=tuple(replace(weight, is_trainable=False) for weight in node.weights))


def infer_inner(
    call: Call,
    source: SourceNode,
    inputs: tuple[Value, ...],
    *,
    arg: str = "layer",
    over: tuple[str, ...] | None = None,
    stripped: str | None = None,
) -> Node:
    """The layer inside a wrapper, as a separate node with the wrapper's name.

    Args:
        arg: the wrapper's argument that holds it.
        over: the axes that the wrapper says it runs along, where it speaks for the wrapped layer.
        stripped: the axis that the wrapper goes over, which the wrapped layer does not read.

    Raises:
        Fault: if it does not fit, at its span.
    """
    if isinstance(source, Mapping) and len(source.entries) == 1:
        kind, body = next(iter(source.entries.items()))
        kind_span = source.key_span(kind)
    elif isinstance(source, Scalar) and isinstance(source.value, str):
        kind, body, kind_span = source.value, None, source.span
    else:
        call.fail("NN207", f"`{call.kind}` wraps one layer", arg)
    layer = REGISTRY[kind]
    mapping = body if isinstance(body, Mapping) else None
    if isinstance(body, Sequence) or (isinstance(body, Scalar) and body.value is not None):
        mapping = Mapping({"": body}, {"": Scalar("", kind_span)}, body.span)
    inner = make_call(
        layer,
        call.name,
        kind_span,
        call.item_span,
        mapping,
        inputs,
        call.report,
        (*call.path, call.kind, arg),
        call.constraints,
    )
    inner.over = inner.over or over
    inner.item_body = call.item_body
    inner.stripped = (*call.stripped, *([] if stripped is None else [stripped]))
    inner.reader_kinds = call.reader_kinds
    inner.ordered_axes = call.ordered_axes
    inner.makers = call.makers if stripped is None else {}
    check_inputs(inner, layer)
    try:
        inferred = infer(layer, inner)
    except (Fault, SpecError, CompilerBug):
        raise
    except (Exception, SystemExit) as error:
        what = f"fails to infer `{call.name}`: {say(error)}"
        raise failure(layer, None, call.item_span, what) from error
    made = make_node(layer, call.name, inner, inferred, call.item_span, inner.path)
    if layer.adapts(made) and not REGISTRY[call.kind].adapts_within:
        inner.fail(
            "NN208",
            f"`{kind}` learns from the training data, which is not possible inside `{call.kind}`",
            fixes=[Fix(f"put it before `{call.kind}`, or set its statistics or vocabulary explicitly")],
        )
    return made
