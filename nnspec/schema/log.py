"""The key `training.log`: where a training is logged besides its build directory."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema

LOG_KEY: dict[str, Schema] = {
    "log": {
        "type": "object",
        "description": (
            "Where the training is logged besides the build directory: parameters, hashes and versions, each epoch as "
            "it ends, metrics, and for MLflow the files of the build. A resumed training continues its run."
        ),
        "additionalProperties": False,
        "properties": {
            "tensorboard": {
                "type": "string",
                "minLength": 1,
                "description": "A folder below the spec's, for `tensorboard --logdir`; one folder per run.",
                "examples": ["runs"],
            },
            "mlflow": {
                "type": "string",
                "minLength": 1,
                "description": (
                    "A folder below the spec's, or the address of an MLflow server; a name and password for it are in "
                    "the environment, as MLflow reads them."
                ),
                "examples": ["mlruns", "http://127.0.0.1:5000"],
            },
        },
    },
}
