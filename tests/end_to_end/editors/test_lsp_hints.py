"""The axes that `nnspec lsp` shows behind each layer."""

from __future__ import annotations

from lsprotocol import types as lsp

from tests.end_to_end.editors.client import Editor
from tests.end_to_end.editors.nnspec_server import WHOLE, identifier, spec


def hints_of(editor: Editor, text: str) -> dict[int, str]:
    uri = editor.open(text)
    answer = editor.ask("text_document_inlay_hint", lsp.InlayHintParams(identifier(uri), WHOLE))
    return {hint.position.line: hint.label for hint in answer}


def test_hints_show_the_axes_after_each_layer(editor: Editor) -> None:
    items = (
        "  - Conv1D: {filters: 7, kernel_size: 3}  # a comment\n  - repeat:\n      for: {n: [2, 3]}\n      model:\n"
        "        - Dense:\n            units: $n\n  - Flatten"
    )
    uri = editor.open(spec(items))
    answer = editor.ask("text_document_inlay_hint", lsp.InlayHintParams(identifier(uri), WHOLE))
    lines = spec(items).split("\n")
    shown = {lines[hint.position.line].strip(): (hint.label, hint.position.character) for hint in answer}
    assert shown["- Conv1D: {filters: 7, kernel_size: 3}  # a comment"] == ("→ (time 8, filter 7)", 40)
    assert shown["- Dense:"] == ("→ (time 8, unit 2), then (time 8, unit 3)", 16)
    assert shown["- Flatten"][0] == "→ (time_unit 24)"


def test_hints_in_spite_of_faults(editor: Editor) -> None:
    items = "  - Conv1D: {filters: 7, kernel_size: 3}\n  - Reshape: {target_shape: [7, 8]}\n  - Flatten"
    assert next(iter(hints_of(editor, spec(items)).values())) == "→ (time 8, filter 7)"
    items = "  - Conv1D: {filters: 7, kernel_size: 3}\n  - Dense: {units: three}\n  - Flatten"
    assert next(iter(hints_of(editor, spec(items)).values())) == "→ (time 8, filter 7)"


def test_hints_only_where_asked(editor: Editor) -> None:
    uri = editor.open(spec("  - Flatten\n  - Dense: {units: 3}"))
    where = lsp.Range(lsp.Position(4, 0), lsp.Position(4, 80))
    answer = editor.ask("text_document_inlay_hint", lsp.InlayHintParams(identifier(uri), where))
    assert [hint.position.line for hint in answer] == [4]
