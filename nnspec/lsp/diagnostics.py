"""Diagnostics for an editor: with notes, related locations and a link to the code's page."""

from __future__ import annotations

from lsprotocol import types as lsp

from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.codes import CODES, page_address
from nnspec.lsp.positions import Positions

SOURCE = "nnspec"


def to_protocol(diagnostic: Diagnostic, positions: Positions, uri: str) -> lsp.Diagnostic:
    """One diagnostic. Editors show the message alone, so label and notes follow it on lines of their own."""
    said = [diagnostic.message]
    said += [diagnostic.label] if diagnostic.label else []
    said += [f"note: {note}" for note in diagnostic.all_notes]
    said += [f"help: {fix.message}" for fix in diagnostic.fixes]
    related = [
        lsp.DiagnosticRelatedInformation(lsp.Location(uri, positions.range(place.span)), place.text)
        for place in diagnostic.related
        if place.span.source is positions.source
    ]
    severity = lsp.DiagnosticSeverity.Error if diagnostic.is_error else lsp.DiagnosticSeverity.Warning
    return lsp.Diagnostic(
        range=positions.range(diagnostic.span),
        message="\n".join(said),
        severity=severity,
        code=diagnostic.code,
        code_description=lsp.CodeDescription(page_address(diagnostic.code)) if diagnostic.code in CODES else None,
        source=SOURCE,
        related_information=related or None,
        data={"path": diagnostic.path, "trail": [str(step) for step in diagnostic.span.trail]},
    )
