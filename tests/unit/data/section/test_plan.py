"""The `data` section: what its schema accepts, and what the plan makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nnspec.data.section.json_schema import data_section
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.data.section.read_plan import read_plan
from nnspec.data.sources.registry import own_kinds
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.document import Mapping, parse, to_plain

HERE = Span(Source("model.yaml", ""))
BASE = """
source: {csv: a.csv}
split: {train: 0.5, test: 0.5}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""

DATA_SECTION = data_section(own_kinds())


def plan_of(text: str, root: Path, **options: Any) -> DataPlan:
    """The plan of a `data` section, which the schema must accept."""
    node = parse(Source("spec.yaml", text))
    assert isinstance(node, Mapping)
    jsonschema.Draft7Validator(DATA_SECTION).validate(to_plain(node))
    return read_plan(node, root, **options)


def slot(name: str, *axes: tuple[str, int | str | None], dtype: str = "float32", **more: Any) -> Slot:
    return Slot(name=name, axes=axes, dtype=dtype, span=HERE, **more)


def faults(text: str, root: Path) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        plan_of(text, root)
    return [(d.code, d.path) for d in caught.value.diagnostics]


def accepts(text: str) -> bool:
    return jsonschema.Draft7Validator(DATA_SECTION).is_valid(to_plain(parse(Source("spec.yaml", text))))


# ------------------------------------------------------------------------------------------------------ schema


def _walk(schema: Any, path: str = "data") -> list[tuple[str, dict[str, Any]]]:
    found = []
    if isinstance(schema, dict):
        found.append((path, schema))
        for key, value in schema.items():
            found += _walk(value, f"{path}.{key}")
    return found


def test_schema_is_a_draft_07_schema_in_plain_json() -> None:
    jsonschema.Draft7Validator.check_schema(DATA_SECTION)
    assert json.loads(json.dumps(DATA_SECTION)) == DATA_SECTION


def test_schema_is_closed_and_described_everywhere() -> None:
    for path, schema in _walk(DATA_SECTION):
        assert not {"oneOf", "anyOf", "$ref"} & schema.keys(), path
        if "properties" in schema and not path.endswith(".properties"):
            assert schema.get("additionalProperties") is False, path
            for name, body in schema["properties"].items():
                assert body.get("description"), f"{path}.{name}"


@pytest.mark.parametrize(
    "change",
    [
        ("source: {csv: a.csv}", "source: {}"),
        ("source: {csv: a.csv}", "source: a.csv"),
        ("split: {train: 0.5, test: 0.5}", "split: {train: 0.5, by: shuffled}"),
        ("split: {train: 0.5, test: 0.5}", "split: {train: 0.5, by: {row: a}}"),
        ("split: {train: 0.5, test: 0.5}", "split: {train: 0.5, gap: wide}"),
        ("split: {train: 0.5, test: 0.5}", "split: {train: 0.5, gap: -1}"),
        ("split: {train: 0.5, test: 0.5}", "split: {train: 0.5, dev: 0.5}"),
        ("{columns: [a, b]}", "{columns: []}"),
        ("{columns: [a, b]}", "{columns: [a, a]}"),
        ("{columns: [a, b]}", "{columns: a}"),
        ("{columns: [a, b]}", "{columns: [a, b], scale: normal}"),
        ("{columns: [a, b]}", "{columns: [a, b], scale: {along: [a]}}"),
        ("{columns: [a, b]}", "{columns: [a, b], relative_to: last}"),
        ("{columns: [c]}", "{columns: [c], relative_to: first}"),
        ("{columns: [c]}", "{columns: [c], classes: quantiles}"),
        ("{columns: [c]}", "{columns: [c], classes: [one]}"),
        ("{columns: [c]}", "{columns: [c], classes: {quantiles: 1}}"),
        ("{columns: [c]}", "{columns: [c], pad_value: 0}"),
        ("inputs: {x: {columns: [a, b]}}", "inputs: {}"),
    ],
)
def test_schema_rejects(change: tuple[str, str]) -> None:
    assert accepts(BASE)
    assert change[0] in BASE
    assert not accepts(BASE.replace(*change))


