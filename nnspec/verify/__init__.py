"""The gate: an exported model counts only when it is well-formed, has its spec's interface, and gives what Keras gives.

Of which format it is, the gate does not know: `nnspec.backends.base.ExportedModel` is all that it asks of one.
`interface` looks at names and axes, `gate` compares values on `samples`, `bisect` finds the first layer that differs,
and `causality` tries what a spec says to be causal.
"""

from __future__ import annotations

from nnspec.verify.comparison import differences
from nnspec.verify.gate import Gate

__all__ = ["Gate", "differences"]
