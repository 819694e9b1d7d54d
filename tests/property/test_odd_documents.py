"""No document whatever makes a traceback, takes long, or is said nothing printable about.

Other documents in every run; a longer run: NNSPEC_EXAMPLES=1500.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec import pipeline
from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.text import to_json, to_text
from nnspec.layers.registry import REGISTRY
from nnspec.layers.shape.axis_operations import MappingOperation
from nnspec.schema.sections import TASKS


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
EXAMPLES = int(os.environ.get("NNSPEC_EXAMPLES", "500"))
RANDOM = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(RANDOM, max_examples=EXAMPLES // 2)
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
    if isinstance(layer, MappingOperation):
        return {kind: draw(st.dictionaries(NAMES, fitting(layer.values), min_size=1, max_size=2))}
    alone = layer.main_argument
    if alone in layer.args and draw(st.booleans()):
        return {kind: draw(fitting(layer.args[alone].schema))}
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


@settings(RANDOM, max_examples=EXAMPLES)
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


@settings(RANDOM, max_examples=EXAMPLES // 2)
@given(st.binary(max_size=200))
def test_no_bytes_make_a_traceback(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "spec.yaml", data)


@settings(RANDOM, max_examples=EXAMPLES // 2)
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


@settings(RANDOM, max_examples=EXAMPLES // 2)
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
