"""Errors that only appear during training."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic, Fix, Span, SpecError


def not_a_number(span: Span, epoch: int, batch: int, loss: float) -> SpecError:
    """NN515: training ends where the loss is no finite number; `epoch` and `batch` count from 1."""
    return SpecError(
        [
            Diagnostic(
                "NN515",
                f"the loss became {loss} in epoch {epoch}, batch {batch}",
                span,
                path="training",
                notes=("nothing was exported",),
                fixes=(
                    Fix("lower the learning rate: `optimizer: {Adam: {learning_rate: 0.0001}}`"),
                    Fix("clip gradients: `optimizer: {Adam: {clipnorm: 1.0}}`"),
                    Fix("scale the data: `scale: standard`"),
                ),
            )
        ]
    )
