"""An export broken on purpose: each mutation of an ONNX graph is one mistake that a lowering could make.

`operators` changes what a node does, `constants` what it reads, `edges` what flows between nodes; `mutations` draws
from all of them, and `trial` tells what became of a mutant: caught by the gate, proven equal, or let pass.
"""

from __future__ import annotations

from tests.support.mutants.drawing import draw, every_mutation
from tests.support.mutants.model import Mutation

__all__ = ["Mutation", "draw", "every_mutation"]
