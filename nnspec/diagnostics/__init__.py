"""Diagnostics: errors and warnings about a spec, with spans and fixes.

`model` has the records, `spans` the places that they point at, `codes` the names of the codes, `pages` a page for each;
`text` and `sarif` print them, `apply` carries out their fixes, `suggest` finds the name that was meant, `values` and
`lists` put values and several names into a sentence.
"""

from __future__ import annotations

from nnspec.diagnostics.lists import quoted
from nnspec.diagnostics.model import (
    Applicability,
    AxisRef,
    CompilerBug,
    Diagnostic,
    Edit,
    Fix,
    KeyRef,
    NodeRef,
    Reason,
    Ref,
    Related,
    Report,
    Severity,
    SpecError,
    use_instead,
)
from nnspec.diagnostics.spans import LINE_BREAKS, Source, Span, Step, shortened
from nnspec.diagnostics.suggest import did_you_mean, nearest

__all__ = [
    "LINE_BREAKS",
    "Applicability",
    "AxisRef",
    "CompilerBug",
    "Diagnostic",
    "Edit",
    "Fix",
    "KeyRef",
    "NodeRef",
    "Reason",
    "Ref",
    "Related",
    "Report",
    "Severity",
    "Source",
    "Span",
    "SpecError",
    "Step",
    "did_you_mean",
    "nearest",
    "quoted",
    "shortened",
    "use_instead",
]
