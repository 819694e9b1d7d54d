"""`nnspec lsp` answers whatever is opened: odd text, odd addresses, documents cut off anywhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from nnspec.layers.registry import REGISTRY
from tests.end_to_end.editors.client import Editor, position_after
from tests.end_to_end.editors.nnspec_server import COMMAND, NAMES, ROOT, WHOLE, actions_of, identifier, spec

ODD = [
    "",
    "\n\n",
    "%",
    "}{",
    "- - - -",
    "\t\t: x",
    "nnspec",
    "nnspec: 1",
    "nnspec: [1",
    "model:\n  - ",
    "model: {a: *b}",
    "inputs: &a [*a]",
    "inputs: {x: {axes: {time: $(9**9**9)}}}\nmodel: []\noutputs: {}\nnnspec: 1",
    "nnspec: 1\nmodel: {}\ninputs: []\noutputs: 3\nvars: x\nblocks: [1]\nlayers: 7\ntraining: []",
    "nnspec: 1\nmodel: [[], {}, null, 3, {1: 2}, {repeat: 3}, {block: []}, {share: {}}, repeat]\ninputs: {x: }",
    "model: " + "[" * 300,
    "\x00\x01\x02",
    "nnspec: 1\ninputs: {x: {axes: {time: 3}}}\nmodel: [{Dense: {units: 1e400}}]\noutputs: {y: {task: regression}}",
    "nnspec: 1\n\u2028model:\u0085 x",
    "😀: {😀: [😀",
    "\ufeffnnspec: 1",
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_survives(editor: Editor, text: str) -> None:
    """Every request at every line of an odd document is answered."""
    uri = editor.open(text)
    editor.diagnostics(uri)
    here = identifier(uri)
    for line in range(text.count("\n") + 2):
        for character in (0, 7, 500):
            position = lsp.Position(line, character)
            editor.ask("text_document_hover", lsp.HoverParams(here, position))
            editor.ask("text_document_definition", lsp.DefinitionParams(here, position))
            editor.ask("text_document_completion", lsp.CompletionParams(here, position))
            editor.ask("text_document_prepare_rename", lsp.PrepareRenameParams(here, position))
    editor.ask("text_document_inlay_hint", lsp.InlayHintParams(here, WHOLE))
    editor.ask("text_document_document_symbol", lsp.DocumentSymbolParams(here))
    actions_of(editor, uri)
    assert editor.diagnostics(editor.open(spec("  - Flatten"))) == []


def test_documents_that_are_not_open(editor: Editor) -> None:
    here = identifier("file:///nowhere/unknown.yaml")
    assert editor.ask("text_document_hover", lsp.HoverParams(here, lsp.Position(0, 0))) is None
    assert editor.ask("text_document_inlay_hint", lsp.InlayHintParams(here, WHOLE)) == ()
    assert actions_of(editor, here.uri) == []


def test_other_yaml_is_left_alone(editor: Editor) -> None:
    assert editor.diagnostics(editor.open("version: 3\nservices:\n  web: {image: nginx}\n")) == []
    assert editor.diagnostics(editor.open("{{ template }}\nkind: Pod\n")) == []


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "file:///specs/a%20b/%C3%A4.yaml", "zipfile:///a.zip::b.yaml"])
def test_any_uri(editor: Editor, uri: str) -> None:
    assert [d.code for d in editor.diagnostics(editor.open(spec("  - Denes: {}"), uri))] == ["NN204"]
    editor.close_document(uri)


def test_a_document_cut_off_anywhere(editor: Editor) -> None:
    """As while typing: each prefix of a spec is answered, and the whole is clean again."""
    text = NAMES
    uri = editor.open("")
    for version, end in enumerate(range(0, len(text), 23), start=2):
        editor.change(uri, version, text[:end])
        position = position_after(text[:end])
        editor.ask("text_document_completion", lsp.CompletionParams(identifier(uri), position))
        editor.ask("text_document_inlay_hint", lsp.InlayHintParams(identifier(uri), WHOLE))
    editor.change(uri, 1000, text)
    assert [d for d in editor.diagnostics(uri, 1000) if d.severity == lsp.DiagnosticSeverity.Error] == []


def test_every_kind_of_layer_has_a_hover(editor: Editor) -> None:
    for kind in REGISTRY:
        shown = editor.hover(spec(f"  - {kind[:1]}|{kind[1:]}: {{name: a}}"))
        assert (type(REGISTRY[kind]).__doc__ or "").split()[0] in shown


def test_what_to_install_where_pygls_is_missing(tmp_path: Path) -> None:
    """A package of that name that cannot be imported stands for one that is not there."""
    (tmp_path / "pygls").mkdir()
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('pygls', 'lsprotocol'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n",
        encoding="utf-8",
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": str(os.environ["PATH"])}
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "`nnspec lsp` needs pygls: pip install 'nnspec[lsp]'\n"
