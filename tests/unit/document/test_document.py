"""Reading YAML, with places and bounds."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest

from nnspec import pipeline
from nnspec.diagnostics import Source, SpecError
from nnspec.document import MAX_BYTES, Mapping, Scalar, Sequence, format_path, locate, parse, read_source, to_plain


def plain(text: str) -> Any:
    return to_plain(parse(Source("spec.yaml", text)))


def faults(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse(Source("spec.yaml", text))
    return [d.code for d in caught.value.diagnostics]


# ------------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("+3", 3),
        ("010", 10),  # decimal in YAML 1.2
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("null", None),
        ("~", None),
        ("", None),
        ("2026-07-01", "2026-07-01"),
        ("12:30:00", "12:30:00"),
        ("=", "="),
        ("text", "text"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("'#fff'", "#fff"),
        ("!!str 1", "1"),
        ("9" * 500, "9" * 500),
    ],
)
def test_scalars_are_yaml_1_2(text: str, value: object) -> None:
    found = plain(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


def test_nan() -> None:
    assert math.isnan(plain("key: .nan")["key"])


def test_collections() -> None:
    text = "a: [1, [2, 3], {b: 4}]\nc:\n  - d: 5\n    e: 6\n  - 7\n"
    assert plain(text) == {"a": [1, [2, 3], {"b": 4}], "c": [{"d": 5, "e": 6}, 7]}


def test_aliases_and_merge_keys() -> None:
    text = "base: &base {units: 3, name: a}\none: {<<: *base, name: b}\ntwo: {<<: [{x: 1}, *base]}\nthree: *base\n"
    document = plain(text)
    assert document["one"] == {"units": 3, "name": "b"}
    assert document["two"] == {"x": 1, "units": 3, "name": "a"}
    assert document["three"] == {"units": 3, "name": "a"}


def test_keys_are_words() -> None:
    assert plain("{1: a, true: b, on: c}") == {"1": "a", "true": "b", "on": "c"}
    assert faults("{[a, b]: 1, {c: d}: 2, 1.5: 3, null: 4}") == ["NN107"] * 4


def test_empty() -> None:
    assert plain("") is None
    assert plain("# nothing\n") is None


# ------------------------------------------------------------------------------------------------------ places


def test_spans() -> None:
    text = "model:\n  - Dense: {units: 16}\n  - Flatten\nname: é x\n"
    root = parse(Source("spec.yaml", text))
    assert isinstance(root, Mapping)
    lines = text.splitlines()

    def shown(path: tuple[str | int, ...]) -> str:
        span = locate(root, path).span
        assert span.line == span.end_line
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]

    assert shown(("model", 0, "Dense", "units")) == "16"
    assert shown(("model", 0, "Dense")) == "{units: 16}"
    assert shown(("model", 0)) == "Dense: {units: 16}"
    assert shown(("model", 1)) == "Flatten"
    assert shown(("name",)) == "é x"
    key = root.key_span("name")
    assert (key.line, key.column, key.end_column) == (4, 1, 5)


def test_a_block_ends_with_its_last_item() -> None:
    root = parse(Source("spec.yaml", "a:\n  b: 1\n  c: 22\n\n\nd: 3\n"))
    span = locate(root, ("a",)).span
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 3, 3, 8)


def test_locate_stops_where_the_path_leaves() -> None:
    root = parse(Source("spec.yaml", "a: {b: [1, 2]}"))
    assert to_plain(locate(root, ("a", "b", 1))) == 2
    assert to_plain(locate(root, ("a", "b", 7, "x"))) == [1, 2]
    assert to_plain(locate(root, ("a", "x"))) == {"b": [1, 2]}
    assert format_path(("model", 3, "Reshape", "target_shape")) == "model[3].Reshape.target_shape"
    assert format_path(()) == ""


# ------------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1, 2", "NN103"),
        ("a: b: c", "NN103"),
        ("a: 'open", "NN103"),
        ("a: @b", "NN103"),
        ("a: 1\n b: 2", "NN103"),
        ("a: \x01", "NN103"),
        ("é: \x07", "NN103"),
        ("a: \ud800", "NN103"),
        ("%YAML 3.0\n---\na: 1", "NN103"),
        ("a:\n\tb: 1", "NN104"),
        ("- a\n-\tb:\n\t\tc: 1", "NN104"),
        ("a: 1\na: 2", "NN105"),
        ("[" * 100 + "]" * 100, "NN106"),
        ("a: !!python/name:os.system x", "NN107"),
        ("a: !tag x", "NN107"),
        ("a: !!binary aGk=", "NN107"),
        ("a: *nothing", "NN107"),
        ("a: 1\n---\nb: 2", "NN107"),
        ("a: {<<: 3}", "NN107"),
        ("a: {? {b: c} : d}", "NN107"),
        ("&a [*a]", "NN107"),
    ],
)
def test_faults(text: str, code: str) -> None:
    assert set(faults(text)) == {code}


def test_all_duplicates_at_once() -> None:
    assert faults("a: 1\nb: {c: 1, c: 2}\na: 2\nd: [{e: 1, e: 1}]") == ["NN105"] * 3


def test_a_bad_character_is_pointed_at() -> None:
    with pytest.raises(SpecError) as caught:
        parse(Source("spec.yaml", "name: é\nother: ü\x07\n"))
    (found,) = caught.value.diagnostics
    assert (found.span.line, found.span.column) == (2, 9)
    assert "U+0007" in found.message


def test_deep_nesting_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("a: " + "[" * (MAX_BYTES - 100), encoding="utf-8")
    started = time.monotonic()
    assert [d.code for d in pipeline.diagnose(path)] == ["NN106"]
    assert time.monotonic() - started < 10


def test_deep_blocks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("".join(" " * i + "a:\n" for i in range(2000)), encoding="utf-8")
    assert [d.code for d in pipeline.diagnose(path)] == ["NN106"]


def test_unreadable_files(tmp_path: Path) -> None:
    """NN101 and the bounds of what is read."""
    assert [d.code for d in pipeline.diagnose(tmp_path / "missing.yaml")] == ["NN101"]
    assert [d.code for d in pipeline.diagnose(tmp_path)] == ["NN101"]
    assert [d.code for d in pipeline.diagnose("bad\0name.yaml")] == ["NN101"]
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    assert [d.code for d in pipeline.diagnose(tmp_path / "large.yaml")] == ["NN106"]
    (found,) = pipeline.diagnose(tmp_path / "missing.yaml")
    assert "no such file" in found.message


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a\r\nother: b\r\n")
    root = parse(read_source(path))
    assert to_plain(root) == {"name": "a", "other": "b"}
    assert locate(root, ("other",)).span.column == 8


def test_a_python_tag_runs_nothing(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    assert faults(f"a: !!python/object/apply:os.mkdir ['{flag}']") == ["NN107"]
    assert not flag.exists()


def test_nodes_are_what_they_seem() -> None:
    root = parse(Source("spec.yaml", "a: [1]"))
    assert isinstance(root, Mapping)
    assert isinstance(root.get("a"), Sequence)
    assert isinstance(root.keys["a"], Scalar)
    assert root.get("b") is None
