"""Sentences of `nnspec show --why` about recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import lists
from nnspec.ir.graph import Node
from nnspec.layers.kit import explanations as say


def step_sentences(node: Node, states: Sequence[str]) -> dict[str, str]:
    """How it goes along its steps and what it gives of them."""
    step, *rest = node.inputs[0].axes
    is_backwards = node.args["go_backwards"]
    way = "from last to first" if is_backwards else "from first to last"
    if node.args["return_sequences"]:
        order = ", ordered from last to first" if is_backwards else ""
        returns = f"Every step gives an output, so `{step.name}` is kept{order}."
    else:
        last = "the first step, where it ends" if is_backwards else "the last step"
        returns = f"Only the output after {last} is returned, so `{step.name}` is removed."
    return {
        "": f"Steps along `{step.name}`, {say.with_count(step.size, 'step')} {way}, and reads "
        f"{lists.joined(say.with_size(axis) for axis in rest)} at each.",
        "return_sequences": returns,
        "return_state": f"The state after the last step is also returned: {lists.quoted(states)}."
        if node.args["return_state"]
        else "The state after the last step is not returned.",
        "go_backwards": f"It steps {way}.",
        "stateful": "Each sample continues from the final state of the same sample in the previous batch."
        if node.args["stateful"]
        else "Every sample starts from zeros, or from its initial state.",
    }


def gate_sentences(node: Node, gates: int, states: Sequence[str]) -> dict[str, str]:
    """What its units are and what its kernels hold."""
    feature, units = node.inputs[0].axes[-1], node.args["units"]
    kept = lists.joined(f"a {state} state of {say.with_count(units, 'number')}" for state in states)
    blocks = (
        f"{gates} gates · {say.with_count(units, 'unit')} = {gates * units} columns"
        if gates > 1
        else say.with_count(units, "column")
    )
    rows = say.with_count(feature.size, "row")
    return {
        "units": f"It carries {kept} from step to step and returns {say.with_count(units, 'number')}, for any "
        "number of steps.",
        "kernel": f"{rows}, one for each of `{feature.name}`; {blocks}",
        "recurrent_kernel": f"{say.with_count(units, 'row')}, one for each unit of the state; {blocks}",
        "bias": "one for each column" if len(node.weights[-1].shape) == 1 else "one for each column of each kernel",
    }
