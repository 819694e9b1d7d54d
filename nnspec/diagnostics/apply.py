"""Applies machine-applicable fixes to a spec's text; the rest of the text is unchanged."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.diagnostics.model import Applicability, Diagnostic, Edit, Fix
from nnspec.diagnostics.spans import Source, Span


class OverlapError(ValueError):
    """Two edits touch the same text, so they cannot both be made."""


def apply_fixes(text: str, fixes: Iterable[Fix]) -> str:
    """The text after the edits of all fixes; the same edit is made once.

    Raises:
        OverlapError: where two edits touch the same text.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    source = Source("", text)
    placed = {(*_range(edit.span, source), edit.text) for fix in fixes for edit in fix.edits}
    result, done = [], 0
    last: tuple[int, int] | None = None
    for start, end, replacement in sorted(placed):
        if last is not None and (start < last[1] or (start, end) == last or start == last[0]):
            raise OverlapError(f"two edits touch the text at offset {start}")
        result += [text[done:start], replacement.replace("\n", newline)]
        done, last = end, (start, end)
    return "".join([*result, text[done:]])


def _range(span: Span, source: Source) -> tuple[int, int]:
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)


def machine_fix(diagnostic: Diagnostic) -> Fix | None:
    """The fix of a diagnostic that can be made without asking, if there is one."""
    return next((f for f in diagnostic.fixes if f.applicability is Applicability.MACHINE and f.edits), None)


def fix_text(text: str, diagnostics: Iterable[Diagnostic]) -> tuple[str, list[Diagnostic]]:
    """The text after as many machine-applicable fixes as can be made together, and the diagnostics that they end."""
    chosen: list[Fix] = []
    ended: list[Diagnostic] = []
    fixed, made = text, set[tuple[Edit, ...]]()
    for diagnostic in diagnostics:
        fix = machine_fix(diagnostic)
        if fix is None or fix.edits in made or any(edit.span.source.text != text for edit in fix.edits):
            continue
        try:
            fixed = apply_fixes(text, [*chosen, fix])
        except OverlapError:
            continue  # the next pass finds it again
        chosen.append(fix)
        ended.append(diagnostic)
        made.add(fix.edits)
    return fixed, ended
