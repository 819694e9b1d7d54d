"""`nnspec lsp` as an editor sees it: the real server over stdio, spoken to by pygls' client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from nnspec.diagnostics import Severity
from nnspec.layers import REGISTRY
from nnspec.mending import mend
from nnspec.pipeline import diagnose
from tests.editors.client import Editor, position_after

ROOT = Path(__file__).parent.parent.parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
FAULTY = sorted((ROOT / "tests" / "errors").glob("*.yaml"))
COMMAND = [sys.executable, "-m", "nnspec.cli", "lsp", "--stdio"]
HEAD = "nnspec: 1\ninputs:\n  x: {axes: {time: 10, feature: 5}}\n"
TAIL = "outputs:\n  y: {task: regression}\n"
WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    editor = Editor(COMMAND)
    yield editor
    assert editor.is_running  # whatever was opened
    editor.close()


def spec(items: str, more: str = "") -> str:
    return f"{HEAD}{more}model:\n{items}\n{TAIL}"


def identifier(uri: str) -> lsp.TextDocumentIdentifier:
    return lsp.TextDocumentIdentifier(uri)


def text_at(text: str, where: lsp.Range) -> str:
    """The text of a range, counted in UTF-16 as the protocol does."""
    lines = text.split("\n")
    if where.start.line != where.end.line:
        return "\n".join(lines[where.start.line : where.end.line + 1])
    units = lines[where.start.line].encode("utf-16-le")
    return units[2 * where.start.character : 2 * where.end.character].decode("utf-16-le")


# ------------------------------------------------------------------------------------------------- diagnostics


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
        assert diagnostic.code_description.href.endswith(f"nnspec/explain/{mine.code}.md")
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


def test_only_the_last_of_many_changes_is_checked(editor: Editor) -> None:
    uri = editor.open(spec("  - Flatten"))
    assert editor.diagnostics(uri, 1) == []
    for version in range(2, 12):
        editor.change(uri, version, spec(f"  - Flattn{version}"))
    found = editor.diagnostics(uri)
    assert "Flattn11" in found[0].message


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


# ------------------------------------------------------------------------------------------------- hover, hints


def test_hover_shows_what_a_layer_does(editor: Editor) -> None:
    shown = editor.hover(spec("  - Conv|1D: {filters: 7, kernel_size: 3, padding: causal}"))
    assert "`(time 10, feature 5)` → `(time 10, filter 7)`" in shown
    assert "kernel `(3, 5, 7)`" in shown
    assert "= 112" in shown  # 3·5·7 + 7
    assert "sees: time 3" in shown
    assert "slide along a sequence" in shown


def test_hover_shows_every_round(editor: Editor) -> None:
    items = "  - repeat:\n      for: {units: [3, 7]}\n      model:\n        - Den|se: {units: $units}"
    shown = editor.hover(spec(items))
    assert "`(time 10, feature 5)` → `(time 10, unit 3)`" in shown
    assert "`(time 10, unit 3)` → `(time 10, unit 7)`" in shown
    assert "units = 3" in shown


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("  - Flat|ten", "`(time 10, feature 5)` → `(time_feature 50)`"),
        ("  - Dense: {uni|ts: 3}", "size of the axis that it makes"),
        ("  - Conv1D: {filters: 3, kernel_size: 3, padding: cau|sal}", "zeros at the beginning only"),
        ("  - Conv1D: {filters: 3, kernel_size: 3, padd|ing: same}", "default `valid`"),
        ("  - Dense: {units: 3, kernel_initializer: he_nor|mal}", "He normal initializer"),
        ("  - Dense: {units: 3, kernel_initializer: {RandomN|ormal: {}}}", "Random normal"),
        ("  - Dense: {units: 3, kernel_initializer: {RandomNormal: {std|dev: 0.1}}}", "Standard deviation"),
        ("  - TimeDistributed: {layer: {Den|se: {units: 3}}}", "A linear map of the last axis"),
        ("  - TimeDistributed: {layer: {Dense: {uni|ts: 3}}}", "size of the axis that it makes"),
        ("  - Dense: {units: 3, fr|om: x}", "What it reads"),
        ("  - Flatten  # because of NN3|01", "reshape"),
    ],
)
def test_hover_explains(editor: Editor, items: str, said: str) -> None:
    assert said in editor.hover(spec(items))


def test_hover_on_sections_and_variables(editor: Editor) -> None:
    text = spec("  - Dense: {units: $(2 * wi|dth)}", more="vars: {width: 4}\n")
    assert "`width` = `4`" in editor.hover(text)
    assert "learning rate" in editor.hover(spec("  - Flatten") + "training: {optimizer: {Adam: {learning_r|ate: 1}}}")
    assert "Passes over" in editor.hover(spec("  - Flatten") + "training: {epo|chs: 3}\n")
    assert editor.hover(spec("  - Flatten  # |nothing to say")) == ""


def test_hover_in_spite_of_faults(editor: Editor) -> None:
    """A fault against the schema further up: what can be known is shown."""
    items = "  - Conv1D: {filters: 7, kernel_size: 3}\n  - Flat|ten\n  - Dense: {unitz: 4}\n  - Softmaxx"
    assert "→ `(time_filter 56)`" in editor.hover(spec(items))
    items = "  - Conv1D: {filters: 7, kernel_size: [1, 2, 3]}\n  - Flat|ten"
    assert "Merges all axes" in editor.hover(spec(items))


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


# ------------------------------------------------------------------------------------------------- fixes


def actions_of(editor: Editor, uri: str, only: list[lsp.CodeActionKind | str] | None = None) -> list[lsp.CodeAction]:
    context = lsp.CodeActionContext(diagnostics=[], only=only)
    return list(editor.ask("text_document_code_action", lsp.CodeActionParams(identifier(uri), WHOLE, context)))


def applied(text: str, action: lsp.CodeAction, uri: str) -> str:
    """The text after an action's edits, as an editor makes them."""
    assert action.edit is not None
    assert action.edit.changes is not None
    result = text
    for edit in sorted(action.edit.changes[uri], key=lambda e: e.range.start, reverse=True):
        starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
        start, end = (
            starts[min(p.line, len(starts) - 1)]
            + len(
                text[starts[min(p.line, len(starts) - 1)] :].encode("utf-16-le")[: 2 * p.character].decode("utf-16-le")
            )
            for p in (edit.range.start, edit.range.end)
        )
        result = result[:start] + edit.new_text + result[end:]
    return result


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
    text = (ROOT / "tests" / "errors" / "NN301-causal-cnn.yaml").read_text(encoding="utf-8").replace("\n", newline)
    path.write_bytes(text.encode())
    uri = editor.open(text, path.as_uri())
    for only in (["source.fixAll"], ["source.fixAll.nnspec"], ["source"], None):
        found = [a for a in actions_of(editor, uri, only) if a.kind == "source.fixAll.nnspec"]
        assert len(found) == 1
    mended = mend(path)
    assert mended.made
    assert found[0].edit is not None
    assert found[0].edit.changes is not None
    assert found[0].edit.changes[uri][0].new_text == mended.after
    assert not actions_of(editor, uri, [lsp.CodeActionKind.Refactor])


