"""Diagnostics as text and JSON."""

from __future__ import annotations

import json
import time

import pytest

from nnspec.diagnostics import (
    Applicability,
    Diagnostic,
    Edit,
    Fix,
    Related,
    Report,
    Severity,
    Source,
    Span,
    SpecError,
    Step,
    did_you_mean,
    nearest,
)
from nnspec.diagnostics.apply import OverlapError, apply_fixes
from nnspec.diagnostics.text import cells, to_json, to_text, visible

TEXT = "model:\n  - Reshape: {target_shape: [5, 10, 1]}\n  - Flatten\n"
SOURCE = Source("specs/a.yaml", TEXT)
HERE = Span.between(SOURCE, line=2, column=29, end_line=2, end_column=39)
ITEM = Span.between(SOURCE, line=2, column=5, end_line=2, end_column=40)


def diagnostic(**more: object) -> Diagnostic:
    return Diagnostic("NN301", "reshape scrambles axes", HERE, **more)  # type: ignore[arg-type]


def test_text() -> None:
    fix = Fix("reorder first", (Edit(ITEM, "permute: [b, a]\n  - insert: {c: 1}"),), Applicability.MACHINE)
    found = diagnostic(
        label="axis 0 would contain a // 2", notes=("sizes agree",), fixes=(fix, Fix("or not")), path="model[0]"
    )
    assert to_text([found]) == (
        "error[NN301]: reshape scrambles axes\n"
        " --> specs/a.yaml:2:29\n"
        "  |\n"
        "2 |   - Reshape: {target_shape: [5, 10, 1]}\n"
        "  |                             ^^^^^^^^^^ axis 0 would contain a // 2\n"
        "  = note: sizes agree\n"
        "help: reorder first (machine-applicable: nnspec fix)\n"
        "2 ~   - permute: [b, a]\n"
        "3 +   - insert: {c: 1}\n"
        "help: or not\n"
        "  = see: nnspec explain NN301\n"
        "\n"
        "1 error\n"
    )


def test_related_places_and_trails() -> None:
    span = Span.between(
        SOURCE,
        line=2,
        column=5,
        end_line=2,
        end_column=12,
        trail=(
            Step("repeat", None, {"n": 7}, (2, 3)),
            Step("block b", Span.between(SOURCE, line=1, column=1, end_line=1, end_column=6)),
        ),
    )
    other = Span.between(Source("--set", "vars.a=3"), line=1, column=1, end_line=1, end_column=9)
    found = Diagnostic(
        "NN402",
        "taken",
        span,
        related=(
            Related(Span.between(SOURCE, line=3, column=5, end_line=3, end_column=12), "here too"),
            Related(other, "set here"),
        ),
        severity=Severity.WARNING,
    )
    assert to_text([found]) == (
        "warning[NN402]: taken\n"
        " --> specs/a.yaml:2:5\n"
        "  |\n"
        "2 |   - Reshape: {target_shape: [5, 10, 1]}\n"
        "  |     ^^^^^^^\n"
        " ::: specs/a.yaml:3:5\n"
        "  |\n"
        "3 |   - Flatten\n"
        "  |     ------- here too\n"
        " --> --set:1:1\n"
        "  |\n"
        "1 | vars.a=3\n"
        "  | -------- set here\n"
        " ::: specs/a.yaml:1:1\n"
        "  |\n"
        "1 | model:\n"
        "  | ----- used here\n"
        "  = in repeat: n = 7 (round 2 of 3)\n"
        "  = in block b, used on line 1\n"
        "  = see: nnspec explain NN402\n"
        "\n"
        "1 warning\n"
    )


@pytest.mark.parametrize(
    ("severities", "line"),
    [
        ([], ""),
        (["error"], "1 error\n"),
        (["error", "error", "warning"], "2 errors and 1 warning\n"),
        (["warning", "warning"], "2 warnings\n"),
    ],
)
def test_counts(severities: list[str], line: str) -> None:
    text = to_text([diagnostic(severity=Severity(s)) for s in severities])
    assert text.endswith(line)
    assert (text == "") == (not severities)


def test_edits_of_one_line_are_shown_together() -> None:
    edits = (
        Edit(Span.between(SOURCE, line=2, column=5, end_line=2, end_column=12), "X"),
        Edit(Span.between(SOURCE, line=2, column=30, end_line=2, end_column=31), "7"),
        Edit(Span.between(SOURCE, line=3, column=5, end_line=3, end_column=12), "Y"),
    )
    text = to_text([diagnostic(fixes=(Fix("three edits", edits[::-1]),))])
    assert "help: three edits\n2 ~   - X: {target_shape: [7, 10, 1]}\n3 ~   - Y\n" in text


