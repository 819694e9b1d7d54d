"""Machine-applicable fixes applied to a spec's text: everything that they do not touch stays as it is."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Source, Span
from nnspec.document import read_source
from nnspec.pipeline import diagnose

MAX_ROUNDS = 50  # a fix can bring up what only a later phase sees


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


def fix_text(text: str, diagnostics: Iterable[Diagnostic]) -> tuple[str, int]:
    """The text after as many machine-applicable fixes as can be made together, and their number."""
    chosen: list[Fix] = []
    fixed, made = text, set[tuple[Edit, ...]]()
    for diagnostic in diagnostics:
        fix = machine_fix(diagnostic)
        if fix is None or fix.edits in made or any(edit.span.source.text != text for edit in fix.edits):
            continue
        try:
            fixed = apply_fixes(text, [*chosen, fix])
        except OverlapError:
            continue  # the next round sees it anew
        chosen.append(fix)
        made.add(fix.edits)
    return fixed, len(chosen)


def fix_file(path: Path, *, write: bool) -> tuple[str, int]:
    """Applies the machine-applicable fixes of a spec until none is left; returns the patch and the number of fixes.

    Raises:
        SpecError: NN101 or NN102 where the file cannot be read.
        OSError: where it cannot be written.
    """
    read_source(path)
    original = path.read_bytes().decode("utf-8", "surrogateescape")
    text, count = original, 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for _ in range(MAX_ROUNDS):
            copy.write_bytes(text.encode("utf-8", "surrogateescape"))
            fixed, made = fix_text(text.removeprefix("\ufeff"), diagnose(copy))
            if not made:
                break
            text, count = ("\ufeff" if text.startswith("\ufeff") else "") + fixed, count + made
    if write and count:
        _replace(path.resolve(), text)
    lines = difflib.unified_diff(
        original.splitlines(keepends=True), text.splitlines(keepends=True), f"a/{path.name}", f"b/{path.name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines), count


def _replace(path: Path, text: str) -> None:
    """Writes beside the file and renames, so that it is never half written."""
    handle, name = tempfile.mkstemp(prefix=".nnspec-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8", "surrogateescape"))
        os.chmod(name, path.stat().st_mode & 0o7777)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