@pytest.mark.parametrize(
    "more",
    [
        "order_by: t",
        "missing: drop",
        "window: {lookback: 3}",
        "window: {lookback: 3, horizon: [1, 2], stride: 2}",
    ],
)
def test_schema_accepts(more: str) -> None:
    assert accepts(BASE + more)


# ------------------------------------------------------------------------------------------------------ plan


def test_defaults(tmp_path: Path) -> None:
    plan = plan_of(BASE, tmp_path)
    assert (plan.split.by, plan.gap, plan.missing, plan.split.seed) == ("random", 0, "error", 0)
    assert plan.source is not None
    assert (plan.source.kind, plan.source.path, plan.source.shown) == ("csv", tmp_path / "a.csv", "a.csv")
    assert plan.inputs["x"].columns == ("a", "b")
    assert not plan.inputs["x"].is_windowed


@pytest.mark.parametrize(
    ("more", "by", "gap"),
    [
        ("order_by: t", "time", 0),
        ("window: {lookback: 3, horizon: 2}", "order", 5),
        ("order_by: t\nwindow: {lookback: 3, horizon: [2, 4]}", "time", 7),
    ],
)
def test_default_order_and_gap(more: str, by: str, gap: int, tmp_path: Path) -> None:
    plan = plan_of(BASE + more, tmp_path)
    assert (plan.split.by, plan.gap) == (by, gap)


def test_gap_given_wins(tmp_path: Path) -> None:
    text = BASE.replace("test: 0.5}", "test: 0.5, gap: 2}") + "window: {lookback: 3, horizon: 2}"
    assert plan_of(text, tmp_path).gap == 2


def test_spans_point_at_the_words(tmp_path: Path) -> None:
    plan = plan_of(BASE, tmp_path)
    span = plan.inputs["x"].span_of("columns")
    assert (span.line, span.column) == (4, 23)
    assert plan.inputs["x"].where("columns") == "data.inputs.x.columns"


def test_labels_and_fractions(tmp_path: Path) -> None:
    text = BASE.replace("{train: 0.5, test: 0.5}", "{train: 1, validation: 0.25, test: held, by: {column: part}}")
    parts = {part.name: (part.label, part.fraction) for part in plan_of(text, tmp_path).split.parts}
    assert parts == {"train": ("1", None), "validation": (None, 0.25), "test": ("held", None)}


def test_class_plans(tmp_path: Path) -> None:
    def classes(words: str) -> Any:
        return plan_of(BASE.replace("[c]", f"[c], classes: {words}"), tmp_path).outputs["y"].classes

    assert classes("labels").kind == "labels"
    assert (classes("[b, a]").labels, classes("[b, a]").count) == (("b", "a"), 2)
    assert (classes("{quantiles: 7}").quantiles, classes("{quantiles: 7}").count) == (7, 7)
    assert (classes("{edges: [-1, 2]}").edges, classes("{edges: [-1, 2]}").count) == ((-1.0, 2.0), 3)


