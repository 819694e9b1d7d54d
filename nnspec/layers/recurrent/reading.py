"""The sequence that a recurrent layer reads: its steps, and that there are several of them."""

from __future__ import annotations

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.merged_axes import ordered_within
from nnspec.layers.kit.call import Call
from nnspec.layers.kit.contracts import check_steps, require_sequence


def read_steps(call: Call) -> None:
    """The contract of layers that step along the first axis and read the second at each step.

    A warning, NN387, of one step whose features are steps of the data.

    Raises:
        Fault: NN308, NN309, NN310.
    """
    require_sequence(call)
    check_steps(call, (0,), may_be_turned=True)
    step, feature = call.axes
    buried = ordered_within(feature)
    is_of_data = step.origin is not None and (ax.is_sequence(step) or len(feature.atoms) > 1)
    if step.size != 1 or is_of_data or buried is None or not _gives_one_result(call):
        return
    call.warn(
        "NN387",
        f"`{call.kind}` has one step: `{buried.name}` is among its features",
        label=f"reads {ax.describe(call.axes)}",
        notes=["with one step there is nothing to remember: the layer is a gated `Dense`"],
        fixes=[
            Fix(f"keep `{buried.name}`: remove what merged it, such as a `Flatten`, and the layer steps along it"),
            Fix("if no steps are meant, use a `Dense`"),
        ],
        about=[buried.name, step, feature],
    )


def _gives_one_result(call: Call) -> bool:
    """Whether nothing but its last output is read: a decoder of one step, or one that hands a state on, is meant."""
    hands_on = (call.args.get(name) for name in ("return_sequences", "return_state", "stateful"))
    return len(call.inputs) == 1 and not any(hands_on)
