"""Quick fixes of `nnspec lsp`, and those that `source.fixAll` makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from nnspec.fix.files import fix_file
from tests.end_to_end.editors.client import Editor
from tests.end_to_end.editors.nnspec_server import FAULTY, actions_of, applied, spec
from tests.support.paths import ERRORS


@pytest.mark.parametrize("name", ["NN301-causal-cnn", "NN201-unknown-argument", "NN204-unknown-layer"])
def test_quick_fixes_mend(editor: Editor, name: str) -> None:
    path = next(p for p in FAULTY if p.stem.startswith(name[:5]))
    text = path.read_text(encoding="utf-8")
    uri = editor.open(text)
    before = editor.diagnostics(uri)
    fixes = actions_of(editor, uri, [lsp.CodeActionKind.QuickFix])
    assert fixes
    for fix in fixes:
        assert fix.diagnostics is not None
        mended = editor.open(applied(text, fix, uri))
        found = editor.diagnostics(mended)
        assert [d.message for d in found] != [d.message for d in before]


def test_a_certain_fix_is_preferred(editor: Editor) -> None:
    wrapped = "  - TimeDistributed: {layer: {Conv1D: {filters: 3, kernel_size: 2}}}"
    text = spec(f"  - Reshape: {{target_shape: [5, 10, 1]}}  # 😀\n{wrapped}\n  - Flatten\n  - Dense: {{units: 1}}")
    uri = editor.open(text)
    assert [d.code for d in editor.diagnostics(uri)] == ["NN301"]
    fixes = actions_of(editor, uri, [lsp.CodeActionKind.QuickFix])
    preferred = [fix for fix in fixes if fix.is_preferred]
    assert len(preferred) == 1
    mended = applied(text, preferred[0], uri)
    assert "permute: [feature, time]" in mended
    assert editor.diagnostics(editor.open(mended)) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_fix_all_is_nnspec_fix(editor: Editor, tmp_path: Path, newline: str) -> None:
    path = tmp_path / "spec.yaml"
    text = (ERRORS / "NN301-causal-cnn.yaml").read_text(encoding="utf-8").replace("\n", newline)
    path.write_bytes(text.encode())
    uri = editor.open(text, path.as_uri())
    for only in (["source.fixAll"], ["source.fixAll.nnspec"], ["source"], None):
        found = [a for a in actions_of(editor, uri, only) if a.kind == "source.fixAll.nnspec"]
        assert len(found) == 1
    mended = fix_file(path)
    assert mended.fixed
    assert found[0].edit is not None
    assert found[0].edit.changes is not None
    assert found[0].edit.changes[uri][0].new_text == mended.after
    assert not actions_of(editor, uri, [lsp.CodeActionKind.Refactor])


def test_nothing_to_fix(editor: Editor) -> None:
    assert actions_of(editor, editor.open(spec("  - Flatten"))) == []