def test_colour_only_where_it_is_wanted() -> None:
    fix = Fix("reorder", (Edit(ITEM, "permute: [b, a]"),))
    assert "\x1b" not in to_text([diagnostic(fixes=(fix,))])
    coloured = to_text([diagnostic(fixes=(fix,), notes=("why",))], colour=True)
    assert "\x1b[1;31merror[NN301]\x1b[0m" in coloured
    plain = to_text([diagnostic(fixes=(fix,), notes=("why",))])
    assert coloured.replace("\x1b[0m", "").count("\x1b") > 5
    stripped = coloured
    for code in ("1;31", "1;33", "1", "1;34", "1;36", "1;32", "0"):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert stripped == plain


def test_nothing_reaches_the_terminal_but_text() -> None:
    source = Source("a\x1b]0;b.yaml", "key: \x1b[31mred\x07\tend\n")
    found = Diagnostic(
        "NN103", "bad \x1b[2J", Span.between(source, line=1, column=6, end_line=1, end_column=7), notes=("\x1b",)
    )
    text = to_text([found])
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "key: �[31mred� end" in text
    assert visible("é\tü\u202e") == "é ü�"


def test_long_lines_are_shown_around_the_place() -> None:
    line = "a" * 300 + "HERE" + "b" * 300
    found = Diagnostic(
        "NN103", "bad", Span.between(Source("a.yaml", line), line=1, column=301, end_line=1, end_column=305)
    )
    shown, carets = to_text([found]).splitlines()[3:5]
    assert len(shown) < 170
    assert shown.index("HERE") == carets.index("^^^^")


@pytest.mark.parametrize(
    ("before", "marked", "pad", "carets"),
    [
        ("key: ", "値です", 5, 6),  # two columns a character
        ("鍵: ", "[5]", 4, 3),
        ("a: é̀, ", "b", 6, 1),  # combining accents take none
        ("a: 🎉🎉 ", "x", 8, 1),
        ("\tk: ", "v", 4, 1),  # a tab is shown as one space
        ("a: \u1112\u1161\u11ab ", "b", 6, 1),  # one Hangul syllable of three letters
        ("a: \ufeff\u200d", "b", 5, 1),  # invisible characters are shown
    ],
)
def test_carets_stand_below_wide_characters(before: str, marked: str, pad: int, carets: int) -> None:
    start = len(before) + 1
    span = Span.between(
        Source("a.yaml", before + marked + " # end\n"), line=1, column=start, end_line=1, end_column=start + len(marked)
    )
    assert to_text([Diagnostic("NN103", "bad", span)]).splitlines()[4] == "  | " + " " * pad + "^" * carets


def test_wide_long_lines_fit_the_terminal() -> None:
    line = "漢" * 300 + "HERE" + "字" * 300
    found = Diagnostic(
        "NN103", "bad", Span.between(Source("a.yaml", line), line=1, column=301, end_line=1, end_column=305)
    )
    shown, carets = to_text([found]).splitlines()[3:5]
    assert cells(shown) <= 170
    assert cells(shown[: shown.index("HERE")]) == carets.index("^^^^")


def test_lines_are_those_of_yaml() -> None:
    text = "a: 1\r\nb: 2\rc: \x0b3\x85d: 4\u2028e: 5\u2029f: 6\n"
    source = Source("a.yaml", text)
    assert [source.line(n) for n in range(9)] == ["", "a: 1", "b: 2", "c: \x0b3", "d: 4", "e: 5", "f: 6", "", ""]
    for number, letter in enumerate("abcdef", start=1):
        span = source.character(text.index(letter))
        assert (span.line, span.column, span.text) == (number, 1, letter)
        assert source.offset(number, 1) == text.index(letter)
    assert source.offset(99, 1) == source.offset(6, 99) == len(text)


def test_many_diagnostics_of_a_large_file_are_quick() -> None:
    source = Source("a.yaml", "key: value\n" * 100_000)
    found = [
        Diagnostic("NN103", f"bad {n}", Span.between(source, line=n, column=1, end_line=n, end_column=4))
        for n in range(1, 100_001, 10)
    ]
    begun = time.process_time()
    assert to_text(found).count("^^^") == 10_000
    assert time.process_time() - begun < 3


def test_very_long_values_are_cut() -> None:
    found = Diagnostic("NN103", "bad " + "x" * 100_000, HERE, notes=("y" * 100_000,), fixes=(Fix("z" * 100_000),))
    assert len(to_text([found])) < 10_000
    long = Source("a.yaml", "k: " + "x" * 100_000)
    fix = Fix("fix it", (Edit(Span.between(long, line=1, column=1, end_line=1, end_column=2), "q"),))
    assert (
        len(
            to_text(
                [
                    Diagnostic(
                        "NN103", "bad", Span.between(long, line=1, column=1, end_line=1, end_column=2), fixes=(fix,)
                    )
                ]
            )
        )
        < 1000
    )


