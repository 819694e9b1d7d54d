"""An environment without TensorFlow, in a process that has it installed: imports of it fail as if it were not there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

REFUSED = frozenset({"tensorflow", "tf2onnx", "tensorboard", "tf_keras"})


class Refusal:
    """A finder that finds no TensorFlow, asked before those that would."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def refuse_tensorflow() -> None:
    """From here on; before anything has imported it."""
    assert not REFUSED & set(sys.modules)
    sys.meta_path.insert(0, Refusal())  # type: ignore[arg-type]
