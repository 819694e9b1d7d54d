"""Names of the devices and runtimes that `export.targets` may list."""

from __future__ import annotations

TARGETS = ("web", "webgpu", "webnn", "coreml", "nnapi", "qnn", "openvino")
