"""Reading YAML with places and bounds; and that no document whatever makes a traceback."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec import pipeline
from nnspec.diagnostics import Diagnostic, Source, SpecError
from nnspec.document import MAX_BYTES, Mapping, Scalar, Sequence, format_path, locate, parse, read_source, to_plain
from nnspec.expansion.overrides import apply_overrides
from nnspec.layers import REGISTRY
from nnspec.layers.verbs import OpenVerb
from nnspec.render import to_json, to_text
from nnspec.schema.sections import TASKS


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


# ------------------------------------------------------------------------------------------------------ overrides


BASE = "vars: {lookback: 10}\nmodel:\n  - Dense: {units: 3}\n  - Flatten\n"


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("vars.lookback", "12", 12),
        ("vars.new", "[1, 2]", [1, 2]),
        ("model[0].Dense.units", 7, 7),
        ("model.0.Dense.units", "8", 8),
        ("training.optimizer", "{SGD: {learning_rate: 1e-2}}", {"SGD": {"learning_rate": 0.01}}),
        ("training.seed", 3, 3),
        ("name", "", None),
        ("name", "null", None),
        ("name", "'3'", "3"),
        ("description", None, None),
        ("model[1]", {"Dense": {"units": 1}}, {"Dense": {"units": 1}}),
        ("vars.rates", (0.1, 0.2), [0.1, 0.2]),
    ],
)
def test_overrides(path: str, value: object, found: object) -> None:
    root = apply_overrides(parse(Source("spec.yaml", BASE)), {path: value})
    steps = [int(s) if s.isdigit() else s for s in path.replace("[", ".").replace("]", "").split(".")]
    assert to_plain(locate(root, tuple(steps))) == found
    assert to_plain(parse(Source("spec.yaml", BASE)))["vars"] == {"lookback": 10}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model[7].Dense.units", "3"),
        ("model.x", "3"),
        ("vars.lookback.deeper", "3"),
        ("blocks[0]", "3"),
        ("", "3"),
        ("vars.a", "[1"),
        ("vars.a", "a: b: c"),
        ("vars.a", "!!python/none x"),
        ("vars.a", object()),
        ("vars.a", {"b": {1, 2}}),
    ],
)
def test_bad_overrides(path: str, value: object) -> None:
    with pytest.raises(SpecError) as caught:
        apply_overrides(parse(Source("spec.yaml", BASE)), {path: value})
    (found,) = caught.value.diagnostics
    assert found.code == "NN112"
    assert found.span.source.name == "--set"


def test_an_override_is_pointed_at_where_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {x: {axes: {feature: 5}}}\nmodel: [{Dense: {units: 1}}]\n"
        "outputs: {y: {task: regression}}\n",
        encoding="utf-8",
    )
    (found,) = pipeline.diagnose(path, {"model[0].Dense.units": "many"})
    assert found.code == "NN202"
    assert found.span.source.name == "--set"
    assert "model[0].Dense.units=many" in to_text([found])


# ------------------------------------------------------------------------------------------------------ robustness


def survives(path: Path, data: bytes) -> list[Diagnostic]:
    """Diagnoses a document, whatever it is: a list, all of it printable, in bounded time."""
    path.write_bytes(data)
    started = time.monotonic()
    found = pipeline.diagnose(path)
    assert time.monotonic() - started < 5
    to_text(found)
    json.dumps(to_json(found))
    for diagnostic in found:
        assert diagnostic.message
        assert diagnostic.span.line >= 1
        assert diagnostic.span.column >= 1
    return found


KEYS = sorted(
    {"nnspec", "name", "description", "vars", "data", "inputs", "blocks", "layers", "model", "outputs", "training"}
    | {"export", "axes", "dtype", "batch", "task", "classes", "from", "loss", "metrics", "for", "times", "use", "when"}
    | {"layer", "over", "as", "units", "filters", "kernel_size", "strides", "padding", "target_shape", "to", "dims"}
    | {"order", "axis", "x", "y", "time", "feature", "channel", "unit", "split", "source", "csv", "columns", "window"}
    | {"lookback", "horizon", "train", "test", "by", "scale", "repeat", "block", "share", "a", "b", "<<", "layout"}
    | {"optimizer", "callbacks", "Adam", "learning_rate", "", "$x", "épo", "parameters", "activation", "data_format"}
    | set(REGISTRY)
)
WORDS = [
    *KEYS,
    *TASKS,
    "$a",
    "$(a)",
    "$(a + 1)",
    "$(1 / 0)",
    "$b",
    "$(",
    "$$",
    "T",
    "same",
    "causal",
    "softmax",
    "relu",
]
WORDS += ["float32", "int32", "channels_first", "random", "standard", "../x.csv", "*.wav", "\t", "a b", "-1", "mse"]
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-3, 12),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 10**30, 1e300, 1.5, 1e-9, math.inf, -math.inf, math.nan]),
    st.booleans(),
    st.none(),
    st.text(max_size=6),
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
ITEM = st.one_of(
    st.sampled_from(sorted(REGISTRY)),
    st.dictionaries(
        st.sampled_from([*sorted(REGISTRY), "repeat", "block", "share"]),
        st.one_of(ANY, st.dictionaries(st.sampled_from(KEYS), ANY, max_size=5)),
        min_size=1,
        max_size=1,
    ),
    ANY,
)
SECTIONS = {
    "nnspec": st.just(1),
    "inputs": st.one_of(
        st.dictionaries(
            st.sampled_from(["x", "y", "a"]),
            st.fixed_dictionaries(
                {
                    "axes": st.dictionaries(
                        st.sampled_from(["time", "feature", "channel", "height"]), SCALARS, min_size=1, max_size=3
                    )
                }
            ),
            min_size=1,
            max_size=2,
        ),
        ANY,
    ),
    "model": st.one_of(st.lists(ITEM, max_size=5), ANY),
    "outputs": st.one_of(st.fixed_dictionaries({"y": st.fixed_dictionaries({"task": st.sampled_from(TASKS)})}), ANY),
}
OPTIONAL = dict.fromkeys(("vars", "blocks", "layers", "data", "training", "export", "name", "description"), ANY)
DOCUMENT = st.one_of(st.fixed_dictionaries(SECTIONS, optional=OPTIONAL), ANY)
RANDOM = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(RANDOM, max_examples=600)
@given(DOCUMENT)
def test_no_document_makes_a_traceback(tmp_path: Path, document: Any) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    survives(tmp_path / "spec.yaml", text.encode("utf-8", "surrogatepass"))


SIZES = st.sampled_from([1, 2, 3, 5, 6, 7, 10, "T", "N", None])
AXIS_NAMES = ["time", "feature", "channel", "height", "width", "a"]
NAMES = st.sampled_from(AXIS_NAMES)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a piece of schema accepts, or nearly so."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", [])
    options: list[st.SearchStrategy[Any]] = []
    least = schema.get("minimum", -3)
    for kind in [types] if isinstance(types, str) else types:
        if kind == "integer":
            options.append(st.integers(int(least), int(min(schema.get("maximum", least + 6), least + 6))))
        elif kind == "number":
            options.append(st.sampled_from([0, 0.1, 0.5, 0.9, 1, 2.5, -1]))
        elif kind == "boolean":
            options.append(st.booleans())
        elif kind == "string":
            options.append(NAMES)
        elif kind == "array":
            count = schema.get("minItems", 0)
            items = fitting(schema.get("items", {"type": "integer"}))
            options.append(st.lists(items, min_size=count, max_size=schema.get("maxItems", max(count, 4))))
        elif kind == "object":
            values = schema.get("additionalProperties")
            options.append(st.dictionaries(NAMES, fitting(values if isinstance(values, dict) else {}), max_size=3))
        elif kind == "null":
            options.append(st.none())
    return st.one_of(options) if options else st.one_of(NAMES, st.integers(1, 5))


@st.composite
def layer_item(draw: st.DrawFn, *, inner: bool = False) -> Any:
    """A layer, an axis operation or a repeat, its arguments of the right kind for the most part."""
    kind = draw(st.sampled_from(sorted(REGISTRY)))
    layer = REGISTRY[kind]
    plain_arguments = [name for name, arg in layer.args.items() if arg.family is None]
    names = draw(st.lists(st.sampled_from([*plain_arguments, "from", "name"]), max_size=3, unique=True))
    if isinstance(layer, OpenVerb):
        return {kind: draw(st.dictionaries(NAMES, fitting(layer.values), min_size=1, max_size=2))}
    if layer.short is not None and draw(st.booleans()):
        return {kind: draw(fitting(layer.args[layer.short].schema))}
    body: dict[str, Any] = {}
    for name in dict.fromkeys([*layer.required_arguments(), *names]):
        if name == "layer":
            body[name] = "Flatten" if inner else draw(layer_item(inner=True))
        elif name in layer.args:
            is_odd = draw(st.integers(0, 24)) == 0
            body[name] = draw(ANY if is_odd else fitting(layer.args[name].schema))
        elif name == "name":
            body[name] = draw(st.sampled_from(["h", "g"]))
        elif name == "from" and not inner:
            body[name] = draw(st.sampled_from(["x", "h", "z", ["x", "z"], ["x", "x"], ["x", "h"]]))
    if layer.makes is not None and draw(st.booleans()):
        body["as"] = draw(st.sampled_from(["time", "b", "c", "d"]))
    if layer.steps and draw(st.booleans()):
        body["over"] = draw(st.one_of(NAMES, st.lists(NAMES, min_size=1, max_size=2)))
    return {kind: body} if body else kind


AXES = st.dictionaries(NAMES, SIZES, min_size=1, max_size=4)
DTYPES = st.sampled_from(["float32", "float32", "int32"])


@settings(RANDOM, max_examples=1500)
@given(AXES, AXES, DTYPES, st.lists(layer_item(), min_size=1, max_size=4), st.sampled_from(TASKS))
def test_no_model_makes_a_traceback(
    tmp_path: Path, axes: dict[str, Any], others: dict[str, Any], dtype: str, items: list[Any], task: str
) -> None:
    inputs = {"x": {"axes": axes, "dtype": dtype}}
    if "z" in repr(items):
        inputs["z"] = {"axes": others}
    first = items[0]
    if len(inputs) > 1 and isinstance(first, dict) and isinstance(body := next(iter(first.values())), dict):
        body.setdefault("from", "x")
    document = {"nnspec": 1, "inputs": inputs, "model": items, "outputs": {"y": {"task": task}}}
    survives(tmp_path / "spec.yaml", yaml.safe_dump(document, sort_keys=False).encode())


@settings(RANDOM, max_examples=300)
@given(st.binary(max_size=200))
def test_no_bytes_make_a_traceback(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "spec.yaml", data)


@settings(RANDOM, max_examples=300)
@given(st.text(st.sampled_from("abx:{}[],-*&!|>'\"#%@`$() \n\t\r0123456789.~?=<é\u2028\x85\ufeff"), max_size=80))
def test_no_text_makes_a_traceback(tmp_path: Path, text: str) -> None:
    survives(tmp_path / "spec.yaml", text.encode())


GOOD = """nnspec: 1
vars: {units: 8, steps: $(units // 2)}
inputs: {x: {axes: {time: $steps, feature: 5}}}
blocks:
  pair: {parameters: {n: 3}, model: [{Dense: {units: $n}}, {Dense: {units: $n, from: input}}]}
model:
  - repeat: {for: {d: [1, 2]}, model: [{Conv1D: {filters: $units, kernel_size: 2, dilation_rate: $d, padding: causal}}]}
  - permute: [filter, time]
  - Flatten
  - Dense: {units: 3, activation: softmax, as: class}
outputs: {y: {task: classification, classes: [a, b, c]}}
training: {optimizer: {Adam: {learning_rate: 0.001}}, epochs: 2}
"""


@settings(RANDOM, max_examples=500)
@given(st.data())
def test_no_slip_makes_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    """A good spec with a few characters left out, doubled or replaced."""
    text = GOOD
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 6))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", " ", "\n", "x", "-", ":", "{", "]", "$", "0", "9" * 30]))
            + text[at + length :]
        )
    survives(tmp_path / "spec.yaml", text.encode())


def test_nodes_are_what_they_seem() -> None:
    root = parse(Source("spec.yaml", "a: [1]"))
    assert isinstance(root, Mapping)
    assert isinstance(root.get("a"), Sequence)
    assert isinstance(root.keys["a"], Scalar)
    assert root.get("b") is None
