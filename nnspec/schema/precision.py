"""Keys of `training` that say what a step costs: precision and accumulation."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
EFFORT_KEYS: dict[str, Schema] = {
    "precision": {
        "type": "string",
        "enum": list(PRECISIONS),
        "description": (
            "The precision of the computation: `mixed_float16` (with loss scaling) and `mixed_bfloat16` take half the "
            "memory and are fast on accelerators. Weights are float32, and so is the exported model."
        ),
        "default": "float32",
    },
    "accumulate": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10**6,
        "description": (
            "Number of batches whose gradients are added up before the weights are updated: equivalent to one "
            "batch of that many times `batch_size`, in the memory of one. Batch normalization still sees the small "
            "batches."
        ),
        "default": 1,
    },
}
