"""Bidirectional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.diagnostics.values import as_yaml
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.recurrent.base import (
    Recurrent,
    add_prefix,
    call_recurrent,
    check_initial_states,
    states_of_both,
    without_unrolling,
)
from nnspec.layers.wrappers.time_distributed import keras_inner, layer_argument, layer_source, wrapped_kind

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a second one, with separate weights, backwards, and joins their outputs.

    `merge_mode` says how: concatenated (concat, forwards first, so the axis has 2 · units positions), by sum, mul or
    ave, or not at all (null: the outputs `forward` and `backward`). With `return_sequences` both are aligned by
    step, and masked steps give zeros. With `return_state` the states follow: `forward_hidden`, `forward_cell`,
    `backward_hidden`, `backward_cell`. Further inputs are initial states in that order.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     those of the forward layer, then those of the backward layer
    """

    kind = "Bidirectional"
    loses_mask_with_states = True
    makes = "unit"
    steps = True
    runs_both_ways = True
    uses_mask = True
    arity = (1, None)
    args = {
        "layer": a.Arg(
            layer_argument("The LSTM, GRU, SimpleRNN, RNN or ConvLSTM that runs forwards."),
            "The layer that runs forwards.",
        ),
        "merge_mode": a.choice(
            "How to join the two outputs; null: keep both.", ["sum", "mul", "concat", "ave", None], "concat"
        ),
        "weights": a.Arg({"type": "null"}, "Not used: weights come from training.", None),
        "backward_layer": a.Arg(
            layer_argument("The layer that runs backwards; it needs `go_backwards: true`."),
            "The layer that runs backwards, with `go_backwards: true`; default: one like `layer`.",
            None,
        ),
    }

    def from_keras(self, config: Args) -> Args:
        """Without what the wrapper sets by itself, and without a backward layer that is like the forward one."""
        wrapped = {key: _without_mask_output(config.get(key)) for key in ("layer", "backward_layer")}
        said = {**config, **wrapped}
        return {**said, "backward_layer": None} if _is_mirrored(said) else said

    def infer(self, call: Call) -> Inferred:
        forward = self.infer_wrapped(call, "layer")
        given = self.infer_wrapped(call, "backward_layer") if call.node("backward_layer") is not None else None
        backward = given or forward
        self.check_pair(call, forward, given)
        states = states_of_both(forward, backward)
        check_initial_states(call, states)
        is_sequence, mode = forward.args["return_sequences"], call.args["merge_mode"]
        last = forward.outputs[0].axes[-1]
        if mode == "concat" and not last.is_learned:
            call.fail(
                "NN208",
                f"Keras' `Bidirectional` joins two outputs along the last axis, which is `{last.name}` with "
                f"`data_format: channels_first`",
                "merge_mode",
                fixes=[Fix("use another `merge_mode`, such as sum, or `data_format: channels_last`")],
            )
        size = ax.multiply((2, last.size)) if mode == "concat" else last.size
        made = ax.fresh(call.axis_name or last.name, size, call.name, is_learned=True)
        first = (call.axes[0],) if is_sequence else ()  # the backward layer's steps are reversed again
        output = call.require_unique((*first, *forward.outputs[0].axes[len(first) : -1], made))
        ports: tuple[str, ...] = ("output",) if mode else ("forward", "backward")
        extra = states if forward.args["return_state"] else ()
        mask = call.input.mask if is_sequence else None
        return Inferred(
            (*(output for _ in ports), *(state.axes for state in extra)),
            ports=(*ports, *(state.name for state in extra)),
            weights=(*add_prefix("forward_", forward.weights), *add_prefix("backward_", backward.weights)),
            formula=f"2·({forward.formula})" if given is None else f"{forward.formula} + {backward.formula}",
            windows={**_seen_by_both(forward, backward), 0: WHOLE},
            masks=tuple(mask for _ in ports),
            notes=forward.notes,
            inner=forward,
            backward=given,
        )

    def runs_only_on_tensorflow(self, node: Node) -> bool:
        """Whether what it wraps does, with the mask that both directions are given."""
        inside = (replace(each, inputs=node.inputs) for each in (node.inner, node.backward) if each is not None)
        return any(each.layer.runs_only_on_tensorflow(each) for each in inside)

    def why(self, node: Node) -> dict[str, str]:
        assert node.inner is not None
        step = node.inputs[0].axes[0]
        each = node.inner.args.get("units") or node.inner.args.get("filters") or node.inner.outputs[0].axes[-1].size
        mode = node.args["merge_mode"]
        made = {
            "concat": f"Both results are concatenated, forwards first: {each} + {each} of "
            f"`{node.outputs[0].axes[-1].name}`.",
            None: "Both results are separate outputs, `forward` and `backward`.",
        }
        how = {"sum": "added", "mul": "multiplied", "ave": "averaged"}
        return {
            "layer": f"One `{node.inner.kind}` steps along `{step.name}` from first to last, a second one, with "
            "separate "
            "weights, from last to first.",
            "merge_mode": made[mode] if mode in made else f"Both results are {how[mode]}, number by number.",
        }

    def state_axes(self, node: Node) -> Mapping[str, ax.Axes]:
        forward = node.inner
        assert forward is not None
        is_kept = forward.args["stateful"] and len(node.inputs) == 1
        states = states_of_both(forward, node.backward or forward) if is_kept else ()
        return {state.port(node): state.axes for state in states}

    def infer_wrapped(self, call: Call, arg: str) -> Node:
        from nnspec.layers.registry import REGISTRY

        source = layer_source(call, arg)
        kind = wrapped_kind(source)
        if not isinstance(REGISTRY[kind], Recurrent):
            known = ", ".join(name for name, layer in REGISTRY.items() if isinstance(layer, Recurrent))
            call.fail(
                "NN207", f"`Bidirectional` wraps a layer that steps along a sequence ({known}), not `{kind}`", arg
            )
        assert call.infer_inner is not None
        return call.infer_inner(call, source, (replace(call.input, mask=None),), arg=arg, over=call.over)

    def check_pair(self, call: Call, forward: Node, backward: Node | None) -> None:
        if forward.args["go_backwards"]:
            call.fail("NN208", "the layer that `Bidirectional` runs forwards has `go_backwards: true`", "layer")
        if forward.args["stateful"] and forward.args["return_state"]:
            call.fail("NN208", "Keras' `Bidirectional` cannot both be stateful and return its states", "layer")
        if backward is None:
            return
        if not backward.args["go_backwards"]:
            call.fail("NN208", "the `backward_layer` of `Bidirectional` needs `go_backwards: true`", "backward_layer")
        keeps_states = forward.args["return_state"] or forward.args["stateful"] or len(call.inputs) > 1
        if keeps_states and _state_sizes(backward) != _state_sizes(forward):
            call.fail(
                "NN208",
                f"`Bidirectional` cannot keep the states of two different layers: {forward.kind} and {backward.kind}",
                "backward_layer",
            )
        for name in ("units", "filters", "return_sequences", "return_state", "stateful"):
            here, there = backward.args.get(name), forward.args.get(name)
            if here != there:
                call.fail(
                    "NN208",
                    f"the two layers of `Bidirectional` differ in `{name}`: {as_yaml(there)} and {as_yaml(here)}",
                    "backward_layer",
                )
        if ax.sizes(backward.outputs[0].axes) != ax.sizes(forward.outputs[0].axes):
            call.fail(
                "NN208",
                f"the two layers of `Bidirectional` make different axes: {ax.describe(forward.outputs[0].axes)} "
                f"and {ax.describe(backward.outputs[0].axes)}",
                "backward_layer",
            )

    # -------------------------------------------------------------------------------------------- Keras

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        assert node.inner is not None
        ready = without_unrolling if node.inputs[0].mask else lambda layer: layer  # masked steps give zeros here
        backward = keras_inner(ready(node.backward)) if node.backward is not None else None
        return keras.layers.Bidirectional(  # type: ignore[no-any-return]
            keras_inner(ready(node.inner)),
            merge_mode=node.args["merge_mode"],
            backward_layer=backward,
            name=keras_name(node.name),
        )

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        forward = node.inner
        assert forward is not None
        assert isinstance(forward.layer, Recurrent)
        kind, backward, half = forward.layer, node.backward or forward, (len(tensors) - 1) // 2
        assert isinstance(backward.layer, Recurrent)
        other = backward.layer
        made = call_recurrent(
            layer, tensors, lambda s: [*kind.nested(forward, s[:half]), *other.nested(backward, s[half:])]
        )
        for built, source in ((layer.forward_layer, forward), (layer.backward_layer, backward)):
            if source.args.get("trainable") is False:  # Keras' copies, and the cells in them, are trained again
                for part in built._flatten_layers():
                    part.trainable = False
        return made

    # -------------------------------------------------------------------------------------------- ONNX

    def control_flow(self, node: Node) -> Mapping[str, str]:
        both = (node.inner, node.backward)
        return {op: why for layer in both if layer is not None for op, why in layer.layer.control_flow(layer).items()}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.recurrent.onnx_bidirectional import run_both

        return run_both(lowering, node, inputs)


