"""Outputs whose targets are an input: `reconstruction: {of: cells}`, as an autoencoder has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nnspec.data.section.copy_plan import CopyPlan
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.diagnostics import Diagnostic, Fix, Span, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.document import Mapping as Node
from nnspec.document import to_plain
from nnspec.ir.matching_axes import matching_order

Fault = Callable[[str, str, Span, str, str], None]  # a code, a message, its place, the path in the document, what to do


def read_copy(name: str, body: Node, fault: Fault) -> CopyPlan | None:
    """The output's plan; None where it says more than `of`."""
    where = f"data.outputs.{name}"
    strange = next((key for key in body.entries if key != "of"), None)
    if strange is not None:
        message = (
            f"`of` makes the input the target of output `{name}`, scaled as it is: `{strange}` cannot be combined "
            f"with it"
        )
        fault("NN587", message, body.key_span(strange), where, f"remove `{strange}`")
        return None
    return CopyPlan(name, str(to_plain(body.entries["of"])), body.entries["of"].span)


def check_copies(plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN587: the input exists, holds floats, and has the axes of the output."""
    for copy in plan.copies.values():
        model, source = outputs.get(copy.name), inputs.get(copy.input)
        if source is None:
            message = f"`of` names `{copy.input}`, which is not an input{did_you_mean(copy.input, inputs)}"
            notes = (f"the inputs: {enumerated(inputs) or 'none'}",)
            yield Diagnostic("NN587", message, copy.span, path=copy.where, notes=notes)
        elif model is not None:
            yield from _check_model(copy, source, model)


def _check_model(copy: CopyPlan, source: Slot, model: Slot) -> Iterator[Diagnostic]:
    if not source.is_float:
        message = f"output `{copy.name}` reconstructs input `{copy.input}`, whose dtype is {source.dtype}"
        fix = Fix(f"declare input `{copy.input}` as float32")
        yield Diagnostic("NN587", message, copy.span, path=copy.where, fixes=(fix,))
    if model.task != "regression":
        message = f"output `{copy.name}` reconstructs input `{copy.input}`, but its task is {model.task}"
        fix = Fix("set `task: regression`")
        yield Diagnostic("NN587", message, copy.span, path=copy.where, fixes=(fix,))
    elif matching_order(source.axes, model.axes) is None:
        has, wants = (", ".join(f"{name} {size}" for name, size in slot.axes) for slot in (model, source))
        message = (
            f"output `{copy.name}` has axes ({has}), but input `{copy.input}`, which it reconstructs, has ({wants})"
        )
        fix = Fix("end the decoder with a layer that has these axes")
        yield Diagnostic("NN587", message, copy.span, path=copy.where, fixes=(fix,))
