"""The key of `training` that spreads a training over several workers."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema
from nnspec.schema.parts import closed

DISTRIBUTE_KEY: dict[str, Schema] = {
    "distribute": closed(
        "Data-parallel training: each of several workers computes its share of every batch. Needs `backend: jax`.",
        {
            "workers": {
                "type": "integer",
                "minimum": 1,
                "maximum": 4096,
                "description": (
                    "Number of workers; `batch_size` must be a multiple of it. Without `ray`, processes "
                    "of this machine."
                ),
            },
            "ray": {
                "type": ["boolean", "string"],
                "minLength": 1,
                "description": (
                    "Whether Ray Train starts and restarts them, on a running cluster or a new one of this machine; "
                    "or the address of a cluster, whose nodes have the spec's folder and `--out` under the same paths."
                ),
                "default": False,
            },
        },
        required=["workers"],
    ),
}
