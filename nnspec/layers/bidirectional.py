"""Bidirectional."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec import axes as ax
from nnspec.graph import Node, Weight
from nnspec.layers import args as a
from nnspec.layers.base import Call, Inferred, Layer, Window, keras_name
from nnspec.layers.recurrent_base import Recurrent, call_recurrent, check_initial_states
from nnspec.layers.wrappers import keras_inner, layer_argument, layer_source, wrapped_kind

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and another one, with weights of its own, backwards, and joins their outputs.

    `merge_mode` says how: side by side (concat, forwards first, so the axis has 2 · units positions), by sum, mul or
    ave, or not at all (null: the outputs `forward` and `backward`). With `return_sequences` both stand at the step that
    they are of, and masked steps give zeros. With `return_state` the states follow: `forward_hidden`, `forward_cell`,
    `backward_hidden`, `backward_cell`. Further inputs are initial states in that order.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     those of the forward layer, then those of the backward layer
    """

    kind = "Bidirectional"
    makes = "unit"
    steps = True
    uses_mask = True
    arity = (1, 5)
    args = {
        "layer": a.Arg(
            layer_argument("The LSTM, GRU or SimpleRNN that runs forwards."), "The layer that runs forwards."
        ),
        "merge_mode": a.choice(
            "How the two outputs are joined; null: not.", ["sum", "mul", "concat", "ave", None], "concat"
        ),
        "weights": a.Arg({"type": "null"}, "Not used: weights come from training.", None),
        "backward_layer": a.Arg(
            layer_argument("The layer that runs backwards; it needs `go_backwards: true`."),
            "The layer that runs backwards, with `go_backwards: true`; default: one like `layer`.",
            None,
        ),
    }

    def infer(self, call: Call) -> Inferred:
        forward = self.wrapped(call, "layer")
        given = self.wrapped(call, "backward_layer") if call.node("backward_layer") is not None else None
        backward = given or forward
        self.check_pair(call, forward, given)
        self.check_states(call, forward, backward)
        names = state_names(forward, backward)
        units = forward.args["units"]
        mode = call.args["merge_mode"]
        made = ax.fresh(
            call.axis_name or forward.outputs[0].axes[-1].name,
            2 * units if mode == "concat" else units,
            call.name,
            is_learned=True,
        )
        state = forward.outputs[-1].axes if forward.args["return_state"] else ()
        is_sequence = forward.args["return_sequences"]
        output = call.require_unique((call.axes[0], made) if is_sequence else (made,))
        ports: tuple[str, ...] = ("output",) if mode else ("forward", "backward")
        extra = [name for direction in names for name in direction] if forward.args["return_state"] else []
        mask = call.input.mask if is_sequence else None
        return Inferred(
            (*(output for _ in ports), *(state for _ in extra)),
            ports=(*ports, *extra),
            weights=tuple(
                Weight(f"{direction}_{w.name}", w.shape, w.is_trainable)
                for direction, node in (("forward", forward), ("backward", backward))
                for w in node.weights
            ),
            formula=f"2·({forward.formula})" if given is None else f"{forward.formula} + {backward.formula}",
            windows={0: Window(None, ahead=None), 1: Window(None, ahead=None)},
            masks=tuple(mask for _ in ports),
            inner=forward,
            backward=given,
        )

    def wrapped(self, call: Call, arg: str) -> Node:
        from nnspec.layers import REGISTRY

        source = layer_source(call, arg)
        kind = wrapped_kind(source)
        if not isinstance(REGISTRY[kind], Recurrent):
            call.fail("NN207", f"`Bidirectional` wraps an LSTM, GRU or SimpleRNN, not `{kind}`", arg)
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
        keeps_states = forward.args["return_state"] or forward.args["stateful"]
        if keeps_states and backward.kind != forward.kind:
            call.fail(
                "NN208",
                f"`Bidirectional` cannot keep the states of two kinds of layers: {forward.kind} and {backward.kind}",
                "backward_layer",
            )
        for name in ("units", "return_sequences", "return_state", "stateful"):
            here, there = backward.args[name], forward.args[name]
            if here != there:
                call.fail(
                    "NN208",
                    f"the two layers of `Bidirectional` differ in `{name}`: {_said(there)} and {_said(here)}",
                    "backward_layer",
                )

    def check_states(self, call: Call, forward: Node, backward: Node) -> None:
        names = tuple(name for direction in state_names(forward, backward) for name in direction)
        check_initial_states(call, names, forward.args["units"])

    # -------------------------------------------------------------------------------------------- Keras

    def to_keras(self, node: Node) -> Callable[..., Any]:
        import keras

        assert node.inner is not None
        backward = keras_inner(node.backward) if node.backward is not None else None
        return keras.layers.Bidirectional(  # type: ignore[no-any-return]
            keras_inner(node.inner),
            merge_mode=node.args["merge_mode"],
            backward_layer=backward,
            name=keras_name(node.name),
        )

    def call_keras(self, layer: Callable[..., Any], node: Node, tensors: list[Any]) -> Any:
        return call_recurrent(layer, tensors)

    # -------------------------------------------------------------------------------------------- ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.bidirectional_onnx import run_both

        return run_both(lowering, node, inputs)


def state_names(forward: Node, backward: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the states of the two directions are called."""

    def names(direction: str, node: Node) -> tuple[str, ...]:
        assert isinstance(node.layer, Recurrent)
        return tuple(f"{direction}_{state}" for state in node.layer.states)

    return names("forward", forward), names("backward", backward)


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


LAYERS = (Bidirectional(),)
