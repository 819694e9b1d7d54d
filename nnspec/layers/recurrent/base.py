"""The base of layers that step along a sequence: axes, states, and the ONNX lowering."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis, Size
from nnspec.ir.graph import Node, Value, Weight
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.recurrent.cudnn import check_cudnn, require_gpu
from nnspec.layers.recurrent.explanations import gate_sentences, step_sentences
from nnspec.layers.recurrent.gates import Gates
from nnspec.layers.recurrent.onnx_loop import is_written_out
from nnspec.layers.recurrent.reading import read_steps
from nnspec.layers.recurrent.states import StateSpec
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor
    from nnspec.layers.recurrent.cell_types import AnyCell


class Recurrent(Layer):
    """A layer that reads a sequence step by step and carries a state."""

    makes = "unit"
    steps = True
    every_step_argument = "return_sequences"
    uses_mask = True
    keeps_state = True
    loses_mask_with_states = True
    arity = (1, None)

    def infer_sequence(
        self,
        call: Call,
        output: Axes,
        states: Sequence[StateSpec],
        *,
        windows: Mapping[int, Window],
        notes: Sequence[str] = (),
        **inferred: Any,
    ) -> Inferred:
        """What is made of the first axis' steps.

        Args:
            output: the axes that a step makes.
            windows: of the axes behind the first.
            inferred: more of `Inferred`.
        """
        step = call.axes[0]
        check_initial_states(call, states)
        if call.args.get("unroll") and not isinstance(step.size, int):
            call.require_size(step, "`unroll` writes out every step")
        is_backwards, is_sequence = call.args["go_backwards"], call.args["return_sequences"]
        extra = states if call.args["return_state"] else ()
        reads_ahead = is_backwards or not is_sequence
        if is_backwards and is_sequence:
            notes = [*notes, f"outputs the steps of `{step.name}` from last to first"]
        axes = (self.step_axis(call, step), *output) if is_sequence else output
        return Inferred(
            (call.require_unique(axes), *(state.axes for state in extra)),
            ports=("output", *(state.name for state in extra)),
            windows={0: Window(None, -1 if is_backwards and is_sequence else 1, None if reads_ahead else 0), **windows},
            mask=call.input.mask if is_sequence else None,
            notes=tuple(notes),
            **inferred,
        )

    def step_axis(self, call: Call, step: Axis) -> Axis:
        """The step axis of the output; reversed steps are positions of their own."""
        return ax.resized(step, step.size, call.name) if call.args["go_backwards"] else step

    @abstractmethod
    def states_of(self, node: Node) -> tuple[StateSpec, ...]:
        """What its steps hand on."""

    def state_axes(self, node: Node) -> Mapping[str, Axes]:
        is_kept = node.args["stateful"] and len(node.inputs) == 1
        return {state.port(node): state.axes for state in self.states_of(node)} if is_kept else {}

    def nested(self, node: Node, states: list[KerasTensor]) -> list[KerasTensor]:
        """States in the structure in which Keras' layer takes them."""
        return states

    def why(self, node: Node) -> dict[str, str]:
        return step_sentences(node, [state.name for state in self.states_of(node)])

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        return call_recurrent(layer, tensors, lambda states: self.nested(node, states))

    # -------------------------------------------------------------------------------------------- ONNX

    def loop_reason(self, node: Node) -> str | None:
        """Why no ONNX op runs its steps; None where one does."""
        return None

    def control_flow(self, node: Node) -> Mapping[str, str]:
        return loop_needs(self.loop_reason(node), node.inputs[0].axes[0].size)

    @abstractmethod
    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        """What runs in one direction, from the input to the output."""

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.recurrent.onnx_run import run_layer

        return run_layer(lowering, self, node, inputs)


class GatedRecurrent(Recurrent, Gates):
    """LSTM, GRU and SimpleRNN: one cell, with its arguments."""

    def why(self, node: Node) -> dict[str, str]:
        return {**super().why(node), **gate_sentences(node, self.gates, self.states)}

    def infer(self, call: Call) -> Inferred:
        read_steps(call)
        call.require_float()
        check_cudnn(call)
        step, feature = call.axes
        features = call.require_size(feature, "its kernel has a row for each position")
        made = ax.fresh(call.axis_name or "unit", call.args["units"], call.name, is_learned=True)
        return self.infer_sequence(
            call,
            (made,),
            [StateSpec(name, (made,)) for name in self.states],
            windows={1: WHOLE},
            notes=loop_notes(self.foreign_reason(call.args), step.size),
            weights=self.weights_rule(call.args, features),
            formula=self.formula(call.args, features),
        )

    def to_keras(self, node: Node) -> KerasCallable:
        require_gpu(node)
        is_zeroed = node.inputs[0].mask is not None and node.args["zero_output_for_mask"]
        return super().to_keras(without_unrolling(node) if is_zeroed else node)

    def states_of(self, node: Node) -> tuple[StateSpec, ...]:
        unit = node.outputs[0].axes[-1]
        return tuple(StateSpec(name, (unit,)) for name in self.states)

    def loop_reason(self, node: Node) -> str | None:
        return self.foreign_reason(node.args)

    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        return [self.cell(node.args, weights, is_backwards=is_backwards)]


