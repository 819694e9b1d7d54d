"""Why a node cannot be inferred, and what its diagnostic may say beside its message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from nnspec.diagnostics import Diagnostic, Fix, Reason, Related, Severity
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Value


class Details(TypedDict, total=False):
    """What a diagnostic may say beside its message."""

    label: str
    notes: Sequence[str]
    fixes: Sequence[Fix]
    related: Sequence[Related]
    severity: Severity
    about: Sequence[Axis | Value | str | None]
    reason: Reason | None


class Fault(Exception):
    """The node cannot be inferred: it gives one diagnostic, and nodes that depend on it give none."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
