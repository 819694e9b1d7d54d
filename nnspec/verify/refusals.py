"""Diagnostics of a model that does not pass verification."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.backends.base import ExportBackend
from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError
from nnspec.ir.graph import Node
from nnspec.verify.bisect import Difference
from nnspec.verify.comparison import Comparison
from nnspec.verify.rounding import blows_up
from nnspec.verify.runs import Run
from nnspec.verify.subject import Subject

ACCEPTABLE = 0.1  # no tolerance is worth naming that accepts more


@dataclass(frozen=True)
class Worst:
    """Where a run differs most.

    Attributes:
        error: in terms of `scale`, that which the output's differences are measured against.
        row: which row of the run.
    """

    run: Run
    output: str = ""
    error: float = 0.0
    scale: float = 1.0
    row: int = 0


def mismatch_error(
    subject: Subject,
    comparisons: Mapping[str, Comparison],
    worst: Worst,
    first: Difference | None,
    moved: float,
    backend: ExportBackend,
) -> SpecError:
    """NN701.

    Args:
        first: the first layer that differs, where that could be found.
        moved: how far rounding alone moves Keras' outputs.
        backend: the format of the model.
    """
    name, found = next((name, c) for name, c in comparisons.items() if not c.passes(subject.tolerance))
    output = subject.graph.outputs[name]
    fixes: tuple[Fix, ...] = ()
    if found.max_relative_error <= subject.tolerance:
        message = f"labels of output `{name}` differ from Keras' for {found.other_labels:.1%} of the samples"
    else:
        error = found.max_relative_error
        is_probability = output.is_trained and not output.gives_values and not output.gives_scores
        against = "a probability, measured against 1" if is_probability else "relative to the output's scale"
        message = (
            f"{backend.runtime} and Keras differ on output `{name}` by {error:.3g} ({against}), "
            f"more than {subject.tolerance:g}"
        )
        if error <= ACCEPTABLE:
            accepted = rounded_up(error)
            fixes = (Fix(f"if that is close enough, accept it: `export: {{tolerance: {accepted}}}`"),)
    notes = []
    span = Span(Source(subject.graph.name, ""))
    if first is not None:
        span = first.node.span
        notes.append(f"the first layer that differs is `{first.node.name}` ({first.node.kind}): {first.error:.3g}")
    if worst.output and worst.error > subject.tolerance:
        notes.append(f"they differ most on {worst.run.row(worst.row)}")
    if blows_up(moved, subject.tolerance):
        notes.append(
            f"this network amplifies rounding error: Keras' own outputs change {moved:.0f} times as much (relative) "
            "as its inputs and weights, so two correct runtimes can differ this much"
        )
    return SpecError([Diagnostic("NN701", message, span, notes=tuple(notes), fixes=fixes)])


def not_a_number(subject: Subject, what: str, first: Node | None, backend: ExportBackend) -> SpecError:
    """NN710: what the Keras model itself gives is no number.

    Args:
        what: the inputs on which it is.
        first: the first layer whose result is none.
    """
    span = first.span if first is not None else Span(Source(subject.graph.name, ""))
    place = f", starting at `{first.name}` ({first.kind})" if first is not None else ""
    return SpecError(
        [
            Diagnostic(
                "NN710",
                f"the Keras model outputs infinity or NaN for {what}{place}: there is nothing to deploy",
                span,
                notes=(f"{backend.runtime} outputs the same, so the two do not differ",),
            )
        ]
    )


def rounded_up(error: float) -> str:
    """One digit, not below the error: 0.00123 as `2.0e-03`."""
    exponent = math.floor(math.log10(error))
    digit = math.ceil(error / 10.0**exponent)
    return f"{digit * 10.0**exponent:.1e}"
