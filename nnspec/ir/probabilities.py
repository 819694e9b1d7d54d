"""What means, products and mixtures make of probabilities, by the functions whose values they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

SOFTMAX, SIGMOID = "softmax", "sigmoid"
WEIGHTED = "weighted sigmoid"  # probabilities times shares of a whole: their sum is a probability again
FORMULA = "formula"  # what a formula of the spec makes, which may be probabilities as well as not
PROBABILITIES = (SOFTMAX, SIGMOID)


def of_mean(heads: Sequence[str]) -> str | None:
    """What a mean of such values is, over inputs or positions: shares stay shares, probabilities probabilities."""
    kinds = set(heads)
    if not kinds or not kinds <= set(PROBABILITIES):
        return None
    return SOFTMAX if kinds == {SOFTMAX} else SIGMOID


def of_extreme(heads: Sequence[str]) -> str | None:
    """What the largest or smallest of such values is; of several shares of one whole it is no share of any."""
    return SIGMOID if set(heads) == {SIGMOID} else None


def of_product(heads: Sequence[str]) -> str | None:
    """What the product of such values is: of shares within shares, as of a class within its group, shares again."""
    kinds = set(heads)
    if not kinds or not kinds <= set(PROBABILITIES):
        return None
    return WEIGHTED if len(kinds) > 1 else kinds.pop()


def of_sum(heads: Sequence[str]) -> str | None:
    """What the sum of products of two inputs is, one of them weights that sum to 1; or of one, where it has them."""
    if len(heads) == 1:
        return {WEIGHTED: SIGMOID, SOFTMAX: SOFTMAX}.get(heads[0])
    if len(heads) != 2 or SOFTMAX not in heads:
        return None
    other = heads[1] if heads[0] == SOFTMAX else heads[0]
    return other if other in PROBABILITIES else None


COMBINATIONS: dict[str, Callable[[Sequence[str]], str | None]] = {
    "mean": of_mean,
    "extreme": of_extreme,
    "product": of_product,
    "sum": of_sum,
    FORMULA: lambda heads: None,  # which the formula itself says
}
