"""Random documents over the whole grammar: no traceback, no hang, whatever stands where.

Every key and layer comes from the JSON Schema; a value fits its schema or is anything else.
tests/property/fuzz/fuzz_bytes.py
does the same to bytes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nnspec.layers.registry import REGISTRY
from nnspec.schema.assembly import full_schema
from tests.property.fuzz.target import MEGABYTES, SECONDS, folder_with_data, run_on
from tests.support.paths import ROOT

SCHEMA = full_schema(is_strict=False)
WORDS = st.sampled_from(
    ["x", "y", "time", "feature", "dense_1", "a", "n", "class", "", "é値", "a b", "\u2028", "*a", "."]
)
EXPRESSIONS = st.sampled_from(
    [
        "$n",
        "$a",
        "$missing",
        "$(n * 2)",
        "$(n // 0)",
        "$([n] * 3)",
        "$(10 ** 30)",
        "$(range(n))",
        "$",
        "$$",
        "$(",
        "${n}",
    ]
)
NUMBERS = st.one_of(
    st.integers(-2, 12), st.sampled_from([0, 2**31, 2**63, 10**30, -(10**30)]), st.floats(), st.booleans(), st.none()
)
SCALARS = st.one_of(NUMBERS, WORDS, EXPRESSIONS)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=5,
)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def values(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Mostly what a schema admits, sometimes anything."""
    return st.one_of(st.deferred(lambda: fitting(schema, depth)), st.deferred(lambda: fitting(schema, depth)), ANYTHING)


