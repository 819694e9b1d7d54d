"""JSON Schema of the section `export`."""

from __future__ import annotations

from nnspec.backends.registry import EXPORT as EXPORT_BACKENDS
from nnspec.document.types import JsonSchema as Schema
from nnspec.ir.targets import TARGETS
from nnspec.ir.variants import VARIANTS
from nnspec.schema.parts import choice, closed, named

EXPORT: Schema = closed(
    "Settings of the ONNX file.",
    {
        "opset": {
            "type": "integer",
            "minimum": 17,
            "description": "ONNX operator set version; default: 17, or the lowest that the layers need.",
            "default": 17,
        },
        "layout": named(
            "The order of axes in the deployed graph, by input or output; `batch` is the sample axis.",
            {"type": "array", "description": "Every axis once.", "items": {"type": "string"}, "minItems": 1},
        ),
        "scaling": {
            "type": "boolean",
            "description": "Whether scaling, its inverse and class labels are part of the graph.",
            "default": True,
        },
        "labels": {
            "type": "boolean",
            "description": "Whether outputs with classes have a second output with the label of the most probable one. "
            "Some runtimes for devices do not support text or integer outputs.",
            "default": True,
        },
        "batch": {
            "type": "integer",
            "minimum": 1,
            "description": "The only batch size that the file takes, such as 1 for runtimes that need fixed sizes; "
            "default: any.",
        },
        "variants": {
            "type": "array",
            "description": "Smaller variants of the file, written next to it, as in `model.int8.onnx`: weights and "
            "values in `float16`; kernels and their inputs in `int8`, scaled by training rows; matrices in `int4`.",
            "items": {"enum": list(VARIANTS), "description": "A variant."},
            "uniqueItems": True,
        },
        "targets": {
            "type": "array",
            "description": "Where the file is to run: in browsers (`web`, `webgpu`, `webnn`), by ONNX Runtime's "
            "accelerators for phones (`coreml`, `nnapi`, `qnn`), by `openvino`. `check` reports, before training, "
            "which layers each of them supports, and what would change that (NN621).",
            "items": {"enum": list(TARGETS), "description": "A device or runtime."},
            "uniqueItems": True,
        },
        "max_loss": {
            "type": "number",
            "minimum": 0,
            "description": "How much a variant may lose on the test split, as a fraction: of accuracy, or the increase "
            "of its error; default: 0.005 of accuracy (or one sample of a small split), 0.01 of an error.",
        },
        "tolerance": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Largest relative difference between ONNX Runtime and Keras that passes verification.",
            "default": 1e-4,
        },
        **choice("format", EXPORT_BACKENDS, "The format of the deployed model."),
    },
)
