"""Fixes as code actions: one for each fix of a diagnostic, and one for all certain ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types as lsp

from nnspec.diagnostics import Edit
from nnspec.diagnostics.apply import fix_text, machine_fix
from nnspec.fix.files import MAX_ROUNDS
from nnspec.lsp.diagnostics import to_protocol
from nnspec.lsp.positions import Positions
from nnspec.lsp.session import Document

FIX_ALL = "source.fixAll.nnspec"


def actions(
    document: Document, where: lsp.Range, wanted: Sequence[lsp.CodeActionKind | str] | None
) -> list[lsp.CodeAction]:
    """The actions that an editor offers for a range.

    Args:
        wanted: kinds of actions that the client asks for; None for all.
    """
    result = []
    if _is_wanted(lsp.CodeActionKind.QuickFix, wanted):
        result += list(_quick_fixes(document, where))
    if _is_wanted(FIX_ALL, wanted) and (all_of_them := fix_all(document)) is not None:
        result.append(all_of_them)
    return result


def _is_wanted(kind: lsp.CodeActionKind | str, wanted: Sequence[lsp.CodeActionKind | str] | None) -> bool:
    """A kind is asked for by its own name or that of a group: `source` asks for `source.fixAll`."""
    names = [str(getattr(name, "value", name)) for name in wanted or ()]
    kind = str(getattr(kind, "value", kind))
    return wanted is None or any(name in ("", kind) or kind.startswith(f"{name}.") for name in names)


def _quick_fixes(document: Document, where: lsp.Range) -> Iterator[lsp.CodeAction]:
    survey = document.survey()
    positions = document.positions
    start, end = positions.offset(where.start), positions.offset(where.end)
    for diagnostic in survey.diagnostics:
        first, last = positions.offsets(diagnostic.span)
        if first > end or last < start or diagnostic.span.source is not survey.source:
            continue
        for fix in diagnostic.fixes:
            if fix.edits and all(edit.span.source is survey.source for edit in fix.edits):
                yield lsp.CodeAction(
                    title=fix.message,
                    kind=lsp.CodeActionKind.QuickFix,
                    diagnostics=[to_protocol(diagnostic, positions, document.uri)],
                    is_preferred=fix is machine_fix(diagnostic),
                    edit=lsp.WorkspaceEdit(changes={document.uri: [_edit(edit, positions) for edit in fix.edits]}),
                )


def _edit(edit: Edit, positions: Positions) -> lsp.TextEdit:
    newline = "\r\n" if "\r\n" in positions.source.text else "\n"
    return lsp.TextEdit(positions.range(edit.span), edit.text.replace("\n", newline))


def fix_all(document: Document) -> lsp.CodeAction | None:
    """The machine-applicable fixes until none is left, as `nnspec fix` makes them; None where there is none."""
    survey = document.survey()
    text, count = survey.source.text, 0
    for _ in range(MAX_ROUNDS):
        text, ended = fix_text(text, survey.diagnostics)
        if not ended:
            break
        count += len(ended)
        survey = document.check(text)
    if not count:
        return None
    whole = lsp.Range(lsp.Position(0, 0), document.positions.at(len(document.text)))
    return lsp.CodeAction(
        title=f"apply {'the certain fix' if count == 1 else f'all {count} certain fixes'}",
        kind=FIX_ALL,
        edit=lsp.WorkspaceEdit(changes={document.uri: [lsp.TextEdit(whole, text)]}),
    )
