"""Pages of the language besides layers: sections, items such as `repeat`, and tasks."""

from __future__ import annotations

from nnspec.data.sources.registry import all_kinds
from nnspec.document.types import JsonSchema
from nnspec.ir.names import NAME_PATTERN
from nnspec.schema.sections import TASKS, sections, structure

Schema = JsonSchema
MAX_DEPTH = 3
_WORDS = {
    "object": "mapping",
    "array": "list",
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number",
}

TASK_PAGES = {
    "regression": """\
Real values: an output of size n predicts n numbers; there are no classes.

- Head: linear, or a function whose range covers the targets; never a softmax.
- Loss: `MeanSquaredError` by default.
- Metrics: those under `metrics`; evaluation also gives MAE, RMSE and R², with a naive baseline.
""",
    "quantiles": """\
A forecast with its uncertainty: for each value, the levels that given shares of the targets are below.

- `levels`: shares between 0 and 1, ascending (default `[0.1, 0.5, 0.9]`). Levels never cross: the one nearest the
  median is what the head gives, each other is a softplus further away.
- Head: linear, with a unit for each level of each value, those of one value side by side: 18 for 6 steps of 3 levels.
  The output has an axis `level`; `Dense: {units: auto}` counts the units from `data`.
- Loss: the pinball loss, the mean over the levels.
- `calibrate: conformal`: on the validation split each interval, as from 0.1 to 0.9, is widened or narrowed until it
  holds its share (conformalized quantile regression), for each step of a horizon; the deployed graph has the offsets.
  Where whole series or groups are validated on, each of them counts alike, and the bound is one for a series to come.
- Evaluation gives the pinball loss, that of each level, how many targets are within each interval and its width, and
  RMSE, MAE and R² of the median, beside quantiles around the naive forecast.
""",
    "classification": """\
One label per sample (or per position), of mutually exclusive classes.

- Head: a softmax along the class axis: `class_axis`, else `class`, else the last axis.
- Loss: `SparseCategoricalCrossentropy` by default: targets are labels, not one-hot vectors.
- `classes`: the labels in order; by default those of the data. The deployed graph outputs labels.
""",
    "binary": """\
A yes-or-no answer per value, as a probability.

- Head: a sigmoid; a softmax over one value would always be 1.
- Loss: `BinaryCrossentropy` by default.
- `threshold`: values above it mean yes. 0.5 by default (0 of scores without a sigmoid); a number; or a rule that
  chooses it on the validation split: `auto`, `{maximize: f1}` (or `accuracy`, `balanced_accuracy`),
  `{recall: 0.9}` at the highest precision, `{precision: 0.9}` at the highest recall. The deployed graph's labels and
  every metric follow it.
""",
    "multilabel": """\
Several labels can apply at once, each with an independent probability.

- Head: a sigmoid for each class, along the class axis.
- Loss: `BinaryCrossentropy` by default.
""",
    "anomaly": """\
A score that is high where a sample is unusual, and whether it is above a threshold (`is_anomaly`).

- `of`: the output whose error is the score, a reconstruction (`data: {outputs: {reconstruction: {of: x}}}`): the mean
  of squared (or `error: absolute`) errors over all axes, or those of `over`; padded steps do not count. Or `from`: a
  layer that gives the score.
- Loss: none; the reconstruction is trained.
- `threshold`: a number, or a rule on the validation split: `{quantile: 0.95}` (default), the share of scores that are
  not above it; with labels also `{maximize: f1}`, `{precision: 0.9}`, `{recall: 0.9}`.
- Labels are optional and only measure it: `data: {outputs: {score: {columns: [fault]}}}`, 1 for an anomaly, or
  `classes: [good, broken]`. `train_on: normal` leaves training rows that are anomalies out. Evaluation gives the area
  under the ROC curve, precision, recall and F1 at the threshold, and the share that is flagged.
""",
    "none": """\
An output without targets: an embedding, the values of a hidden layer. The deployed model gives it; nothing is learned
from it.

- `from`: the layer whose value it is.
- Loss: none, and no metrics. No entry under `data: {outputs: …}`.
- Another output of the spec must have targets, such as a reconstruction: `data: {outputs: {y: {of: x}}}`.
""",
}


def page_names() -> dict[str, list[str]]:
    """What has a page here, by group."""
    return {"Sections": list(sections({}, {})), "Items": list(structure({})), "Tasks": list(TASKS)}


def page(name: str) -> str | None:
    """The page of a section, of `repeat`, `block` or `share`, or of a task; None where there is none of this name."""
    model: Schema = {"type": "array", "description": "Layers in order."}
    if name in TASK_PAGES:
        return f"# {name} (task)\n\n{TASK_PAGES[name]}"
    known = sections(model, {"type": "object", "description": "A layer."}, all_kinds())
    kind = "section"
    if name not in known:
        known, kind = structure(model), "item of a model"
    if name not in known:
        return None
    schema = known[name]
    lines = [f"# {name} ({kind})", "", schema.get("description", ""), ""]
    return "\n".join([*lines, *_entries(schema, 0)]).rstrip() + "\n"


def _entries(schema: Schema, depth: int) -> list[str]:
    """A line a key, its own keys indented below it."""
    if depth >= MAX_DEPTH:
        return []
    lines = []
    indent = "  " * depth
    required = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        said = [kind_text(value), "required" if key in required else default_text(value)]
        lines.append(f"{indent}- `{key}` ({', '.join(filter(None, said))}): {value.get('description', '')}".rstrip())
        lines += _entries(value, depth + 1)
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict):
        lines.append(f"{indent}- any name ({kind_text(inner)}): {inner.get('description', '')}".rstrip())
        lines += _entries(inner, depth + 1)
    if isinstance(schema.get("items"), dict) and schema["items"].get("properties"):
        lines += _entries(schema["items"], depth)
    return lines


def default_text(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    default = schema["default"]
    return f"default {str(default).lower() if isinstance(default, bool) else default}"


def kind_text(schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(str(option) for option in schema["enum"])
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]  # type: ignore[no-any-return]
    if schema.get("pattern") == NAME_PATTERN:
        return "name"
    types = schema.get("type", "value")
    return " or ".join(_WORDS.get(kind, kind) for kind in ([types] if isinstance(types, str) else types))
