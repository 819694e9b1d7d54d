"""Words are for readers alone: with every message, label, note and title of a fix reworded, all else is as before.

Each text becomes another one that is the same wherever the text was the same, so that what is told once still is.
"""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

import pytest

from nnspec.diagnostics import Diagnostic, Fix, Related, model
from nnspec.diagnostics.apply import apply_fixes
from nnspec.diagnostics.text import to_text
from nnspec.fix.files import fix_file
from nnspec.pipeline import diagnose
from tests.support.paths import ERRORS, PACKAGE

SPECS = sorted(ERRORS.glob("*.yaml"))
WORDS = (
    "axis",
    "is",
    "`time`",
    "declared here",
    ("also here, with other values:"),
    "'units'",
    "not",
    "(time 10)",
    "made",
)


def reworded(text: str) -> str:
    """Other words, which depend on the text alone and look as messages do: quoted names, what code once looked for."""
    seed = hashlib.sha256(text.encode()).digest()
    return " ".join(WORDS[byte % len(WORDS)] for byte in seed[:6]) + f" {seed.hex()[:12]}" if text else ""


def facts(diagnostic: Diagnostic) -> tuple[object, ...]:
    """All that a diagnostic says beside its words."""
    related = [(str(place.span), place.subject) for place in diagnostic.all_related]
    edits = [[(str(edit.span), edit.text) for edit in fix.edits] for fix in diagnostic.fixes]
    certain = [fix.applicability for fix in diagnostic.fixes]
    return (
        *(diagnostic.code, str(diagnostic.span), diagnostic.path, diagnostic.severity, diagnostic.about),
        *(diagnostic.also, len(diagnostic.notes), related, edits, certain),
    )


def reword(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every diagnostic that is made from now on has other words."""

    def in_place(record: object, **texts: object) -> None:
        for name, text in texts.items():
            object.__setattr__(record, name, text)

    made, fixed, placed = Diagnostic.__init__, Fix.__init__, Related.__init__

    def init_diagnostic(self: Diagnostic, *args: object, **more: object) -> None:
        made(self, *args, **more)  # type: ignore[arg-type]
        if not self.message.endswith("\u2063"):  # a copy with other fields keeps its words
            notes = tuple(reworded(note) for note in self.notes)
            in_place(self, message=reworded(self.message) + "\u2063", label=reworded(self.label), notes=notes)

    def init_fix(self: Fix, *args: object, **more: object) -> None:
        fixed(self, *args, **more)  # type: ignore[arg-type]
        in_place(self, message=reworded(self.message))

    def init_related(self: Related, *args: object, **more: object) -> None:
        placed(self, *args, **more)  # type: ignore[arg-type]
        in_place(self, label=reworded(self.label))

    monkeypatch.setattr(model.Diagnostic, "__init__", init_diagnostic)
    monkeypatch.setattr(model.Fix, "__init__", init_fix)
    monkeypatch.setattr(model.Related, "__init__", init_related)


def diagnostics_of(spec: Path) -> list[Diagnostic]:
    text = spec.read_bytes().decode("utf-8", "replace")
    return diagnose(spec.name, dict(re.findall(r"^# --set (\S+?)=(.*)$", text, re.MULTILINE)))


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_other_words_change_nothing(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ERRORS)
    before = diagnostics_of(spec)
    text = spec.read_bytes().decode("utf-8", "replace")
    mended = [apply_fixes(text, [fix]) for d in before for fix in d.fixes if _is_here(fix, spec)]
    with monkeypatch.context() as patched:
        reword(patched)
        after = diagnostics_of(spec)
        again = [apply_fixes(text, [fix]) for d in after for fix in d.fixes if _is_here(fix, spec)]
    assert all(a.message != b.message for a, b in zip(before, after, strict=True))
    assert [facts(d) for d in after] == [facts(d) for d in before]
    assert again == mended
    assert to_text(after).count("\n") == to_text(before).count("\n")  # labels are merged at the same places


def test_all_certain_fixes_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`nnspec fix` goes round until nothing certain is left: its choices do not hang on words."""
    for spec in SPECS:
        (tmp_path / spec.name).write_bytes(spec.read_bytes())
    monkeypatch.chdir(tmp_path)
    before = {spec.name: fix_file(Path(spec.name)).after for spec in SPECS if spec.stem.startswith("NN3")}
    reword(monkeypatch)
    assert {name: fix_file(Path(name)).after for name in before} == before


def _is_here(fix: Fix, spec: Path) -> bool:
    return bool(fix.edits) and all(edit.span.source.name == spec.name for edit in fix.edits)


READ_AS_DATA = {"startswith", "endswith", "split", "rsplit", "partition", "rpartition", "find", "index", "removeprefix"}
READ_AS_DATA |= {"fullmatch", "match", "search", "findall", "finditer", "removesuffix", "splitlines"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nobody_parses_words(path: Path) -> None:
    """No message, label or note is compared, searched or cut: what code acts on has a field."""

    def has_words(node: ast.AST) -> bool:
        return any(isinstance(n, ast.Attribute) and n.attr in ("message", "notes") for n in ast.walk(node))

    found = []
    text = path.read_text(encoding="utf-8")
    if not re.search(r"\b(message|notes)\b", text):
        return  # none of them is read here
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and not all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            found += [node.lineno] if has_words(node) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READ_AS_DATA:
            inside = [node.func.value, *node.args]
            found += [node.lineno] if any(has_words(part) for part in inside) else []
    assert not found, f"{path.name}: lines {found} read a diagnostic's words"
