"""Low-rank updates (LoRA): a frozen matrix plus the product of two narrow trained ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir.graph import Node, Weight
from nnspec.layers.kit.base import Call

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering


def check_low_rank(call: Call, matrix: str, *, takes_alpha: bool = False) -> None:
    """What Keras refuses or ignores beside `lora_rank`.

    Args:
        matrix: the weight that is updated, `kernel` or `embeddings`.
        takes_alpha: whether Keras scales the update by `lora_alpha / lora_rank` in this layer.

    Raises:
        Fault: NN208.
    """
    rank = call.args["lora_rank"]
    if not rank:
        return
    if call.args[f"{matrix}_constraint"] is not None:
        call.fail("NN208", f"`{call.kind}` takes either `lora_rank` or `{matrix}_constraint`", "lora_rank")
    if not takes_alpha and call.args["lora_alpha"] not in (None, rank):
        call.fail(
            "NN208",
            f"Keras' `{call.kind}` scales its low-rank update by 1 and ignores `lora_alpha`",
            "lora_alpha",
            fixes=[Fix(f"remove `lora_alpha`, or set it to the rank, {rank}")],
        )


def low_rank_weights(matrix: str, shape: Sequence[int], rank: int | None) -> tuple[list[Weight], str]:
    """The two narrow weights of a matrix of this shape, and their part of the formula; nothing without a rank."""
    if not rank:
        return [], ""
    rows, columns = (*shape[:-1], rank), (rank, shape[-1])
    formula = "".join(f" + {'·'.join(map(str, sizes))}" for sizes in (rows, columns))
    return [Weight(f"lora_{matrix}_a", rows), Weight(f"lora_{matrix}_b", columns)], formula


def merged_matrix(node: Node, lowering: Lowering, matrix: str) -> Array:
    """The weight with its update added, as the deployed graph holds it."""
    weight = lowering.weights[matrix]
    rank = node.args["lora_rank"]
    if not rank:
        return weight
    alpha = rank if node.args["lora_alpha"] is None else node.args["lora_alpha"]
    update = lowering.weights[f"lora_{matrix}_a"] @ lowering.weights[f"lora_{matrix}_b"]
    merged: Array = weight + alpha / rank * update
    return merged.astype(weight.dtype)