def _seen_by_both(forward: Node, backward: Node) -> dict[int, Window]:
    """How either direction sees the axes behind the first."""
    return {
        i: window if window == backward.windows.get(i) else Window(None, window.stride, None)
        for i, window in forward.windows.items()
    }


def _state_sizes(node: Node) -> list[tuple[ax.Size, ...]]:
    assert isinstance(node.layer, Recurrent)
    return [ax.sizes(state.axes) for state in node.layer.states_of(node)]


def _without_mask_output(layer: KerasLayer) -> KerasLayer:
    """The configuration of a wrapped layer without what the wrapper sets by itself."""
    if not isinstance(layer, Mapping):
        return layer
    return {**layer, "config": {key: value for key, value in layer["config"].items() if key != "zero_output_for_mask"}}


def _is_mirrored(config: Args) -> bool:
    """Whether the layer that runs backwards is the forward one but for its direction, which is the default."""
    forward, backward = config["layer"], config.get("backward_layer") or {}
    sides = [dict(side.get("config") or {}) for side in (forward, backward)]
    for side in sides:
        for key in ("name", "go_backwards", "trainable", "dtype"):
            side.pop(key, None)
    return not backward or (forward["class_name"] == backward.get("class_name") and sides[0] == sides[1])


LAYERS = (Bidirectional(),)
