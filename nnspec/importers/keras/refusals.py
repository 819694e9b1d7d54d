"""What a refused model's user is told: every cause, at once."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic, Fix, Span, SpecError
from nnspec.importers.keras.build_spec import Draft
from nnspec.importers.keras.network import ImportFault, Network


def refuse_unread(network: Network, draft: Draft) -> None:
    """Tells the inputs that no output depends on, masks counted: a deployed model would ask for them in vain.

    Raises:
        ImportFault: with a cause for each.
    """
    read = {value.node for node in draft.graph.nodes for value in node.inputs}
    read |= {output.value.node for output, _ in draft.outputs.values()}
    causes = [
        ImportFault(
            f"no output of the model depends on its input `{keras_name}`",
            help=f"make the model without `{keras_name}`, and save that",
        )
        for keras_name, name in zip(network.inputs, draft.inputs, strict=True)
        if name not in read
    ]
    if causes:
        raise ImportFault.of(causes)


def collect_refusals(fault: ImportFault, here: Span) -> SpecError:
    """Every cause once, each with where it is and what to do about it."""
    told = {str(cause): cause for cause in fault.causes}
    places = {message: [c.place for c in fault.causes if c.place and str(c) == message] for message in told}
    return SpecError(
        [
            Diagnostic(
                "NN607",
                message,
                here,
                notes=tuple(f"it is {place}" for place in dict.fromkeys(places[message])),
                fixes=(Fix(cause.help),) if cause.help else (),
            )
            for message, cause in told.items()
        ]
    )
