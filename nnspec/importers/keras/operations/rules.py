"""All rules by the name of Keras' class, and what is said where none does."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.operations import (
    arithmetic,
    formulas,
    indexing,
    joining,
    moving,
    padding,
    products,
    reductions,
)
from nnspec.importers.keras.operations.functions import activated
from nnspec.importers.keras.operations.operation import Operation, Rule

RULES: Mapping[str, Rule] = {
    **formulas.RULES,
    **arithmetic.RULES,  # where layers have a word
    **indexing.RULES,
    **joining.RULES,
    **moving.RULES,
    **padding.RULES,
    **products.RULES,
    **reductions.RULES,
}


def translate_operation(op: Operation) -> list[Read]:
    """Layers that compute what an operation does; all that it gives.

    Raises:
        ImportFault: where none do.
    """
    rule = RULES.get(op.kind)
    made = rule(op) if rule is not None else None
    if made is None:
        made = activated(op)
    if made is None:
        raise ImportFault(
            f"the model computes with {op.said}, which no layer expresses",
            help="replace it with a Keras layer in the model, and save the model again",
        )
    return made if isinstance(made, list) else [made]