def test_nothing_to_fix(editor: Editor) -> None:
    assert actions_of(editor, editor.open(spec("  - Flatten"))) == []


# ------------------------------------------------------------------------------------------------- names

NAMES = """\
nnspec: 1
vars: {look: 10, half: $(look // 2)}
inputs: {x: {axes: {time: $look, feature: 5}}}
layers: {enc: {Dense: {units: $half}}}
blocks:
  residual:
    parameters: {filters: 5}
    model:
      - Dense: {units: $filters, name: inner, from: input}
      - Add: {from: [inner, inner]}
model:
  - share: enc
  - repeat: {for: {n: [1, 2]}, model: [{Dense: {units: $n}}]}
  - block: {use: residual, filters: $(half + 1), name: body}
  - Flatten: {name: flat, from: body}
  - Dense: {units: $(look * 2)}
outputs: {y: {task: regression, from: flat}, z: {task: regression, from: dense_3}}
"""


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


def test_completes_what_the_document_knows(editor: Editor) -> None:
    more = "vars: {width: 4}\nblocks: {head: {model: [Flatten]}}\nlayers: {enc: {Dense: {units: 3}}}\n"
    assert "width" in editor.complete(spec("  - Dense: {units: $|}", more))
    assert "head" in editor.complete(spec("  - Flatten\n  - block: |", more))
    assert "enc" in editor.complete(spec("  - Flatten\n  - share: {use: |}", more))
    found = editor.complete(spec("  - Dense: {units: 3, name: a}\n  - Flatten: {from: |}", more))
    assert {"x", "a"} <= set(found)
    assert {"time", "unit"} <= set(editor.complete(spec("  - Dense: {units: 3}\n  - permute: [|]", more)))
    assert not editor.complete(spec("  - Dense: {units: |}", more))


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


# ------------------------------------------------------------------------------------------------- robustness

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