def test_a_place_past_the_end() -> None:
    found = Diagnostic("NN101", "cannot read", Span(Source("a.yaml", "")))
    assert to_text([found]).splitlines()[:2] == ["error[NN101]: cannot read", " --> a.yaml:1:1"]
    found = Diagnostic(
        "NN103", "ends", Span.between(Source("a.yaml", "a: [\n"), line=2, column=1, end_line=2, end_column=2)
    )
    assert "^" not in to_text([found])


def test_json_is_the_contract() -> None:
    fix = Fix("reorder", (Edit(ITEM, "permute: [b, a]"),), Applicability.MACHINE)
    span = Span.between(
        SOURCE, line=2, column=29, end_line=2, end_column=39, trail=(Step("repeat", None, {"n": 7}, (2, 3)),)
    )
    found = Diagnostic(
        code="NN301",
        message="message",
        span=span,
        label="label",
        path="model[0]",
        notes=("note",),
        related=(Related(ITEM, "there"),),
        fixes=(fix,),
    )
    place = {"line": 2, "column": 5, "end_line": 2, "end_column": 40}
    assert json.loads(json.dumps(to_json([found]))) == {
        "diagnostics": [
            {
                "code": "NN301",
                "name": "reshape-scrambles-axes",
                "severity": "error",
                "message": "message",
                "label": "label",
                "file": "specs/a.yaml",
                "line": 2,
                "column": 29,
                "end_line": 2,
                "end_column": 39,
                "path": "model[0]",
                "notes": ["note", "in repeat: n = 7 (round 2 of 3)"],
                "related": [{"message": "there", "file": "specs/a.yaml", **place}],
                "about": [],
                "fixes": [
                    {
                        "message": "reorder",
                        "applicability": "machine-applicable",
                        "edits": [{**place, "text": "permute: [b, a]"}],
                    }
                ],
            }
        ]
    }


# ------------------------------------------------------------------------------------------------- fixes


def edit(line: int, column: int, end: int, text: str) -> Fix:
    return Fix("", (Edit(Span.between(SOURCE, line=line, column=column, end_line=line, end_column=end), text),))


def test_apply_fixes() -> None:
    assert apply_fixes(TEXT, []) == TEXT
    fixed = apply_fixes(TEXT, [edit(3, 5, 12, "Dense"), edit(2, 5, 12, "X"), edit(2, 30, 31, "7"), edit(2, 5, 12, "X")])
    assert fixed == "model:\n  - X: {target_shape: [7, 10, 1]}\n  - Dense\n"
    assert apply_fixes(TEXT, [edit(2, 5, 5, "a\n  - ")]).splitlines()[1:3] == ["  - a", TEXT.splitlines()[1]]
    assert apply_fixes(TEXT, [edit(4, 1, 1, "end\n")]) == TEXT + "end\n"


def test_line_breaks_are_kept() -> None:
    text = TEXT.replace("\n", "\r\n")
    assert apply_fixes(text, [edit(2, 5, 40, "a\n  - b")]) == "model:\r\n  - a\r\n  - b\r\n  - Flatten\r\n"


@pytest.mark.parametrize(
    "fixes",
    [
        [edit(2, 5, 12, "a"), edit(2, 5, 12, "b")],
        [edit(2, 5, 12, "a"), edit(2, 8, 20, "b")],
        [edit(2, 5, 5, "a"), edit(2, 5, 5, "b")],
        [edit(2, 5, 5, "a"), edit(2, 5, 9, "b")],
    ],
)
def test_overlapping_edits_are_refused(fixes: list[Fix]) -> None:
    with pytest.raises(OverlapError):
        apply_fixes(TEXT, fixes)


# ------------------------------------------------------------------------------------------------- reports


def test_the_same_fault_is_kept_once() -> None:
    report = Report()
    report.extend([diagnostic(), diagnostic(), diagnostic(severity=Severity.WARNING)])
    assert len(report.items) == 1
    with pytest.raises(SpecError, match=r"specs/a\.yaml:2:29: NN301: reshape scrambles axes"):
        report.raise_errors()


def test_suggestions() -> None:
    assert nearest("dense", ["Dense", "Dropout"]) == ["Dense"]
    assert nearest("zzz", ["Dense"]) == []
    assert did_you_mean("Dens", ["Dense"]) == "; did you mean `Dense`?"
    assert did_you_mean("zzz", ["Dense"]) == ""
