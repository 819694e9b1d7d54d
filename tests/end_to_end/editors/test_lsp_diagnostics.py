"""`nnspec lsp` says what `nnspec check` says. The real server over stdio, spoken to by pygls' client."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from nnspec.diagnostics import Severity
from nnspec.pipeline import diagnose
from tests.end_to_end.editors.client import Editor
from tests.end_to_end.editors.nnspec_server import COMMAND, FAULTY, SPECS, WHOLE, identifier, spec, text_at
from tests.support.paths import ROOT


@pytest.mark.parametrize("path", FAULTY, ids=[path.stem for path in FAULTY])
def test_says_what_check_says(editor: Editor, path: Path) -> None:
    """Code, severity and place of every diagnostic, from the text in the editor."""
    wanted = diagnose(path)
    if "NN102" in [d.code for d in wanted]:
        return  # no text, so no editor opens it
    text = path.read_bytes().decode("utf-8-sig")
    found = editor.diagnostics(editor.open(text, path.as_uri()))
    editor.close_document(path.as_uri())
    assert [d.code for d in found] == [d.code for d in wanted]
    for diagnostic, mine in zip(found, wanted, strict=True):
        assert diagnostic.message.startswith(mine.message)
        assert all(note in diagnostic.message for note in mine.notes)
        is_error = mine.severity is Severity.ERROR
        assert diagnostic.severity == (lsp.DiagnosticSeverity.Error if is_error else lsp.DiagnosticSeverity.Warning)
        assert len(diagnostic.related_information or []) == len(mine.related)
        assert diagnostic.code_description is not None
        page = diagnostic.code_description.href.partition("/blob/main/")[2]
        assert (ROOT / page).name == f"{mine.code}.md"
        assert (ROOT / page).is_file()
        if mine.span.line == mine.span.end_line and "\u2028" not in text:
            assert text_at(text.replace("\r\n", "\n"), diagnostic.range) == mine.span.text


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_finds_nothing_wrong_with_specs(editor: Editor, path: Path) -> None:
    """Their data files are found beside them."""
    uri = path.as_uri()
    assert editor.diagnostics(editor.open(path.read_text(encoding="utf-8"), uri)) == []
    hints = editor.ask("text_document_inlay_hint", lsp.InlayHintParams(identifier(uri), WHOLE))
    assert hints
    assert editor.ask("text_document_document_symbol", lsp.DocumentSymbolParams(identifier(uri)))
    editor.close_document(uri)


def test_follows_the_text_and_not_the_file(editor: Editor, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(spec("  - Dense: {unit: 3}"), encoding="utf-8")
    uri = editor.open(spec("  - Flatten\n  - Dense: {units: 3}"), path.as_uri())
    assert editor.diagnostics(uri, 1) == []
    editor.change(uri, 2, spec("  - Flatten\n  - Dense: {units: -3}"))
    assert [d.code for d in editor.diagnostics(uri, 2)] == ["NN206"]
    editor.change(uri, 3, spec("  - Flatten\n  - Dense: {units: 3"))
    assert [d.code for d in editor.diagnostics(uri, 3)] == ["NN103"]
    editor.change(uri, 4, spec("  - Flatten\n  - Dense: {units: 3}"))
    assert editor.diagnostics(uri, 4) == []
    editor.close_document(uri)
    assert editor.diagnostics(uri) == []  # an editor would go on showing them


def test_changes_that_follow_each_other_are_not_each_checked(editor: Editor) -> None:
    """The last one is; one before it only where the machine was so busy that typing seemed to pause there."""
    uri = editor.open(spec("  - Flatten"))
    assert editor.diagnostics(uri, 1) == []
    for version in range(2, 12):
        editor.change(uri, version, spec(f"  - Flattn{version}"))
    checked = [editor.diagnostics(uri)[0].message]
    while "Flattn11" not in checked[-1]:
        checked.append(editor.diagnostics(uri)[0].message)
    assert len(checked) < 10


def test_data_files_that_change_on_disk(editor: Editor, quick: Path) -> None:
    uri = quick.as_uri()
    assert editor.diagnostics(editor.open(quick.read_text(encoding="utf-8"), uri)) == []
    table = quick.parent / "series.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("level,phase", "niveau,phase"), encoding="utf-8")
    parameters = lsp.DidSaveTextDocumentParams(identifier(uri))
    editor.notify("text_document_did_save", parameters)
    assert "level" in editor.diagnostics(uri)[0].message


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_counts_in_utf_16(editor: Editor, newline: str) -> None:
    """An emoji is two units, whatever stands before the token; U+2028 is no line break to an editor."""
    items = '  - Dense: {name: "😀😀", units: 3}  # 😀\n  - Dense: {description: "😀", unitz: 4}'
    text = spec(items, more='description: "a\u2028b"\n').replace("\n", newline)
    found = editor.diagnostics(editor.open(text))
    lines = text.split(newline)
    for diagnostic, token in ((found[0], '"😀😀"'), (found[-1], "unitz")):
        start = diagnostic.range.start
        line = next(number for number, line in enumerate(lines) if token in line)
        before = lines[line].partition(token)[0]
        assert (start.line, start.character) == (line, len(before.encode("utf-16-le")) // 2)


@pytest.mark.parametrize("encoding", list(lsp.PositionEncodingKind))
def test_counts_as_the_client_wants(encoding: lsp.PositionEncodingKind) -> None:
    editor = Editor(COMMAND, encoding=encoding)
    text = spec('  - Dense: {as: "ä😀", unitz: 4}')
    start = next(d for d in editor.diagnostics(editor.open(text)) if "unitz" in d.message).range.start
    before = text.split("\n")[start.line].partition("unitz")[0]
    units = {"utf-8": len(before.encode()), "utf-16": len(before.encode("utf-16-le")) // 2, "utf-32": len(before)}
    assert start.character == units[encoding.value]
    editor.close()
