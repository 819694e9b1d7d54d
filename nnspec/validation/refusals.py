"""Names of Keras objects that a spec cannot use, and short names where a class is needed."""

from __future__ import annotations

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Diagnostic, Fix, Span


def refused_object(name: object, argument: str, span: Span, place: str) -> Diagnostic | None:
    """NN214 where Keras has an optimizer, loss, … of this name that no spec can hold; `argument` tells the family."""
    family = keras_objects.family_of(argument)
    found = keras_objects.refusal(family, name) if family is not None and isinstance(name, str) else None
    if found is None:
        return None
    known, reason, instead = found
    return Diagnostic("NN214", f"`{known}` {reason}", span, path=place, fixes=(Fix(instead),))


def long_name(name: str, argument: str) -> str | None:
    """The class that a short name stands for, as `MeanAbsoluteError` for `mae`: only a class takes arguments."""
    family = keras_objects.family_of(argument)
    return keras_objects.aliases(family).get(name) if family is not None else None