def states_of_both(forward: Node, backward: Node) -> tuple[StateSpec, ...]:
    """The states of the two directions, forwards first."""
    result = []
    for direction, node in (("forward", forward), ("backward", backward)):
        assert isinstance(node.layer, Recurrent)
        result += [StateSpec(f"{direction}_{state.name}", state.axes) for state in node.layer.states_of(node)]
    return tuple(result)


def loop_needs(reason: str | None, steps: Size) -> dict[str, str]:
    """The control flow that steps without an ONNX op need: none where they can be written out."""
    if reason is None or is_written_out(steps):
        return {}
    return {"Scan": f"{reason}, and {_too_many(steps)}"}


def loop_notes(reason: str | None, steps: Size) -> list[str]:
    """What `show` says of steps that no ONNX op runs."""
    if reason is None:
        return []
    if is_written_out(steps):
        return [f"written out step by step in ONNX: {reason}"]
    return [f"a Scan in ONNX: {reason}, and {_too_many(steps)}"]


def _too_many(steps: Size) -> str:
    if isinstance(steps, int):
        return f"{steps} steps are too many to write out"
    return f"the number of steps `{steps}` is known only at run time"


def add_prefix(prefix: str, weights: Sequence[Weight]) -> tuple[Weight, ...]:
    return tuple(Weight(f"{prefix}{w.name}", w.shape, w.is_trainable) for w in weights)


def strip_prefix(prefix: str, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def check_initial_states(call: Call, states: Sequence[StateSpec]) -> None:
    """None of the states is given, or all are, each of its sizes."""
    given = call.inputs[1:]
    if not given:
        return
    if len(given) != len(states):
        call.fail(
            "NN404",
            f"`{call.kind}` takes {len(states)} initial state{'s' if len(states) > 1 else ''} "
            f"({', '.join(state.name for state in states)}) after its sequence, but `from` gives {len(given)}",
            "from",
        )
    for state, value in zip(states, given, strict=True):
        if ax.sizes(value.axes) == ax.sizes(state.axes):
            _warn_of_another_state(call, state, value)
            continue
        what = f"{state.axes[0].size} units" if len(state.axes) == 1 else f"axes {ax.describe(state.axes)}"
        call.fail(
            "NN311",
            (
                f"initial state `{state.name}` of `{call.kind}` must have {what}, but `from` gives "
                f"{ax.describe(value.axes)}"
            ),
            "from",
            fixes=_state_fixes(call, state, value),
            about=[*value.axes],
        )


_HALVES = ("forward_hidden", "backward_hidden")


def _warn_of_another_state(call: Call, state: StateSpec, value: Value) -> None:
    """NN340: the cell state of a layer as the hidden state of another, or one half's hidden state as its cell state."""
    wanted, found = state.name.rpartition("_")[2], value.port.rpartition("_")[2]
    is_swapped = (wanted, found) == ("hidden", "cell")
    is_other_half = wanted == "cell" and value.port in _HALVES
    if not is_swapped and not is_other_half:
        return
    order = ", ".join(f"`{name}`" for name in ("hidden", "cell"))
    fixes = [Fix(f"list the states in the order {order}")]
    if is_other_half:
        fixes = [
            Fix("join both halves of each state with a `Concatenate`, and give the layer as many units as both have")
        ]
    call.warn(
        "NN340",
        f"initial state `{state.name}` of `{call.kind}` is `{value.node}.{value.port}`, a state of another kind",
        "from",
        fixes=fixes,
        about=[value.node],
    )


def _state_fixes(call: Call, state: StateSpec, value: Value) -> list[Fix]:
    """Where a state of the right form comes from: that of the layer that gave its steps, or as many units."""
    size = value.axes[-1].size if value.axes else 1
    fixes = []
    if len(value.axes) > len(state.axes):
        ports = f"with `return_state: true` of `{value.node}`, list its states"
        fixes.append(Fix(f"a state is what is left after the last step: {ports}"))
    if len(state.axes) == 1 and "units" in call.args and size != state.axes[0].size:
        fixes.append(Fix(f"give `{call.kind}` as many units as the state has: `units: {size}`"))
        fixes.append(Fix(f"or project it to {state.axes[0].size} with a `Dense`"))
    return fixes


def without_unrolling(node: Node) -> Node:
    """The node with its steps in a loop: Keras zeroes masked steps at the wrong end where it writes them out backwards.

    Keras' own fault (keras.ops.rnn on TensorFlow: the mask is not turned round with the outputs); the loop has none.
    """
    return replace(node, args={**node.args, "unroll": False}) if node.args.get("unroll") else node


def call_recurrent(
    layer: KerasCallable, tensors: list[KerasTensor], nest: Callable[[list[KerasTensor]], list[KerasTensor]]
) -> KerasTensor:
    """Keras' outputs in a row. Keras passes a mask on by itself only where no initial state is given.

    Args:
        nest: the initial states as the layer takes them.
    """
    from keras import tree
    from keras.src.backend import get_keras_mask

    if len(tensors) == 1:
        return tree.flatten(layer(tensors[0]))
    mask = get_keras_mask(tensors[0])
    return tree.flatten(layer(tensors[0], initial_state=nest(tensors[1:]), mask=mask))
