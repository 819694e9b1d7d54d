"""The conversion rules by Keras class, and the refusal of operations without one."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import Call, ImportFault
from nnspec.importers.keras.operations import (
    arithmetic,
    casts,
    formulas,
    functions,
    images,
    indexing,
    joining,
    moving,
    ordering,
    padding,
    products,
    reductions,
)
from nnspec.importers.keras.operations.functions import activation_word, add_activation
from nnspec.importers.keras.operations.operation import Operation, Rule

RULES: Mapping[str, Rule] = {
    **functions.RULES,
    **formulas.RULES,
    **arithmetic.RULES,  # where layers have a word
    **casts.RULES,
    **images.RULES,
    **indexing.RULES,
    **joining.RULES,
    **moving.RULES,
    **ordering.RULES,
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
        made = add_activation(op)
    if made is None:
        raise _unknown(op.call)
    return made if isinstance(made, list) else [made]


def check_known(call: Call) -> None:
    """Whether there is a rule for such an operation, whatever it reads.

    Raises:
        ImportFault: where there is none.
    """
    if call.kind not in RULES and activation_word(call.kind) is None:
        raise _unknown(call)


def _unknown(call: Call) -> ImportFault:
    return ImportFault(
        f"the model computes with the operation `{call.kind}` (`{call.name}`), which no layer expresses",
        help="replace it with a Keras layer in the model, and save the model again",
    )