def fitting(schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    schema = resolved(schema)
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            return st.one_of([values(part, depth) for part in schema[key]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", "string")
    options: list[st.SearchStrategy[Any]] = []
    for kind in [types] if isinstance(types, str) else types:
        if kind == "object":
            options.append(mappings(schema, depth))
        elif kind == "array":
            options.append(st.lists(values(schema.get("items", {}), depth + 1), max_size=3))
        elif kind == "string":
            named = schema.get("then", {}).get("enum")
            options.append(st.sampled_from(named) if named else st.one_of(WORDS, EXPRESSIONS))
        else:
            options.append(NUMBERS)
    return st.one_of(options)


@st.composite
def mappings(draw: st.DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
    schema = {**schema, **schema.get("else", {})}
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if schema.get("maxProperties") == 1 and properties:
        keys = [draw(st.sampled_from(sorted(properties)))]
    else:
        some = draw(st.lists(st.sampled_from(sorted(properties)), max_size=3, unique=True)) if properties else []
        keys = [key for key in dict.fromkeys([*required, *some]) if depth < 6]
    result = {key: draw(values(properties[key], depth + 1)) for key in keys}
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        result |= draw(st.dictionaries(WORDS, values(extra, depth + 1), max_size=2))
    elif draw(st.integers(0, 9)) == 0:
        result |= draw(st.dictionaries(WORDS, ANYTHING, max_size=1))
    return result


@st.composite
def items(draw: st.DrawFn, depth: int = 0) -> Any:
    """A layer, a verb, a repeat, a block or a shared layer; seldom something else."""
    kind = draw(st.sampled_from([*sorted(REGISTRY), *["repeat", "block", "share"] * 12]))
    if kind == "repeat" and depth < 3:
        body: Any = {"model": draw(st.lists(items(depth + 1), max_size=3))}
        loop = {"n": draw(st.one_of(st.lists(SCALARS, max_size=4), EXPRESSIONS))}
        body |= draw(st.sampled_from([{"times": 3}, {"times": "$n"}, {"for": loop}, {"for": loop, "times": 2}]))
    elif kind in ("block", "share"):
        body = draw(st.sampled_from(["a", {"use": "a"}, {"use": "a", "n": 3}, {"use": "a", "name": "x", "from": "x"}]))
    else:
        body = draw(values({"$ref": f"#/definitions/layer_{kind}"}, 2)) if kind in REGISTRY else None
    return draw(st.sampled_from([{kind: body}, {kind: body}, {kind: body}, kind]))


AXES = st.dictionaries(
    st.sampled_from(["time", "feature", "channel", "class", "height", "T"]),
    st.one_of(st.sampled_from([1, 2, 3, 5, 10, "T", None, "$n"]), SCALARS),
    min_size=1,
    max_size=4,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    block = {"parameters": {"n": 2}, "model": draw(st.lists(items(2), max_size=2))}
    document: dict[str, Any] = {
        "nnspec": 1,
        "vars": {"n": draw(st.sampled_from([1, 2, 3, "$a"])), "a": draw(ANYTHING)},
        "inputs": {name: {"axes": draw(AXES)} for name in draw(st.sampled_from([["x"], ["x", "y"]]))},
        "blocks": {"a": block},
        "layers": {"a": {"Dense": {"units": "$n"}}},
        "model": draw(st.lists(items(), min_size=1, max_size=5)),
        "outputs": {"y": {"task": draw(st.sampled_from(["regression", "classification", "binary"]))}},
    }
    for section in draw(st.lists(st.sampled_from(sorted(SCHEMA["properties"])), max_size=2)):
        if section not in ("model", "nnspec"):
            document[section] = draw(values(SCHEMA["properties"][section]))
    return document


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with_data(tmp_path_factory.mktemp("grammar"))


def check(spec: Path, data: bytes) -> None:
    run_on(spec, data)


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_no_document_breaks_the_checker(spec: Path, document: dict[str, Any]) -> None:
    check(spec, yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass"))


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.data())
def test_no_cut_document_breaks_the_checker(spec: Path, document: dict[str, Any], data: st.DataObject) -> None:
    """As an editor sees it: a document that stops somewhere, or lacks a piece."""
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.sampled_from([len(text), min(len(text), start + 3)]))
    check(spec, text[:start] + data.draw(st.sampled_from([b"", b"\t", b"\x00", b"- ", b"{", b"\xff"])) + text[end:])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.text(max_size=60))
@example("\ufeffnnspec: 1")
@example("a: 1\r\nb: 2\rc: 3\u2028d: 4\u0085e: 5")
@example("a: \x00")
@example("\x1b[31m")
@example("a: &a [*a]")
@example("? [a]\n: b")
@example("a: !!binary x")
@example("9" * 5000)
@example("a: " + "9" * 5000)
@example("a: 0x" + "f" * 300)
@example("a: 1e999")
def test_no_text_breaks_the_checker(spec: Path, text: str) -> None:
    check(spec, text.encode("utf-8", "surrogatepass"))


HEAD = "nnspec: 1\ninputs: {x: {axes: {time: 10, feature: 5}}}\noutputs: {y: {task: regression}}\n"
DENSE = "model: [{Dense: {units: 3}}]\n"
LARGE = {
    "repeats of repeats": HEAD + "model: [{repeat: {times: 999, model: [{repeat: {times: 999, model: [Flatten]}}]}}]\n",
    "empty repeats": HEAD + "model: [{repeat: {times: 99999, model: [{repeat: {times: 99999, model: []}}]}}]\n",
    "nothing wanted": HEAD + "model: [{repeat: {times: 99999, model: [{Dense: {units: 3, when: false}}]}}]\n",
    "lists of lists": HEAD + DENSE + "vars: {a: '$([0] * 10000)', b: '$([a] * 10000)', c: '$([b] * 10000)'}\n",
    "long texts": HEAD + DENSE + "vars: {a: \"$('x' * 10000)\", b: '" + "$a" * 999 + "', c: '" + "$b" * 999 + "'}\n",
    "many insertions": HEAD + DENSE + "vars: {a: 1, b: '" + "$a" * 500_000 + "'}\n",
    "many classes": HEAD.replace("regression", "classification, classes: 1000000000000") + DENSE,
    "huge sizes": HEAD.replace("10", "9" * 300) + DENSE.replace("3", "9" * 300),
    "one long line": HEAD + DENSE + "description: " + "x" * 4_000_000,
    "a long key": HEAD + "model: [{Dense: {units: 3, ? " + "x" * 1_000_000 + " : 3}}]\n",
    "a long word": HEAD + "model: [{Dense: {units: 3, activation: " + "relu" * 250_000 + "}}]\n",
    "many unknown layers": HEAD + "model:\n" + "".join(f"  - Dence{i}: 3\n" for i in range(20_000)),
    "many unknown keys": HEAD + DENSE + "".join(f"key{i}: 3\n" for i in range(50_000)),
    "many names": HEAD + "model:\n" + "".join(f"  - Dense: {{units: 3, from: b{i}}}\n" for i in range(10_000)),
    "the same key": "nnspec: 1\n" + "a: 1\n" * 50_000,
    "brackets": "a: [" * 100_000,
    "parentheses": HEAD + "model: [{Dense: {units: '" + "$(" * 200_000 + "'}}]\n",
    "a chain": HEAD + DENSE + "vars: {a0: 1, " + ", ".join(f"a{i}: $(a{i - 1}+1)" for i in range(1, 20_000)) + "}\n",
    "aliases": HEAD + DENSE + "vars:\n  a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    + "".join(f"  b{i}: &b{i} [{', '.join([f'*b{i - 1}' if i else '*a'] * 9)}]\n" for i in range(9)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_large_documents_are_quick_and_small(name: str, spec: Path) -> None:
    """In a process of its own, whose own peak is measured: what `getrusage` gives a new process is its parent's."""
    large = spec.with_name("large.txt")
    large.write_text(LARGE[name], encoding="utf-8")
    code = (
        "import re, resource, sys\nfrom pathlib import Path\nfrom tests.property.fuzz.target import run_on\n"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))\n"
        "run_on(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes())\n"
        "peak = re.search(r'VmHWM:\\s*(\\d+) kB', Path('/proc/self/status').read_text())\n"
        "print(peak[1])"
    )
    command = [sys.executable, "-c", code, str(spec), str(large)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < MEGABYTES * 1024