X = "x: {columns: [a, b]}"
Y = "y: {columns: [c]}"
SPLIT = "split: {train: 0.5, test: 0.5}"
WINDOW = "window: {lookback: 3, horizon: 2}"


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        (X, "x: {columns: [a], array: b}", "NN208", "data.inputs.x"),
        (X, "x: {npy: x.npy, npz: x.npz}", "NN208", "data.inputs.x"),
        (X, "x: {array: b}", "NN208", "data.inputs.x.array"),
        (X, "x: {columns: [a], frame: 5}", "NN208", "data.inputs.x"),
        (X, "x: {columns: [a], lengths: n}", "NN208", "data.inputs.x"),
        (X, "x: {wav: a.wav}", "NN203", "data.inputs.x"),
        (X, "x: {scale: standard}", "NN512", "data.inputs.x"),
        (X, "x: {npz: x.npz, array: a, lengths: n, axes: [sample, time]}", "NN208", "data.inputs.x.axes"),
        ("{columns: [c]}", "{columns: [c], lengths: n}", "NN208", "data.outputs.y"),
        ("{columns: [c]}", "{columns: [c], ignore: -1, padded_like: x}", "NN208", "data.outputs.y"),
        (Y, "y: {columns: [c], classes: labels, scale: standard}", "NN208", "data.outputs.y.scale"),
        (Y, "y: {columns: [c], classes: {quantiles: 3, edges: [1]}}", "NN208", "data.outputs.y.classes"),
        (Y, "y: {columns: [c], classes: {edges: [2, 1]}}", "NN208", "data.outputs.y.classes.edges"),
        (Y, "y: {columns: [c], relative_to: last}", "NN516", "data.outputs.y.relative_to"),
        (SPLIT, "split: {train: 0.7, validation: 0.2, test: 0.2}", "NN514", "data.split"),
        (SPLIT, "split: {train: 0, test: 0.5}", "NN514", "data.split.train"),
        (SPLIT, "split: {train: 1.5}", "NN514", "data.split.train"),
        (SPLIT, "split: {train: learn}", "NN514", "data.split.train"),
        (SPLIT, "split: {train: 0.5, by: time}", "NN514", "data.split.by"),
        (SPLIT, "split: {train: 0.5, by: order, group: g}", "NN514", "data.split.group"),
        (SPLIT, "split: {train: 0.5, by: random, gap: 3}", "NN514", "data.split.gap"),
        (SPLIT, "split: {train: a, test: a, by: {column: s}}", "NN514", "data.split.test"),
        (SPLIT, "split: {train: 0.5, by: {column: s}}", "NN514", "data.split.train"),
        (SPLIT, f"split: {{train: 0.5, by: random}}\n{WINDOW}", "NN514", "data.split.by"),
        (SPLIT, f"split: {{train: a, validation: 0.2, by: {{column: s}}}}\n{WINDOW}", "NN514", "data.split.validation"),
        ("csv: a.csv", "csv: ../a.csv", "NN510", "data.source.csv"),
        ("csv: a.csv", "csv: /etc/passwd", "NN510", "data.source.csv"),
    ],
)
def test_conflicts(old: str, new: str, code: str, path: str, tmp_path: Path) -> None:
    assert old in BASE
    assert faults(BASE.replace(old, new), tmp_path) == [(code, path)]


def test_all_conflicts_are_reported_at_once(tmp_path: Path) -> None:
    text = BASE.replace(X, "x: {scale: standard}").replace("train: 0.5", "train: 2")
    assert {code for code, _ in faults(text, tmp_path)} == {"NN512", "NN514"}


def test_columns_without_a_source(tmp_path: Path) -> None:
    text = BASE.replace("source: {csv: a.csv}\n", "")
    assert {code for code, _ in faults(text, tmp_path)} == {"NN512"}
    text = text.replace(X, "x: {npy: x.npy}").replace(Y, "y: {npy: y.npy}") + "order_by: t"
    assert faults(text, tmp_path) == [("NN503", "data.order_by")]


def test_paths_stay_below_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "spec"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("a,b,c\n1,2,3\n")
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "out").symlink_to(tmp_path)
    for inside in ("a.csv", "sub/a.csv", "sub/../a.csv"):
        assert plan_of(BASE.replace("a.csv", inside), root).source is not None
    for outside in ("link.csv", "out/secret.csv", "sub/../../secret.csv"):
        assert faults(BASE.replace("a.csv", outside), root) == [("NN510", "data.source.csv")]
        assert plan_of(BASE.replace("a.csv", outside), root, allow_outside=True).source is not None


def test_wav_pattern_may_not_climb(tmp_path: Path) -> None:
    text = BASE.replace(X, 'x: {wav: "../*.wav", frame: 5}')
    assert faults(text, tmp_path) == [("NN510", "data.inputs.x.wav")]


def test_data_axes_leave_the_class_axis_out() -> None:
    head = slot("y", ("output", 3), ("class", 7), task="classification", class_axis="class")
    assert (head.data_axes, head.class_size) == ((("output", 3),), 7)
    labels = slot("y", ("label", 7), task="multilabel", class_axis="label")
    assert labels.data_axes == (("label", 7),)


def test_plan_and_probe_import_no_array_library() -> None:
    code = (
        "import sys; import nnspec.data.section.read_plan, nnspec.data.checks.files, nnspec.data.section.json_schema; "
        "print([m for m in ('numpy', 'pandas', 'duckdb', 'soundfile', 'tensorflow') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
