"""Keras' objects besides layers that a spec cannot name: callbacks that carry code, base classes, and their like."""

from __future__ import annotations

from nnspec import catalogue
from nnspec.diagnostics import Diagnostic, Fix, Span


def refused_object(name: object, argument: str, span: Span, place: str) -> Diagnostic | None:
    """NN214 where Keras has an optimizer, loss, … of this name that no spec can hold; `argument` tells the family."""
    family = catalogue.family_of(argument)
    found = catalogue.refusal(family, name) if family is not None and isinstance(name, str) else None
    if found is None:
        return None
    known, reason, instead = found
    return Diagnostic("NN214", f"`{known}` {reason}", span, path=place, fixes=(Fix(instead),))
