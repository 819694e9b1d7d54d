"""What `nnspec lsp` completes, and the outline of a document."""

from __future__ import annotations

from lsprotocol import types as lsp

from tests.end_to_end.editors.client import Editor, position_after
from tests.end_to_end.editors.nnspec_server import NAMES, identifier, spec


def test_completes_what_the_document_knows(editor: Editor) -> None:
    more = "vars: {width: 4}\nblocks: {head: {model: [Flatten]}}\nlayers: {enc: {Dense: {units: 3}}}\n"
    assert "width" in editor.complete(spec("  - Dense: {units: $|}", more))
    assert "head" in editor.complete(spec("  - Flatten\n  - block: |", more))
    assert "enc" in editor.complete(spec("  - Flatten\n  - share: {use: |}", more))
    found = editor.complete(spec("  - Dense: {units: 3, name: a}\n  - Flatten: {from: |}", more))
    assert {"x", "a"} <= set(found)
    assert {"time", "unit"} <= set(editor.complete(spec("  - Dense: {units: 3}\n  - permute: [|]", more)))
    assert not editor.complete(spec("  - Dense: {units: |}", more))


def test_completes_a_body_that_is_one_argument(editor: Editor) -> None:
    two = "  - Dense: {units: 3, name: a}\n"
    assert {"x", "a"} <= set(editor.complete(spec(f"{two}  - Add: [x, |]")))
    assert {"time", "unit"} <= set(editor.complete(spec(f"{two}  - Softmax: |")))
    assert "width" in editor.complete(spec("  - Dense: $|", "vars: {width: 4}\n"))
    assert not editor.complete(spec("  - Dense: |"))


def test_completes_in_broken_text(editor: Editor) -> None:
    uri = editor.open(spec("  - Dense: {units: 3}\n  - Flatten", more="vars: {width: 4}\n"))
    editor.diagnostics(uri)
    text = spec("  - Dense: {units: $\n  - Flatten", more="vars: {width: 4}\n")
    editor.change(uri, 2, text)
    position = position_after(text[: text.index("$") + 1])
    answer = editor.ask("text_document_completion", lsp.CompletionParams(identifier(uri), position))
    assert [item.label for item in answer] == ["width"]


def test_outline(editor: Editor) -> None:
    uri = editor.open(NAMES)
    answer = editor.ask("text_document_document_symbol", lsp.DocumentSymbolParams(identifier(uri)))
    found = {symbol.name: symbol for symbol in answer}
    assert list(found) == ["nnspec", "vars", "inputs", "layers", "blocks", "model", "outputs"]
    assert [child.name for child in found["model"].children] == [
        "share",
        "repeat",
        "block body",
        "Flatten flat",
        "Dense",
    ]
    assert found["model"].children[3].detail == "(time_unit 60)"
    for symbol in [*answer, *found["model"].children]:
        assert symbol.range.start <= symbol.selection_range.start
        assert symbol.selection_range.end <= symbol.range.end
