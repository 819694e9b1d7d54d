"""What `nnspec show --why` tells of recurrent layers."""

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
        returns = f"Every step gives an output, so `{step.name}` stays{order}."
    else:
        last = "the first step, where it ends" if is_backwards else "the last step"
        returns = f"Only the output after {last} is given, so `{step.name}` is gone."
    return {
        "": f"Goes along `{step.name}`, {say.with_count(step.size, 'step')} {way}, and reads "
        f"{lists.joined(say.with_size(axis) for axis in rest)} at each.",
        "return_sequences": returns,
        "return_state": f"The state after the last step is given too: {lists.quoted(states)}."
        if node.args["return_state"]
        else "The state after the last step is not given.",
        "go_backwards": f"It steps {way}.",
        "stateful": "A batch goes on with the state that the batch before it ended with, sample by sample."
        if node.args["stateful"]
        else "Every sample starts from zeros, or from the state that it is given.",
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
        "units": f"It keeps {kept} from step to step and gives {say.with_count(units, 'number')}, however "
        "many steps there are.",
        "kernel": f"{rows}, one for each of `{feature.name}`; {blocks}",
        "recurrent_kernel": f"{say.with_count(units, 'row')}, one for each number of the state; {blocks}",
        "bias": "one for each column" if len(node.weights[-1].shape) == 1 else "one for each column of either kernel",
    }
