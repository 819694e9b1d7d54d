"""Names in a spec: where they are declared, who uses them, and how they are changed everywhere."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from tests.end_to_end.editors.client import Editor, position_after
from tests.end_to_end.editors.nnspec_server import NAMES, applied, identifier, text_at


@pytest.mark.parametrize(
    ("mention", "token", "declared"),
    [
        ("time: $lo|ok", "look", "vars: {|look"),
        ("$(lo|ok // 2)", "look", "vars: {|look"),
        ("units: $ha|lf", "half", "10, |half: "),
        ("$(lo|ok * 2)", "look", "vars: {|look"),
        ("units: $fil|ters", "filters", "parameters: {|filters"),
        ("residual, fil|ters: ", "filters", "parameters: {|filters"),
        ("units: $n|}", "n", "for: {|n: "),
        ("share: en|c", "enc", "layers: {|enc"),
        ("use: resi|dual", "residual", "  |residual:"),
        ("from: bo|dy", "body", "name: |body"),
        ("from: [in|ner", "inner", "name: |inner"),
        ("regression, from: fl|at", "flat", "name: |flat"),
        ("from: dense|_3", "Dense", "- |Dense: {units: $(look"),
        ("name: fl|at", "flat", "name: |flat"),
    ],
)
def test_definition(editor: Editor, mention: str, token: str, declared: str) -> None:
    marked = NAMES.replace(mention.replace("|", ""), mention, 1)
    uri, position = editor.place(marked)
    answer = editor.ask("text_document_definition", lsp.DefinitionParams(identifier(uri), position))
    assert len(answer) == 1
    assert answer[0].uri == uri
    before, _, after = declared.partition("|")
    offset = NAMES.index(before + after) + len(before)
    assert answer[0].range.start == position_after(NAMES[:offset])
    assert text_at(NAMES, answer[0].range) == token


def test_definition_of_nothing(editor: Editor) -> None:
    uri, position = editor.place(NAMES.replace("regression", "regre|ssion", 1))
    assert not editor.ask("text_document_definition", lsp.DefinitionParams(identifier(uri), position))


def test_references(editor: Editor) -> None:
    uri, position = editor.place(NAMES.replace("{look", "{lo|ok", 1))
    for with_declaration, count in ((True, 4), (False, 3)):
        context = lsp.ReferenceContext(include_declaration=with_declaration)
        found = editor.ask("text_document_references", lsp.ReferenceParams(context, identifier(uri), position))
        assert [text_at(NAMES, place.range) for place in found] == ["look"] * count


def test_rename(editor: Editor) -> None:
    uri, position = editor.place(NAMES.replace("name: flat", "name: fl|at", 1))
    where = editor.ask("text_document_prepare_rename", lsp.PrepareRenameParams(identifier(uri), position))
    assert text_at(NAMES, where) == "flat"
    edit = editor.ask("text_document_rename", lsp.RenameParams(identifier(uri), position, "level"))
    renamed = applied(NAMES, lsp.CodeAction("", edit=edit), uri)
    assert renamed == NAMES.replace("flat,", "level,").replace("from: flat}", "from: level}")
    assert editor.diagnostics(editor.open(renamed)) == editor.diagnostics(uri)


@pytest.mark.parametrize("new", ["a b", "body", ""])
def test_rename_refuses(editor: Editor, new: str) -> None:
    uri, position = editor.place(NAMES.replace("name: flat", "name: fl|at", 1))
    with pytest.raises(Exception, match=r"cannot be a name|already"):
        editor.ask("text_document_rename", lsp.RenameParams(identifier(uri), position, new))
