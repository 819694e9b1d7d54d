"""The recurrent ops of ONNX: one `LSTM`, `GRU` or `RNN` node for all steps, in one or both directions.

The ops read (step, batch, feature) and give every step as (step, direction, batch, unit), the last state as
(direction, batch, unit). Gates differ from Keras' in their order, which `Recurrent.gate_order` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nnspec.graph import Node
from nnspec.layers.recurrent_mask import hold, pack, reverse
from nnspec.layers.recurrent_states import Starts, is_stateful, keep_state, kept, starts_of
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, View

Activation = tuple[str, float | None, float | None]

ACTIVATIONS: dict[str | None, Activation] = {
    None: ("Affine", 1.0, 0.0),
    "linear": ("Affine", 1.0, 0.0),
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "leaky_relu": ("LeakyRelu", 0.2, None),
    "elu": ("Elu", 1.0, None),
    "softsign": ("Softsign", None, None),
    "softplus": ("Softplus", None, None),
}
DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}


def op_activation(name: Any) -> Activation:
    """The op's name for a Keras activation, with alpha and beta.

    Raises:
        NotImplementedError: where the ops have no such activation.
    """
    if not (name is None or isinstance(name, str)) or name not in ACTIVATIONS:
        raise NotImplementedError(f"recurrent ops have no activation {name}")
    return ACTIVATIONS[name]


@dataclass(frozen=True, eq=False)
class Cell:
    """One direction of an op.

    Attributes:
        kernel: (feature, blocks · units), the blocks in the op's order.
        recurrent: (blocks · units, units).
        bias: of the input, then of the state: (2 · blocks · units), or None.
    """

    op: str
    units: int
    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray | None
    activations: tuple[Activation, ...]
    attributes: dict[str, Any]
    is_backwards: bool

    def fits(self, other: Cell) -> bool:
        """Whether one op can run both (activations may differ, a bias may not be missing in one)."""
        return (self.op, self.units, self.attributes, self.bias is None) == (
            other.op,
            other.units,
            other.attributes,
            other.bias is None,
        )


@dataclass(frozen=True, eq=False)
class Ran:
    """What the op gave.

    Attributes:
        steps: of (batch, step, direction, unit); zeros from where a masked sequence has ended.
        last: for each state (hidden first) of (batch, direction, unit), after the last step.
    """

    steps: View
    last: tuple[View, ...]
    mask: Mask | None
    lengths: str | None


# ------------------------------------------------------------------------------------------------------ the op


def run(lowering: Lowering, node: Node, view: View, cells: Sequence[Cell], starts: Starts) -> Ran:
    """The op, or one for each direction where one cannot do both."""
    masked = node.inputs[0].mask == node.inputs[0].axes[0].name
    mask = view.mask if masked else None
    lengths = None
    if mask is not None:
        view, lengths = pack(lowering, view, mask)
    ready = lowering.arrange(view, (view.axes[1], view.axes[0], view.in_memory_order(2)))
    if len(cells) == 1 or cells[0].fits(cells[1]):
        groups = [(tuple(cells), starts)]
    else:
        groups = [((cell,), Starts(starts.views[i : i + 1])) for i, cell in enumerate(cells)]
    made = [_run_op(lowering, ready, group, own, lengths) for group, own in groups]
    return replace(_joined(lowering, made), mask=mask, lengths=lengths)


def _run_op(lowering: Lowering, view: View, cells: tuple[Cell, ...], starts: Starts, lengths: str | None) -> Ran:
    first = cells[0]
    order = _feature_order(view)
    kernels = np.stack([cell.kernel[order].T for cell in cells])
    weights = [lowering.constant(kernels, "W"), lowering.constant(np.stack([c.recurrent for c in cells]), "R")]
    biases = [cell.bias for cell in cells if cell.bias is not None]
    weights.append(lowering.constant(np.stack(biases), "B") if biases else "")
    names = [_stacked(lowering, views) for views in zip(*starts.views, strict=True)] if starts else []
    operands = [view.tensor, *weights, lengths or "", *names]
    while not operands[-1]:
        operands.pop()
    states = 2 if first.op == "LSTM" else 1
    outputs = lowering.nodes(first.op, *operands, outputs=1 + states, **_attributes(cells))
    made = lowering.factor("unit", first.units)
    direction = lowering.factor("direction", len(cells))
    batch, step = view.axes[0], view.axes[1]
    steps = replace(
        view, tensor=outputs[0], dims=(step, direction, batch, made), axes=(batch, step, direction, made), mask=None
    )
    last = [
        replace(view, tensor=name, dims=(direction, batch, made), axes=(batch, direction, made), mask=None)
        for name in outputs[1:]
    ]
    return Ran(steps, tuple(last), None, lengths)


def _feature_order(view: View) -> list[int]:
    """The kernel's rows as the features lie in memory."""
    features, memory = view.axes[2], view.in_memory_order(2)
    sizes = [f.size or 1 for f in features]
    index = np.arange(int(np.prod(sizes))).reshape(sizes)
    return [int(i) for i in index.transpose([features.index(f) for f in memory]).ravel()]


