"""nnspec: neural networks from a YAML spec, checked by the identity of their axes, exported to verified ONNX.

```python
import nnspec
spec = nnspec.load("specs/causal_cnn.yaml", {"vars.lookback": 12})
spec.check()                                     # list of Diagnostic
model = spec.compile()                           # keras.Model
run = spec.build("out/")                         # run.metrics, run.history, run.onnx
predict = nnspec.runtime.load("out/model.onnx")  # numpy and onnxruntime alone
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["CompilerBug", "Diagnostic", "Spec", "SpecError", "load", "runtime"]

if TYPE_CHECKING:
    from nnspec import runtime
    from nnspec.api import Spec, load
    from nnspec.diagnostics import CompilerBug, Diagnostic, SpecError

_HOMES = {
    "load": "nnspec.api",
    "Spec": "nnspec.api",
    "Diagnostic": "nnspec.diagnostics",
    "SpecError": "nnspec.diagnostics",
    "CompilerBug": "nnspec.diagnostics",
}


def __getattr__(name: str) -> object:
    """Loads on first use, so that `import nnspec.runtime` pulls in neither YAML nor a framework."""
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "runtime":
        return importlib.import_module("nnspec.runtime")
    raise AttributeError(f"module 'nnspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