def _attributes(cells: tuple[Cell, ...]) -> dict[str, Any]:
    first = cells[0]
    directions = [cell.is_backwards for cell in cells]
    result: dict[str, Any] = {
        "hidden_size": first.units,
        "direction": "bidirectional" if len(cells) > 1 else ("reverse" if directions[0] else "forward"),
        **first.attributes,
    }
    functions = [function for cell in cells for function in cell.activations]
    if tuple(name for name, _, _ in functions) != DEFAULTS[first.op] * len(cells):
        result["activations"] = [name for name, _, _ in functions]
        result["activation_alpha"] = [alpha for _, alpha, _ in functions if alpha is not None] or None
        result["activation_beta"] = [beta for _, _, beta in functions if beta is not None] or None
    return result


def _stacked(lowering: Lowering, views: Sequence[View]) -> str:
    """Initial states of the directions as the op reads them: (direction, batch, unit)."""
    parts = [lowering.arrange(view, ((), view.axes[0], view.axes[1])).tensor for view in views]
    return parts[0] if len(parts) == 1 else lowering.node("Concat", *parts, axis=0)


def _joined(lowering: Lowering, made: Sequence[Ran]) -> Ran:
    """The results of two ops as one op for both directions would have given them."""
    if len(made) == 1:
        return made[0]
    direction = lowering.factor("direction", 2)
    first = made[0]
    batch, unit = first.last[0].axes[0], first.last[0].axes[2]
    tensor = lowering.node("Concat", *(ran.steps.tensor for ran in made), axis=1)
    step = first.steps.axes[1]
    steps = replace(
        first.steps, tensor=tensor, dims=(step, direction, batch, unit), axes=(batch, step, direction, unit)
    )
    last = []
    for views in zip(*(ran.last for ran in made), strict=False):
        tensor = lowering.node("Concat", *(view.tensor for view in views), axis=0)
        last.append(replace(views[0], tensor=tensor, dims=(direction, batch, unit), axes=(batch, direction, unit)))
    return Ran(steps, tuple(last), None, first.lengths)


# ------------------------------------------------------------------------------------------------------ one direction


def run_one(lowering: Lowering, node: Node, inputs: list[View], cell: Cell) -> list[View]:
    """A layer in one direction: its output, then its states if it returns them."""
    states = node.layer.states  # type: ignore[attr-defined]
    is_sequence = node.args["return_sequences"]
    starts = starts_of(lowering, node, inputs, [states])
    ran = run(lowering, node, inputs[0], [cell], starts)
    last = [without_direction(view) for view in ran.last]
    output = sequence(lowering, ran, is_backwards=cell.is_backwards) if is_sequence else last[0]
    result = [output]
    if not (node.args["return_state"] or is_stateful(node)):
        return result
    for i, name in enumerate(states):
        state = kept(lowering, ran.lengths, last[i], starts.views[0][i] if starts else None)
        if is_stateful(node):
            state = keep_state(lowering, node, name, state)
            if i == 0 and not is_sequence and ran.lengths is None:
                result[0] = state
        if node.args["return_state"]:
            result.append(state)
    return result


def without_direction(view: View) -> View:
    """A single direction is a dimension of size 1, which no axis needs."""
    return view.with_axes((*view.axes[:-2], view.axes[-1]))


def sequence(lowering: Lowering, ran: Ran, *, is_backwards: bool) -> View:
    """All steps as Keras gives them: from last to first where it ran backwards, masked ones repeat the one before."""
    steps = without_direction(ran.steps)
    if ran.mask is None:
        return replace(steps, tensor=reverse(lowering, steps.tensor, 0)) if is_backwards else steps
    return hold(lowering, steps, ran.mask, ran.lengths, "backwards" if is_backwards else "repeat")
